"""What a release may do, and how its state machine is made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from rehearsal.ministack_adapter.sdk_tasks import SERVICES, sdk_name
from sagelens.endpoint_names import EndpointNames
from sagelens.release import ReleaseOnApproval
from sagelens.release_options import HostingStack, ReleasePace, SmokeTest
from tests.constructs.conftest import Resources, actions, resources, statements
from tests.constructs.hosting.conftest import House


@pytest.fixture
def release(house: House) -> ReleaseOnApproval:
    return house.release()


def role(found: Resources, service: str) -> dict[str, Any]:
    (one,) = [
        each
        for each in found.of("AWS::IAM::Role")
        if f"'{service}.amazonaws.com'" in str(each["AssumeRolePolicyDocument"])
    ]
    return one


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state, those inside Map and Parallel too."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]:
            yield from states(inner)


def test_state_machine_is_logged_traced_and_encrypted(
    house: House, release: ReleaseOnApproval
) -> None:
    machine = resources(house.stack).one("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"


def test_template_holds_the_definition_whole(house: House, release: ReleaseOnApproval) -> None:
    """CDK drops a null, which would change what a state keeps."""
    machine = resources(house.stack).one("AWS::StepFunctions::StateMachine")
    _, parts = machine["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "TOKEN" for part in parts)
    deployed = json.loads(text)
    assert _shape(deployed) == _shape(release.definition)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return "text" if isinstance(value, str) else value


def test_every_state_is_reached_and_every_way_leads_somewhere(release: ReleaseOnApproval) -> None:
    machine = release.definition
    reached, open_ = set(), [machine["StartAt"]]
    while open_:
        name = open_.pop()
        if name not in reached:
            reached.add(name)
            open_ += re.findall(r"'(?:Next|Default)': '(\w+)'", str(_outer(machine, name)))
    assert reached == set(machine["States"])
    for name, state in machine["States"].items():
        ends = state["Type"] in ("Succeed", "Fail") or state.get("End")
        assert ends or state.get("Next") or state.get("Default"), name


def _outer(machine: dict[str, Any], name: str) -> dict[str, Any]:
    """A state without what goes on inside of it."""
    hidden = ("ItemProcessor", "Branches")
    return {k: v for k, v in machine["States"][name].items() if k not in hidden}


def test_every_failure_of_a_task_leads_on(release: ReleaseOnApproval) -> None:
    tasks = {n: s for n, s in states(release.definition) if s["Type"] in ("Task", "Map")}
    assert len(tasks) > 30
    for name, state in tasks.items():
        caught = [each["ErrorEquals"] for each in state["Catch"]]
        assert ["States.ALL"] in caught, name


def test_after_the_version_is_written_every_failure_restores_or_tells(
    release: ReleaseOnApproval,
) -> None:
    """From WriteVersion to the last look at the answer, no way leads past Restore."""
    machine = release.definition["States"]
    critical = [
        *("WriteVersion", "UpdateStack", "LookAtStack", "LookAtEndpoint", "LookAtConfiguration"),
        *("LookAtResource", "ReadSample", "Ask", "ReadAnswer"),
    ]
    for name in critical:
        then = next(c["Next"] for c in machine[name]["Catch"] if c["ErrorEquals"] == ["States.ALL"])
        while machine[then]["Type"] == "Pass":
            then = machine[then]["Next"]
        assert then in ("LookAtAlarms", "WhyNotUpdated"), name
    assert machine["WhyNotUpdated"]["Default"] == "StackRefused"
    assert machine["StackRefused"]["Next"] == "Restore"


def _plain(value: Any) -> Any:
    """Parameters with every path replaced by a text, or what its member needs."""
    if isinstance(value, dict):
        return {
            k.removesuffix(".$"): _plain(v) if k[-2:] != ".$" else "x" for k, v in value.items()
        }
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _api(value: Any, shape: Any) -> Any:
    """Names as the API has them, and paths as values of the right type."""
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {sdk_name(member): member for member in shape.members}
        unknown = set(value) - set(names)
        assert not unknown, f"{shape.name} has no {unknown}"
        return {names[k]: _api(v, shape.members[names[k]]) for k, v in value.items()}
    if shape.type_name == "list":
        return [_api(each, shape.member) for each in value] if isinstance(value, list) else []
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _api(each, shape.value) for key, each in value.items()}
    if shape.name == "EventResource" or not isinstance(value, str | dict):
        return value
    if shape.type_name == "timestamp":
        return "2026-11-23T00:00:00Z"
    # What a path or a token stands for is longer than itself.
    return json.dumps(value) if isinstance(value, dict) else value.ljust(64, "x")


def test_every_call_is_one_that_the_service_takes(release: ReleaseOnApproval) -> None:
    """botocore's own models of the operations, by the names that Step Functions uses."""
    session = botocore.session.Session()
    checked = 0
    for name, state in states(release.definition):
        if state["Type"] != "Task":
            continue
        *_, service, action = state["Resource"].split(":")
        model = session.get_service_model(SERVICES.get(service, service))
        (operation,) = [o for o in model.operation_names if o.lower() == action.lower()]
        shape = model.operation_model(operation).input_shape
        report = ParamValidator().validate(_api(_plain(state["Parameters"]), shape), shape)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"
        assert xform_name(operation)
        checked += 1
    assert checked > 30


