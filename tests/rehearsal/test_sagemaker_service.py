"""The core of the embedded SageMaker: who may call it, what it refuses, tags, lists, control."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from rehearsal.errors import RehearsalError
from rehearsal.ministack_adapter.sagemaker_requests import condition_keys, resource
from rehearsal.process import Rehearsal
from tests.rehearsal.job_bench import IMAGE, Bench, trust

ONCE = Config(retries={"total_max_attempts": 1})
PLACE = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture(scope="module")
def bench(aws: Rehearsal) -> Bench:
    return Bench.make(aws, "service")


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Code and text of the error that a call ends with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def caller(bench: Bench, name: str, statements: list[dict[str, Any]]) -> Any:
    """A SageMaker client of a role with these statements."""
    iam = bench.aws.client("iam")
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
        ],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    return bench.aws.session(arn["Role"]["Arn"]).client("sagemaker", config=ONCE)


def as_client(bench: Bench, client: Any) -> Callable[..., str]:
    """bench.processing through another client."""
    other = Bench(bench.aws, bench.bucket, bench.role)
    object.__setattr__(other, "__class__", type("As", (Bench,), {"sagemaker": client}))
    return other.processing


def test_unknown_operation_is_refused_in_plain_words(bench: Bench) -> None:
    code, text = refused(bench.sagemaker.list_clusters)
    assert code == "NotRehearsedException"
    assert "sagemaker:ListClusters" in text
    assert "CreateTrainingJob" in text


def test_another_region_is_refused(bench: Bench) -> None:
    client = bench.aws.client("sagemaker", region_name="eu-west-1")
    code, text = refused(client.list_training_jobs)
    assert (code, "eu-west-1" in text) == ("NotRehearsedException", True)


def test_shapes_are_checked_by_the_model(bench: Bench) -> None:
    client = bench.aws.client(
        "sagemaker", config=Config(parameter_validation=False, retries={"total_max_attempts": 1})
    )
    code, text = refused(client.describe_training_job, TrainingJobName="not a name")
    assert code == "ValidationException"
    assert "'trainingJobName' failed to satisfy constraint" in text
    with pytest.raises(ParamValidationError):
        bench.sagemaker.create_training_job(TrainingJobName="x")


def test_environment_is_limited(bench: Bench) -> None:
    many = {f"NAME_{number}": "x" for number in range(101)}
    code, text = refused(lambda: bench.processing("pass", Environment=many))
    assert code == "ValidationException"
    assert "less than or equal to 100" in text
    code, _ = refused(lambda: bench.processing("pass", Environment={"A": "x" * 257}))
    assert code == "ValidationException"


def test_name_in_use_and_missing(bench: Bench) -> None:
    name = bench.processing("pass")
    bench.processed(name)
    code, text = refused(lambda: bench.processing("pass", ProcessingJobName=name))
    assert code == "ResourceInUse"
    assert f"{PLACE}:processing-job/{name}" in text
    describe = bench.sagemaker.describe_processing_job
    assert refused(describe, ProcessingJobName="nobody") == (
        "ValidationException",
        "Could not find requested job with name: nobody",
    )
    assert refused(bench.sagemaker.describe_training_job, TrainingJobName="nobody") == (
        "ValidationException",
        "Requested resource not found.",
    )


def test_tags(bench: Bench) -> None:
    name = bench.processing("pass", Tags=[{"Key": "a", "Value": "1"}])
    arn = f"{PLACE}:processing-job/{name}"
    client = bench.sagemaker
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    tags = {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {"a": "3", "b": "2"}
    client.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refused(client.add_tags, ResourceArn=arn, Tags=twice)[0] == "ValidationException"
    assert refused(client.list_tags, ResourceArn=f"{arn}x")[0] == "ValidationException"
    bench.processed(name)


def test_lists_filter_sort_and_page(bench: Bench) -> None:
    names = [bench.processing("pass", ProcessingJobName=f"listed-{n}") for n in "bca"]
    bench.processed(bench.processing("raise SystemExit(3)", ProcessingJobName="listed-failed"))
    for name in names:
        bench.processed(name)
    listed = bench.sagemaker.list_processing_jobs

    def found(**more: Any) -> list[str]:
        jobs = listed(NameContains="LISTED", **more)["ProcessingJobSummaries"]
        return [job["ProcessingJobName"] for job in jobs]

    assert found(SortBy="CreationTime")[:3] == names
    ordered = found(SortBy="Name", SortOrder="Descending")
    assert ordered == ["listed-failed", "listed-c", "listed-b", "listed-a"]
    assert found(StatusEquals="Failed") == ["listed-failed"]
    first = listed(NameContains="listed", MaxResults=3)
    second = listed(NameContains="listed", MaxResults=3, NextToken=first["NextToken"])
    assert len(first["ProcessingJobSummaries"]) == 3
    assert len(second["ProcessingJobSummaries"]) == 1
    assert "NextToken" not in second
    assert refused(listed, NextToken="?")[0] == "ValidationException"
    job = bench.sagemaker.describe_processing_job(ProcessingJobName="listed-c")
    after = found(CreationTimeAfter=job["CreationTime"])
    assert after == ["listed-c", "listed-a", "listed-failed"]


def test_caller_must_be_allowed_to_pass_the_role(bench: Bench) -> None:
    create = {"Effect": "Allow", "Action": "sagemaker:CreateProcessingJob", "Resource": "*"}
    client = caller(bench, "passes-nothing", [create])
    code, text = refused(lambda: as_client(bench, client)("pass"))
    assert code == "AccessDeniedException"
    assert "is not authorized to perform: iam:PassRole on resource: " + bench.role in text
    passes = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": bench.role}
    to = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    client = caller(bench, "passes-to-lambda", [create, {**passes, "Condition": to}])
    assert refused(lambda: as_client(bench, client)("pass"))[0] == "AccessDeniedException"
    to = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    client = caller(bench, "passes-to-sagemaker", [create, {**passes, "Condition": to}])
    bench.processed(as_client(bench, client)("pass"))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("nobody", None),
        ("trusts-lambda", trust().replace("sagemaker", "lambda")),
        ("trusts-other", trust().replace("000000000000", "111111111111")),
    ],
)
def test_role_must_trust_sagemaker(bench: Bench, name: str, document: str | None) -> None:
    arn = f"arn:aws:iam::000000000000:role/{name}"
    if document is not None:
        bench.aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    code, text = refused(lambda: bench.processing("pass", RoleArn=arn))
    assert code == "ValidationException"
    assert text == (
        f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def test_policies_see_resource_and_condition_keys(bench: Bench) -> None:
    passes = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": bench.role}
    create = {
        "Effect": "Allow",
        "Action": "sagemaker:CreateProcessingJob",
        "Resource": f"{PLACE}:processing-job/mine-*",
        "Condition": {"Bool": {"sagemaker:NetworkIsolation": "true"}},
    }
    start = as_client(bench, caller(bench, "only-mine", [passes, create]))
    isolated = {"EnableNetworkIsolation": True}
    code, text = refused(lambda: start("pass", ProcessingJobName="other", NetworkConfig=isolated))
    assert code == "AccessDeniedException"
    assert "processing-job/other" in text
    assert refused(lambda: start("pass", ProcessingJobName="mine-1"))[0] == "AccessDeniedException"
    bench.processed(start("pass", ProcessingJobName="mine-1", NetworkConfig=isolated))


def test_policies_see_resource_tags(bench: Bench) -> None:
    describe = {
        "Effect": "Allow",
        "Action": "sagemaker:DescribeProcessingJob",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "churn"}},
    }
    client = caller(bench, "sees-churn", [describe])
    ours = bench.processing("pass", Tags=[{"Key": "team", "Value": "churn"}])
    other = bench.processing("pass", Tags=[{"Key": "team", "Value": "other"}])
    assert client.describe_processing_job(ProcessingJobName=ours)["ProcessingJobName"] == ours
    code, _ = refused(client.describe_processing_job, ProcessingJobName=other)
    assert code == "AccessDeniedException"
    for name in (ours, other):
        bench.processed(name)


@pytest.mark.parametrize(
    ("operation", "body", "wanted"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "a"}, f"{PLACE}:training-job/a"),
        (
            "CreateTransformJob",
            {"ModelName": "m", "TransformJobName": "a"},
            f"{PLACE}:transform-job/a",
        ),
        ("StartPipelineExecution", {"PipelineName": "p"}, f"{PLACE}:pipeline/p"),
        ("DescribePipeline", {"PipelineName": f"{PLACE}:pipeline/p"}, f"{PLACE}:pipeline/p"),
        (
            "StopPipelineExecution",
            {"PipelineExecutionArn": f"{PLACE}:pipeline/p/execution/e"},
            f"{PLACE}:pipeline/p/execution/e",
        ),
        (
            "ListPipelineExecutionSteps",
            {"PipelineExecutionArn": f"{PLACE}:pipeline/p/execution/e"},
            f"{PLACE}:pipeline/p/execution/e",
        ),
        ("ListPipelineExecutions", {"PipelineName": "p"}, f"{PLACE}:pipeline/p"),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, f"{PLACE}:model-package/g/*"),
        ("AddTags", {"ResourceArn": f"{PLACE}:pipeline/p", "Tags": []}, f"{PLACE}:pipeline/p"),
        ("ListTrainingJobs", {"NameContains": "a"}, "*"),
        ("ListTrainingJobs", {}, "*"),
    ],
)
def test_resource_of_each_request(operation: str, body: dict[str, Any], wanted: str) -> None:
    given = json.dumps(body).encode()
    assert resource(operation, given, "us-east-1", "000000000000") == wanted


def test_condition_keys_of_a_training_job() -> None:
    body = {
        "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"},
        "OutputDataConfig": {"KmsKeyId": "o"},
        "EnableNetworkIsolation": False,
        "VpcConfig": {"Subnets": ["s"], "SecurityGroupIds": ["g"]},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    assert condition_keys(json.dumps(body).encode()) == {
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:VolumeKmsKey": "k",
        "sagemaker:OutputKmsKey": "o",
        "sagemaker:VpcSubnets": ["s"],
        "sagemaker:VpcSecurityGroupIds": ["g"],
        "sagemaker:MaxRuntimeInSeconds": "60",
        "sagemaker:NetworkIsolation": "false",
    }


def test_control_api(bench: Bench) -> None:
    control = bench.aws.sagemaker
    client = bench.aws.client("sagemaker", config=ONCE)
    control.clear()
    control.fail("DescribeTrainingJob", "ThrottlingException", times=1)
    code, _ = refused(client.describe_training_job, TrainingJobName="x")
    assert code == "ThrottlingException"
    assert refused(client.describe_training_job, TrainingJobName="x")[0] == "ValidationException"
    counts = control.calls()["DescribeTrainingJob"]
    assert counts == {"ThrottlingException": 1, "ValidationException": 1}
    with pytest.raises(RehearsalError, match="no operation 'DetectLabels'"):
        control.fail("DetectLabels", 500)
    with pytest.raises(RehearsalError, match="kind is one of"):
        control.fail_job("cooking", "no")
    with pytest.raises(RehearsalError, match="no training job 'x'"):
        control.interrupt("x")


def test_jobs_can_be_let_fail(bench: Bench) -> None:
    reason = "CapacityError: Unable to provision requested ML compute capacity."
    bench.aws.sagemaker.fail_job("processing", reason, named="unlucky")
    other = bench.processed(bench.processing("pass", ProcessingJobName="lucky"))
    first = bench.processed(bench.processing("pass", ProcessingJobName="unlucky-1"))
    second = bench.processed(bench.processing("pass", ProcessingJobName="unlucky-2"))
    assert other["ProcessingJobStatus"] == "Completed"
    assert (first["ProcessingJobStatus"], first["FailureReason"]) == ("Failed", reason)
    assert second["ProcessingJobStatus"] == "Completed"
    bench.aws.sagemaker.fail_job("processing", reason)
    bench.aws.sagemaker.clear()
    third = bench.processed(bench.processing("pass", ProcessingJobName="unlucky-3"))
    assert third["ProcessingJobStatus"] == "Completed"


def test_unknown_image_is_refused(bench: Bench) -> None:
    specification = {"ImageUri": "python:3.11", "ContainerEntrypoint": ["python3"]}
    code, text = refused(lambda: bench.processing("pass", AppSpecification=specification))
    assert code == "NotRehearsedException"
    assert "'python:3.11'" in text
    older = {**specification, "ImageUri": IMAGE.replace("3.0-5", "1.7-1")}
    code, text = refused(lambda: bench.processing("pass", AppSpecification=older))
    assert code == "NotRehearsedException"
    assert "only sagemaker-xgboost:3.0-5 can run here" in text
