"""A model group whose stack is deleted: AWS refuses as long as it holds versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest

import app as sagelens_app
from rehearsal.deploy import delete, deploy
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.pipelines import ended, start
from sagelens import EncryptionKey, ModelGroup
from tests.rehearsal.listening import wait_for
from tests.rehearsal.policies import Policy
from tests.rehearsal.workshop import IMAGE

STACK, NAME, OTHER = "goes", "goes-churn", "goes-churn-other"
DESTROY, RETAIN = cdk.RemovalPolicy.DESTROY, cdk.RemovalPolicy.RETAIN


def synthesize(folder: Path, policy: cdk.RemovalPolicy) -> Path:
    """Write the assembly of a stack with one group."""
    app = sagelens_app.new_app(outdir=str(folder))
    stack = cdk.Stack(app, STACK)
    key = EncryptionKey(stack, "Key", removal_policy=DESTROY)
    ModelGroup(
        stack,
        "Group",
        name=NAME,
        description="Churn",
        encryption_key=key,
        removal_policy=policy,
    )
    app.synth()
    return folder


def register(aws: Rehearsal, group: str, count: int) -> None:
    for _ in range(count):
        aws.client("sagemaker").create_model_package(
            ModelPackageGroupName=group,
            SkipModelValidation="All",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://nowhere/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )


def versions(aws: Rehearsal, group: str) -> int:
    pages = aws.client("sagemaker").get_paginator("list_model_packages")
    found = pages.paginate(ModelPackageGroupName=group, MaxResults=100)
    return sum(len(page["ModelPackageSummaryList"]) for page in found)


def groups(aws: Rehearsal) -> list[str]:
    listed = aws.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    return sorted(each["ModelPackageGroupName"] for each in listed)


def test_a_group_goes_with_all_its_versions_and_another_keeps_its_own(
    engine: Rehearsal, tmp_path: Path
) -> None:
    deploy(engine, synthesize(tmp_path, DESTROY))
    # Its name begins like the group's.
    engine.client("sagemaker").create_model_package_group(ModelPackageGroupName=OTHER)
    register(engine, NAME, 103)
    register(engine, OTHER, 1)
    delete(engine, [STACK])
    assert groups(engine) == [OTHER]
    assert versions(engine, OTHER) == 1
    left = engine.client("lambda").list_functions()["Functions"]
    assert not left


def test_a_group_that_is_to_stay_after_all_keeps_its_versions(
    engine: Rehearsal, tmp_path: Path
) -> None:
    deploy(engine, synthesize(tmp_path / "first", DESTROY))
    register(engine, NAME, 2)
    deploy(engine, synthesize(tmp_path / "then", RETAIN))
    assert not engine.client("lambda").list_functions()["Functions"]
    assert versions(engine, NAME) == 2
    delete(engine, [STACK])
    assert groups(engine) == [NAME]
    assert versions(engine, NAME) == 2


@pytest.mark.parametrize(
    ("sid", "words"),
    [
        ("ListVersions", "ListModelPackages"),
        ("DeleteVersions", "DeleteModelPackage"),
        ("SeeWhetherStackGoes", "DescribeStacks"),
    ],
)
def test_without_a_statement_the_stack_stays_and_says_why(
    engine: Rehearsal, tmp_path: Path, sid: str, words: str
) -> None:
    deploy(engine, synthesize(tmp_path, DESTROY))
    register(engine, NAME, 1)
    roles = engine.client("iam").list_roles()["Roles"]
    (role,) = [each["RoleName"] for each in roles if "Emptier" in each["RoleName"]]
    policy = Policy(engine, role)
    left = [each for each in policy.document["Statement"] if each["Sid"] != sid]
    engine.client("iam").put_role_policy(
        RoleName=role,
        PolicyName="function",
        PolicyDocument=json.dumps({**policy.document, "Statement": left}),
    )
    with pytest.raises(RehearsalError, match=words):
        delete(engine, [STACK])
    assert versions(engine, NAME) == 1
    assert groups(engine) == [NAME]


@pytest.fixture(scope="module")
def demo(
    run_folders_of_our_own: None, assembly: Callable[[str], Path]
) -> Iterator[tuple[Context, list[str]]]:
    """The demo environment, deployed onto an embedded AWS of its own; and its stacks."""
    with Rehearsal.start(samples=()) as aws:
        stacks = deploy(aws, assembly("demo"))
        merged = {name: value for found in stacks.values() for name, value in found.items()}
        yield Context(aws, merged, lambda _: None), list(stacks)


def test_the_demo_goes_with_everything_that_it_has_made(demo: tuple[Context, list[str]]) -> None:
    context, stacks = demo
    aws, outputs = context.aws, context.outputs
    sagemaker, scheduler = context.client("sagemaker"), context.client("scheduler")
    register(aws, outputs["ChurnModelGroupName"], 3)
    bucket, prefix = outputs["DataBucketName"], outputs["ChurnDataPrefix"]
    # A run that fails at once; the file also plans another, in the schedule group.
    context.client("s3").put_object(Bucket=bucket, Key=f"{prefix}a.csv", Body=b"no customers\n")
    run = ended(context, start(context, outputs["ChurnPipelineName"]))
    assert run.status == "Failed"
    wait_for(lambda: scheduler.list_schedules()["Schedules"], what="the planned run")
    delete(aws, stacks)
    assert groups(aws) == []
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    assert sagemaker.list_model_cards()["ModelCardSummaries"] == []
    assert sagemaker.list_mlflow_apps()["Summaries"] == []
    assert [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"]] == [
        "default"
    ]
    assert scheduler.list_schedules()["Schedules"] == []
    left = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert [one["StackName"] for one in left if one["StackName"] in stacks] == []