def test_state_machine_may_do_exactly_what_its_tasks_do(
    house: House, release: ReleaseOnApproval
) -> None:
    found = resources(house.stack)
    granted = statements(role(found, "states"))
    called = {
        f"{_prefix(state['Resource'])}:{_iam(state['Resource'])}"
        for _, state in states(release.definition)
        if state["Type"] == "Task"
    }
    beside = {
        "iam:PassRole",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "ssm:GetParameters",
        *granted["DeliverLogs"]["Action"],
        *granted["Trace"]["Action"],
    }
    assert actions(granted.values()) | {"states:DescribeExecution"} == called | beside
    everywhere = {sid for sid, one in granted.items() if one["Resource"] == "*"}
    assert everywhere == {"DeliverLogs", "List", "Trace"}


def _prefix(resource: str) -> str:
    service = resource.split(":")[-2]
    return {"sfn": "states", "sagemakerruntime": "sagemaker"}.get(service, service)


def _iam(resource: str) -> str:
    action = resource.split(":")[-1]
    return action[0].upper() + action[1:]


def test_state_machine_reaches_this_endpoint_this_stack_and_this_group_only(
    house: House, release: ReleaseOnApproval
) -> None:
    granted = statements(role(resources(house.stack), "states"))

    def where(sid: str) -> str:
        return str(granted[sid]["Resource"])

    assert ":stack/test-hosting-churn/*" in where("UpdateHosting")
    assert ":endpoint/test-churn" in where("TryEndpoint")
    assert ":model-package/test-churn/*" in where("LookAtPackages")
    assert ":parameter/test/live/churn" in where("SetLiveVersion")
    assert ":model/TestChurnModel*" in where("PruneModels")
    assert ":endpoint-config/TestChurnConfig*" in where("PruneConfigurations")
    assert "/samples/churn.csv" in where("ReadSample")
    assert granted["PassExecutionRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }
    assert "ExecutionRole" in where("PassExecutionRole")


def test_cloudformation_changes_what_a_version_changes_and_nothing_else(
    house: House, release: ReleaseOnApproval
) -> None:
    granted = statements(role(resources(house.stack), "cloudformation"))
    assert actions(granted.values()) == {
        "cloudwatch:DescribeAlarms",
        "iam:PassRole",
        "kms:CreateGrant",
        "kms:DescribeKey",
        "lambda:InvokeFunction",
        "sagemaker:AddTags",
        "sagemaker:CreateEndpoint",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateModel",
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DeleteTags",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListTags",
        "sagemaker:UpdateEndpoint",
        "ssm:GetParameters",
    }
    assert not [sid for sid, one in granted.items() if one["Resource"] == "*"]
    assert granted["PassEndpointRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert "EndpointRole" in str(granted["PassEndpointRole"]["Resource"])


def test_serverless_needs_no_function_of_cloudformation(house: House) -> None:
    house.release(
        hosting=HostingStack(
            stack_name="test-hosting-churn",
            endpoint_name="test-churn",
            variants=["main"],
            endpoint_role=house.role(),
        )
    )
    granted = statements(role(resources(house.stack), "cloudformation"))
    assert "lambda:InvokeFunction" not in actions(granted.values())


def test_it_sees_its_own_executions_only(house: House, release: ReleaseOnApproval) -> None:
    (policy,) = [
        one
        for one in resources(house.stack).of("AWS::IAM::Policy")
        if "states:DescribeExecution" in str(one)
    ]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert "ReleaseStateMachine" in str(statement["Resource"])


def test_approvals_and_rejections_of_this_group_start_it(
    house: House, release: ReleaseOnApproval
) -> None:
    found = resources(house.stack)
    rule = found.one("AWS::Events::Rule")
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": ["test-churn"],
            "ModelApprovalStatus": ["Approved", "Rejected"],
        },
    }
    (target,) = rule["Targets"]
    assert target["Arn"]["Ref"].startswith("ReleaseStateMachine")
    assert "DeadLetterQueue" in str(target["DeadLetterConfig"])
    granted = statements(role(found, "events"))
    assert actions(granted.values()) == {"states:StartExecution"}
    (queue,) = found.of("AWS::SQS::Queue")
    assert queue["MessageRetentionPeriod"] == 14 * 86_400 and "KmsMasterKeyId" in queue


