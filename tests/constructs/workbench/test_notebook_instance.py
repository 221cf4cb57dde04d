"""A notebook instance and what looks after it, in a stack of a stranger's."""

from __future__ import annotations

import base64
import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from sagelens import (
    AlarmTopic,
    EncryptionKey,
    GitRepository,
    IdleStop,
    KeptNotebook,
    Network,
    NotebookHours,
    NotebookInstance,
    NotebookKeeper,
    NotebookScripts,
    PrivateNetwork,
    WorkbenchRole,
)
from tests.constructs.conftest import Resources, actions, resources, statements

INSTANCE = "AWS::SageMaker::NotebookInstance"


def notebook(stack: cdk.Stack, id: str = "Mine", **given: Any) -> NotebookInstance:
    key = stack.node.try_find_child("Key") or EncryptionKey(stack, "Key")
    asked = {"name": id.lower(), "encryption_key": key, "environment_name": "test", **given}
    return NotebookInstance(stack, id, **asked)


def granted(found: Resources) -> dict[str, dict[str, Any]]:
    """The statements of the only role's policy, by their id."""
    policy = found.one("AWS::IAM::Policy")
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_shortest_use_is_safe(stack: cdk.Stack) -> None:
    notebook(stack)
    found = resources(stack)
    instance = found.one(INSTANCE)
    wanted = {
        "InstanceType": "ml.t3.medium",
        "VolumeSizeInGB": 5,
        "PlatformIdentifier": "notebook-al2023-v1",
        "RootAccess": "Disabled",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    assert {name: instance[name] for name in wanted} == wanted
    assert "KmsKeyId" in instance and "LifecycleConfigName" in instance
    assert actions(granted(found).values()) == {
        "cloudwatch:PutMetricData",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "sagemaker:StopNotebookInstance",
    }
    assert "OnCreate" not in found.one("AWS::SageMaker::NotebookInstanceLifecycleConfig")


def test_role_names_its_own_instance_alone(stack: cdk.Stack) -> None:
    notebook(stack)
    found = granted(resources(stack))
    assert str(found["StopItself"]["Resource"]).count("notebook-instance/mine") == 1
    assert "log-stream:mine/*" in str(found["WriteNotebookLogs"]["Resource"])
    assert found["ReportIdleness"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "Sagelens"}
    }


def test_role_of_ones_own_gets_what_the_instance_needs(stack: cdk.Stack) -> None:
    role = WorkbenchRole(stack, "People", description="people")
    mine = notebook(stack, role=role)
    assert mine.role is role
    found = resources(stack)
    assert len(found.of("AWS::IAM::Role")) == 1
    assert "StopItself" in granted(found)
    depends = next(each for each in found.by_id.values() if each["Type"] == INSTANCE)["DependsOn"]
    assert any("Policy" in name for name in depends), "its first start needs the policy"


def test_network_is_the_only_way_out(stack: cdk.Stack) -> None:
    key = EncryptionKey(stack, "Key")
    network = PrivateNetwork(stack, "Network", cidr="10.0.0.0/16", services=[], encryption_key=key)
    where = Network(vpc=network.vpc, security_groups=[network.workload_security_group])
    notebook(stack, network=where)
    notebook(stack, "Open")
    inside, outside = resources(stack).of(INSTANCE)
    assert inside["DirectInternetAccess"] == "Disabled"
    assert "SubnetId" in inside and len(inside["SecurityGroupIds"]) == 1
    assert outside["DirectInternetAccess"] == "Enabled" and "SubnetId" not in outside


def test_scripts_are_in_base64_and_ours_comes_first(stack: cdk.Stack) -> None:
    scripts = NotebookScripts(on_create="pip install a", on_start="echo mine")
    notebook(stack, scripts=scripts, idle=IdleStop(minutes=30, keep_open_kernels=True))
    lifecycle = resources(stack).one("AWS::SageMaker::NotebookInstanceLifecycleConfig")
    create, start = (
        base64.b64decode(lifecycle[hook][0]["Content"]).decode() for hook in ("OnCreate", "OnStart")
    )
    assert create == "#!/bin/bash\nset -euo pipefail\npip install a\n"
    assert "IDLE_MINUTES=30\nOPEN_KERNELS=work\nENVIRONMENT=test\n" in start
    assert start.index("sagelens-idle-stop.timer") < start.index("echo mine")
    assert "@IDLE_STOP@" not in start and "@SETTINGS@" not in start


