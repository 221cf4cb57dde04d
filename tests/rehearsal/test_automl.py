"""Autopilot's state machine, deployed, against scripted AutoML jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from botocore.exceptions import ClientError

import app as sagelens_app
from rehearsal.deploy import deploy
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from sagelens import AlarmTopic, EncryptionKey, SecureBucket
from sagelens.automl_training import AutoMLLimits, AutoMLTraining
from sagelens.s3_folder import S3Folder
from tests.rehearsal.listening import wait_for
from tests.rehearsal.policies import without

STACK = "autopilot-quick"
GROUP = "quick-autopilot"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/autogluon-inference:1.0-cpu-py3"
SEARCHING = {"AutoMLJobStatus": "InProgress", "AutoMLJobSecondaryStatus": "TrainingModels"}
CANDIDATE: dict[str, Any] = {
    "CandidateName": "WeightedEnsemble-L2-FULL",
    "CandidateStatus": "Completed",
    "CandidateSteps": [],
    "ObjectiveStatus": "Succeeded",
    "CreationTime": 1_700_000_000,
    "LastModifiedTime": 1_700_000_900,
    "FinalAutoMLJobObjectiveMetric": {"MetricName": "AUC", "Value": 0.8437},
    "InferenceContainers": [
        {
            "Image": IMAGE,
            "ModelDataUrl": "s3://autopilot-found/model.tar.gz",
            "Environment": {
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_SUPPORTED": "predicted_label,probability,probabilities,labels",
                "SAGEMAKER_PROGRAM": "sagemaker_serve",
            },
        }
    ],
}


def done(**changes: Any) -> dict[str, Any]:
    """The answer of a job that has ended with this candidate."""
    return {
        "AutoMLJobStatus": "Completed",
        "AutoMLJobSecondaryStatus": "Completed",
        "BestCandidate": {**CANDIDATE, **changes},
    }


def container(**environment: str) -> dict[str, Any]:
    return {**CANDIDATE["InferenceContainers"][0], "Environment": environment}


def synthesize(folder: Path) -> Path:
    app = sagelens_app.new_app(outdir=str(folder))
    stack = cdk.Stack(app, STACK)
    gone = cdk.RemovalPolicy.DESTROY
    key = EncryptionKey(stack, "Key", removal_policy=gone)
    data = SecureBucket(stack, "Data", encryption_key=key, removal_policy=gone)
    models = SecureBucket(stack, "Models", encryption_key=key, removal_policy=gone)
    topic = AlarmTopic(stack, "Alarms", encryption_key=key)
    training = AutoMLTraining(
        stack,
        "Autopilot",
        name="quick",
        data=S3Folder(bucket=data, prefix="churn/customers/"),
        target="Churn",
        artifacts=S3Folder(bucket=models, prefix="churn/autopilot/"),
        model_group_name=GROUP,
        encryption_key=key,
        alarm_topic=topic,
        limits=AutoMLLimits(total_seconds=300, poll_seconds=3600),
        removal_policy=gone,
    )
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    training.grant_start(person)
    outputs = {
        "DataBucket": data.bucket_name,
        "MachineArn": training.state_machine.ref,
        "MachineRole": training.state_machine_role.role_name,
        "JobRole": training.job_role.role_name,
        "Topic": topic.topic_arn,
        "PersonArn": person.role_arn,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    app.synth()
    return folder


@dataclass(frozen=True)
class Lab:
    """The deployed stack."""

    aws: Rehearsal
    outputs: dict[str, str]

    def search(self, *answers: dict[str, Any]) -> dict[str, Any]:
        """Script the job, start the state machine as the person who may, wait for its end."""
        if answers:
            self.aws.sagemaker.script_automl("quick-", answers)
        client = self.aws.session(self.outputs["PersonArn"]).client("stepfunctions")
        arn = client.start_execution(stateMachineArn=self.outputs["MachineArn"])["executionArn"]

        def ended() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return wait_for(ended, what="the end of the execution")

    def packages(self) -> list[dict[str, Any]]:
        """The versions in the group, oldest first."""
        sagemaker = self.aws.client("sagemaker")
        listed = sagemaker.list_model_packages(
            ModelPackageGroupName=GROUP, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [
            sagemaker.describe_model_package(ModelPackageName=each["ModelPackageArn"])
            for each in listed["ModelPackageSummaryList"]
        ]


@pytest.fixture(scope="module")
def lab(aws: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(aws, deploy(aws, synthesize(tmp_path_factory.mktemp("autopilot")))[STACK])
    aws.client("s3").put_object(
        Bucket=lab.outputs["DataBucket"],
        Key="churn/customers/table.csv",
        Body=b"customerID,Churn\n1,Yes\n",
    )
    # What Autopilot would have written: the registry looks whether it is there.
    aws.client("s3").create_bucket(Bucket="autopilot-found")
    aws.client("s3").put_object(Bucket="autopilot-found", Key="model.tar.gz", Body=b"a model")
    return lab


@pytest.fixture(autouse=True)
def quick(lab: Lab) -> Iterator[None]:
    """An hour of waiting takes a fifth of a second."""
    lab.aws.scale_waits(0.2 / 3600)
    yield
    lab.aws.scale_waits(1)


def test_the_best_candidate_is_registered_and_waits_for_approval(lab: Lab) -> None:
    ended = lab.search(SEARCHING, SEARCHING, done())
    assert ended["status"] == "SUCCEEDED", ended["cause"]
    output = json.loads(ended["output"])
    package = lab.packages()[-1]
    assert output["ModelPackageArn"] == package["ModelPackageArn"]
    assert output["ObjectiveValue"] == 0.8437
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    (served,) = package["InferenceSpecification"]["Containers"]
    assert served["Image"] == IMAGE
    # The candidate's own variables are kept, and its answer is the endpoint's.
    assert served["Environment"]["SAGEMAKER_INFERENCE_OUTPUT"] == "predicted_label,probability"
    assert served["Environment"]["SAGEMAKER_PROGRAM"] == "sagemaker_serve"
    metadata = package["CustomerMetadataProperties"]
    assert metadata["objective"] == "AUC"
    assert metadata["objective_value"] == "0.8437"
    assert metadata["candidate"] == "WeightedEnsemble-L2-FULL"
    assert output["AutoMLJobName"] in metadata["automl_job"]


def test_the_job_is_what_was_asked_for(lab: Lab) -> None:
    name = json.loads(lab.search(done())["output"])["AutoMLJobName"]
    job = lab.aws.client("sagemaker").describe_auto_ml_job_v2(AutoMLJobName=name)
    tabular = job["AutoMLProblemTypeConfig"]["TabularJobConfig"]
    assert tabular["TargetAttributeName"] == "Churn"
    assert tabular["Mode"] == "ENSEMBLING"
    assert job["AutoMLJobObjective"] == {"MetricName": "AUC"}
    assert job["SecurityConfig"]["VolumeKmsKeyId"] == job["OutputDataConfig"]["KmsKeyId"]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            {
                "AutoMLJobStatus": "Failed",
                "AutoMLJobSecondaryStatus": "Failed",
                "FailureReason": "The target column has one class",
            },
            "AutoMLJobFailed",
            "failed: The target column has one class",
        ),
        (
            {"AutoMLJobStatus": "Failed", "AutoMLJobSecondaryStatus": "Failed"},
            "AutoMLJobFailed",
            "gave no reason",
        ),
        (
            {"AutoMLJobStatus": "Stopped", "AutoMLJobSecondaryStatus": "Stopped"},
            "AutoMLJobStopped",
            "was stopped by somebody",
        ),
        (
            {"AutoMLJobStatus": "Completed", "AutoMLJobSecondaryStatus": "Completed"},
            "CandidateRefused",
            "found no candidate",
        ),
        (done(CandidateStatus="Failed"), "CandidateRefused", "is Failed, not Completed"),
        (done(InferenceContainers=[]), "CandidateRefused", "no inference container"),
        (
            done(InferenceContainers=CANDIDATE["InferenceContainers"] * 2),
            "CandidateRefused",
            "several inference containers",
        ),
        (
            done(InferenceContainers=[container(A="b")]),
            "CandidateRefused",
            "does not say what it can answer",
        ),
        (
            done(
                InferenceContainers=[
                    container(SAGEMAKER_INFERENCE_SUPPORTED="predicted_label,probabilities")
                ]
            ),
            "CandidateRefused",
            "can answer predicted_label,probabilities, and an endpoint must answer "
            "predicted_label,probability",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_reason(
    lab: Lab, answer: dict[str, Any], error: str, words: str
) -> None:
    before = len(lab.packages())
    ended = lab.search(answer)
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert words in ended["cause"]
    assert len(lab.packages()) == before


def test_a_candidate_without_its_metric_is_refused(lab: Lab) -> None:
    answer = done()
    del answer["BestCandidate"]["FinalAutoMLJobObjectiveMetric"]
    ended = lab.search(answer)
    assert "no value of its objective metric" in ended["cause"]


def test_a_job_that_takes_too_long_is_stopped(lab: Lab) -> None:
    ended = lab.search(SEARCHING)
    assert ended["error"] == "AutoMLJobTookTooLong"
    assert "was to end in 300 s and did not in 3,600 s more" in ended["cause"]
    name = ended["cause"].split()[3]
    jobs = lab.aws.client("sagemaker")
    assert jobs.describe_auto_ml_job_v2(AutoMLJobName=name)["AutoMLJobStatus"] in (
        "Stopping",
        "Stopped",
    )


def test_a_job_that_nobody_may_look_at_is_stopped_too(lab: Lab) -> None:
    lab.aws.sagemaker.fail("DescribeAutoMLJobV2", "ThrottlingException", times=4)
    ended = lab.search(done())
    assert ended["error"] == "SageMaker.SageMakerException"
    assert lab.aws.sagemaker.calls()["StopAutoMLJob"]["ok"] >= 1


def test_a_few_faults_are_got_over(lab: Lab) -> None:
    for operation in ("CreateAutoMLJobV2", "DescribeAutoMLJobV2", "CreateModelPackage"):
        lab.aws.sagemaker.fail(operation, "ThrottlingException", times=2)
    assert lab.search(done())["status"] == "SUCCEEDED"


def test_both_ends_are_told_to_the_topic(lab: Lab) -> None:
    sqs, sns = lab.aws.client("sqs"), lab.aws.client("sns")
    url = sqs.create_queue(QueueName="autopilot-ends")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["QueueArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=lab.outputs["Topic"], Protocol="sqs", Endpoint=arn["QueueArn"])
    lab.search(done())
    lab.search(done(InferenceContainers=[]))
    told: list[str] = []

    def both() -> bool:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        told.extend(json.loads(message["Body"])["Message"] for message in found)
        return len(told) == 2

    wait_for(both, what="two messages")
    assert any("ended SUCCEEDED" in each for each in told)
    assert any("ended FAILED" in each and "no inference container" in each for each in told)


def test_a_job_that_nobody_scripted_is_refused_in_words(lab: Lab) -> None:
    lab.aws.sagemaker.forget_automl()
    lab.aws.sagemaker.script_automl("other-", [done()])
    ended = lab.search()
    assert ended["status"] == "FAILED"
    assert "nobody has scripted what the AutoML job quick-" in ended["cause"]


def test_a_script_that_aws_could_not_answer_is_refused(lab: Lab) -> None:
    with pytest.raises(RehearsalError, match=r"AutoMLJobStatus.*allowed are Completed"):
        lab.aws.sagemaker.script_automl("x-", [{**SEARCHING, "AutoMLJobStatus": "Thinking"}])
    with pytest.raises(RehearsalError, match="the engine gives it"):
        lab.aws.sagemaker.script_automl("x-", [{**SEARCHING, "AutoMLJobName": "x"}])


@pytest.mark.parametrize(
    ("role", "sid", "words"),
    [
        ("MachineRole", "SearchForModels", "sagemaker:CreateAutoMLJobV2"),
        ("MachineRole", "PassJobRole", "iam:PassRole"),
        ("MachineRole", "RegisterModels", "sagemaker:CreateModelPackage"),
        ("JobRole", "ReadData", "Could not read s3://"),
        ("JobRole", "List0", "Could not read s3://"),
        ("JobRole", "WriteArtifacts", "Could not write to s3://"),
        ("JobRole", "UseKey", "Could not read s3://"),
    ],
)
def test_each_statement_is_needed(lab: Lab, role: str, sid: str, words: str) -> None:
    before = len(lab.packages())
    with without(lab.aws, lab.outputs[role], sid):
        ended = lab.search(done())
    assert ended["status"] == "FAILED"
    assert words in ended["cause"]
    assert len(lab.packages()) == before


def test_whoever_was_not_granted_may_not_start_it(lab: Lab, role_with: Callable[..., str]) -> None:
    somebody = role_with(lab.aws, "autopilot-nobody", [])
    client = lab.aws.session(somebody).client("stepfunctions")
    with pytest.raises(ClientError, match="states:StartExecution"):
        client.start_execution(stateMachineArn=lab.outputs["MachineArn"])