def test_what_goes_wrong_rings(house: House, release: ReleaseOnApproval) -> None:
    alarms = resources(house.stack).of("AWS::CloudWatch::Alarm")
    assert {one["MetricName"] for one in alarms} == {
        "ApproximateNumberOfMessagesVisible",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
    }
    assert all(one["AlarmActions"] for one in alarms)


def test_stack_is_updated_with_the_template_it_has_and_guarded_by_its_alarms(
    release: ReleaseOnApproval,
) -> None:
    machine = release.definition["States"]
    update = machine["UpdateStack"]["Parameters"]
    assert update["UsePreviousTemplate"] is True
    assert update["Parameters"] == [{"ParameterKey": "LiveVersion", "UsePreviousValue": True}]
    assert update["RollbackConfiguration"] == {"RollbackTriggers.$": "$.target.triggers"}
    triggers = machine["AimAtPackage"]["Parameters"]["triggers"]
    assert [one["Type"] for one in triggers] == ["AWS::CloudWatch::Alarm"] * 2
    names = EndpointNames("test-churn").rollback_alarms(["main"])
    assert [one["Arn"].rpartition(":")[2] for one in triggers] == names
    assert machine["RestoreStack"]["Parameters"]["RollbackConfiguration"] == {
        "RollbackTriggers": []
    }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"keep": 0}, "keep: got 0, allowed are 1 to 50"),
        ({"pace": ReleasePace(poll_seconds=0)}, "pace.poll_seconds: got 0 s"),
        ({"pace": ReleasePace(poll_seconds=5)}, "makes about 138,240 entries"),
        ({"pace": ReleasePace(timeout_hours=25)}, "pace.timeout_hours: got 25 h"),
    ],
)
def test_bounds(house: House, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        house.release(**changes)


def test_smoke_test_that_nothing_passes_is_refused(house: House) -> None:
    test = SmokeTest(bucket=house.models, key="x", answer_path="score", least=2, most=1)
    with pytest.raises(ValueError) as refused:
        house.release(smoke_test=test)
    assert "answer_path: got 'score'" in str(refused.value)
    assert "smoke_test: got least 2 and most 1" in str(refused.value)