def test_repositories_are_cloned_with_their_secrets(stack: cdk.Stack) -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-AbCdEf"
    notebook(
        stack,
        repositories=[
            GitRepository(url="https://x.org/a/b", branch="main", secret_arn=secret),
            GitRepository(url="https://x.org/c/d"),
        ],
    )
    found = resources(stack)
    instance = found.one(INSTANCE)
    assert "DefaultCodeRepository" in instance
    assert len(instance["AdditionalCodeRepositories"]) == 1
    first, _ = found.of("AWS::SageMaker::CodeRepository")
    assert first["GitConfig"] == {
        "RepositoryUrl": "https://x.org/a/b", "Branch": "main", "SecretArn": secret,
    }  # fmt: skip
    assert granted(found)["SignInToRepositories"]["Resource"] == secret


def test_everything_wrong_is_said_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError) as caught:
        notebook(
            stack,
            name="my notebook",
            instance_type="large",
            volume_gb=4,
            idle=IdleStop(minutes=5),
            repositories=[GitRepository(url="git@x.org:a/b")] * 5,
            scripts=NotebookScripts(on_start="#" * 12_000, on_create="#" * 13_000),
        )
    text = str(caught.value)
    for argument in (
        "name", "instance_type", "volume_gb", "idle.minutes", "repositories: got 5",
        "repositories: got 'git@", "scripts.on_create", "scripts.on_start",
    ):  # fmt: skip
        assert f"\n{argument}" in text, argument


def test_person_may_open_one_instance(stack: cdk.Stack) -> None:
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    notebook(stack).grant_open(person)
    policies = resources(stack).of("AWS::IAM::Policy")
    (opened,) = [
        each
        for policy in policies
        for each in policy["PolicyDocument"]["Statement"]
        if each["Sid"] == "OpenNotebookInstance"
    ]
    assert str(opened["Resource"]).count("notebook-instance/mine") == 1


def keeper(stack: cdk.Stack, **given: Any) -> NotebookKeeper:
    mine = notebook(stack)
    asked: dict[str, Any] = {
        "instances": [KeptNotebook(notebook=mine)],
        "encryption_key": stack.node.find_child("Key"),
        "environment_name": "test",
        "alarm_topic": AlarmTopic(
            stack,
            "Alarms",
            encryption_key=stack.node.find_child("Key"),  # pyright: ignore[reportArgumentType]
        ),
    }
    return NotebookKeeper(stack, "Keeper", **asked | given)


def test_keeper_may_start_only_what_has_hours(stack: cdk.Stack) -> None:
    timed = KeptNotebook(
        notebook=notebook(stack, "Timed"),
        hours=NotebookHours(start="cron(0 8 ? * MON-FRI *)", timezone="Europe/Berlin"),
    )
    made = keeper(stack, instances=[KeptNotebook(notebook=notebook(stack, "Other")), timed])
    found = resources(stack)
    (role,) = [each for each in found.of("AWS::IAM::Role") if "StopNotebooks" in json.dumps(each)]
    given = statements(role)
    assert "other" not in str(given["StartNotebooks"]["Resource"])
    assert "other" in str(given["StopNotebooks"]["Resource"])
    assert set(made.schedules) == {"sweep", "timed-start"}
    times = {
        (each["ScheduleExpression"], each["ScheduleExpressionTimezone"])
        for each in found.of("AWS::Scheduler::Schedule")
    }
    assert times == {("rate(15 minutes)", "UTC"), ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin")}


@pytest.mark.parametrize(
    ("given", "words"),
    [({"instances": []}, "instances: got 0"), ({"sweep_minutes": 1}, "sweep_minutes: got 1")],
)
def test_keeper_refuses_what_it_cannot_keep(
    stack: cdk.Stack, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        keeper(stack, **given)
