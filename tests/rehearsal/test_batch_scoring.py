"""Batch scoring, deployed: real transform jobs with the live version of a real model."""

from __future__ import annotations

import csv
import io
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
from ml_src.churn import generate, inference
from ml_src.churn.schema import INPUTS
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from sagelens import (
    AlarmTopic,
    BatchRecords,
    BatchScoring,
    EncryptionKey,
    PlatformBus,
    S3Folder,
    SecureBucket,
)
from tests.rehearsal.hosting import CUSTOMER, IMAGE, SERVING, packed, trained
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.policies import without

STACK = "scoring"
GROUP = "scored-churn"
LIVE = "/scored/live/churn"
MODEL = "churn/runs/a1/model.tar.gz"


def synthesize(folder: Path) -> Path:
    app = sagelens_app.new_app(outdir=str(folder))
    stack = cdk.Stack(app, STACK)
    gone = cdk.RemovalPolicy.DESTROY
    key = EncryptionKey(stack, "Key", removal_policy=gone)
    models = SecureBucket(stack, "Models", encryption_key=key, removal_policy=gone)
    bus = PlatformBus(stack, "Bus", encryption_key=key, description="news")
    batch = BatchScoring(
        stack,
        "Batch",
        name="scored",
        model="churn",
        live_version=LIVE,
        model_group_name=GROUP,
        models=S3Folder(bucket=models, prefix="churn/runs/"),
        inputs=S3Folder(bucket=models, prefix="churn/batch/in/"),
        outputs=S3Folder(bucket=models, prefix="churn/batch/out/"),
        images=[IMAGE],
        encryption_key=key,
        alarm_topic=AlarmTopic(stack, "Alarms", encryption_key=key),
        bus=bus,
        records=BatchRecords(sent="$[1:]", kept="$[0,-1]"),
        removal_policy=gone,
    )
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    batch.grant_start(person)
    outputs = {
        "Bucket": models.bucket_name,
        "BusName": bus.event_bus_name,
        "PersonArn": person.role_arn,
        "MachineArn": batch.machine.state_machine.ref,
        "MachineRole": batch.machine_role.role_name,
        "ModelRole": batch.model_role.role_name,
        "FailedAlarm": batch.machine.alarms["ExecutionsFailed"].alarm_name,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    app.synth()
    return folder


@dataclass(frozen=True)
class Lab:
    """The deployed stack, a registered model, and an ear on the bus."""

    aws: Rehearsal
    out: dict[str, str]
    news: Tap
    package: str

    def put(self, key: str, body: bytes) -> None:
        self.aws.client("s3").put_object(Bucket=self.out["Bucket"], Key=key, Body=body)

    def get(self, url: str) -> str:
        key = url.removeprefix(f"s3://{self.out['Bucket']}/")
        found = self.aws.client("s3").get_object(Bucket=self.out["Bucket"], Key=key)
        return found["Body"].read().decode()

    def live(self, value: str) -> None:
        self.aws.client("ssm").put_parameter(Name=LIVE, Value=value, Type="String", Overwrite=True)

    def start(self, given: dict[str, Any]) -> str:
        client = self.aws.session(self.out["PersonArn"]).client("stepfunctions")
        started = client.start_execution(
            stateMachineArn=self.out["MachineArn"], input=json.dumps(given)
        )
        return started["executionArn"]

    def ended(self, arn: str) -> dict[str, Any]:
        client = self.aws.client("stepfunctions")

        def look() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return wait_for(look, seconds=120, what="the end of the execution")

    def score(self, **given: Any) -> dict[str, Any]:
        """Start it as the person who may, and wait for its end."""
        return self.ended(self.start(given))

    def models(self) -> list[str]:
        """The models that there are."""
        return [each["ModelName"] for each in self.sagemaker.list_models()["Models"]]

    @property
    def sagemaker(self) -> Any:
        return self.aws.client("sagemaker")

    def heard(self) -> dict[str, Any]:
        """The one event that was put since."""

        def look() -> list[dict[str, Any]]:
            return self.news.news()

        (event,) = wait_for(look, what="an event")
        return event


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model."""
    return trained(tmp_path_factory.mktemp("churn"), 20)


@pytest.fixture(scope="module")
def lab(
    run_folders_of_our_own: None, churn: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    with Rehearsal.start(samples=()) as aws:
        out = deploy(aws, synthesize(tmp_path_factory.mktemp("scoring")))[STACK]
        events, news = aws.client("events"), Tap.make(aws, "batch-news")
        pattern = json.dumps({"source": ["sagelens.batch"], "detail": {"model": ["churn"]}})
        events.put_rule(Name="news", EventBusName=out["BusName"], EventPattern=pattern)
        target = {"Id": "queue", "Arn": news.arn}
        events.put_targets(Rule="news", EventBusName=out["BusName"], Targets=[target])
        made = Lab(aws, out, news, "")
        made.put(MODEL, packed(churn))
        url = f"s3://{out['Bucket']}/{MODEL}"
        made.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        package = made.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": url, "Environment": SERVING}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            ModelApprovalStatus="Approved",
        )["ModelPackageArn"]
        yield Lab(aws, out, news, package)


@pytest.fixture(autouse=True)
def tidy(lab: Lab) -> Iterator[None]:
    """Each test begins with a live version and nothing to score."""
    s3, bucket = lab.aws.client("s3"), lab.out["Bucket"]
    for each in s3.list_objects_v2(Bucket=bucket, Prefix="churn/batch/").get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=each["Key"])
    lab.live(lab.package)
    lab.news.news()
    lab.aws.scale_waits(0.01)
    yield
    lab.aws.scale_waits(1)


def table(number: int, seed: int = 5) -> bytes:
    """Customers with their identifier first, without a header."""
    (batch,) = generate.blocks(number, seed=seed)
    out = io.StringIO()
    rows = ([row["customerID"], *(row[name] or "" for name in INPUTS)] for row in batch.to_pylist())
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def test_every_customer_gets_the_models_own_answer(lab: Lab, churn: Path) -> None:
    content = table(500)
    lab.put("churn/batch/in/2026/customers.csv", content)
    ended = lab.score()
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    output = json.loads(ended["output"])
    assert output["version"] == lab.package
    scored = lab.get(f"{output['output']}2026/customers.csv.out").splitlines()
    sent = list(csv.reader(io.StringIO(content.decode())))
    assert [line.split(",")[0] for line in scored] == [row[0] for row in sent]
    plain = "\n".join(",".join(row[1:]) for row in sent)
    own = inference.predict_fn(
        inference.input_fn(plain, "text/csv"), inference.model_fn(str(churn))
    )
    answers = [float(line.split(",")[1]) for line in scored]
    assert answers == pytest.approx(own.tolist(), rel=1e-6)
    assert lab.models() == []
    event = lab.heard()
    assert event["detail-type"] == "Batch Scored"
    detail = event["detail"]
    assert (detail["model"], detail["schema"]) == ("churn", "1")
    assert detail["output"] == output["output"]
    assert detail["input"].endswith("/churn/batch/in/")


def test_a_part_of_the_folder_can_be_asked_for(lab: Lab) -> None:
    lab.put("churn/batch/in/monday/a.csv", table(3))
    lab.put("churn/batch/in/tuesday/b.csv", table(5))
    output = json.loads(lab.score(prefix="churn/batch/in/tuesday/")["output"])
    assert len(lab.get(f"{output['output']}b.csv.out").splitlines()) == 5
    s3 = lab.aws.client("s3")
    found = s3.list_objects_v2(Bucket=lab.out["Bucket"], Prefix="churn/batch/out/")["Contents"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("churn/customers/", "got churn/customers/, allowed is one that begins with"),
        (7, "allowed is a text"),
    ],
)
def test_another_folder_is_refused_in_words(lab: Lab, prefix: Any, words: str) -> None:
    ended = lab.score(prefix=prefix)
    assert (ended["status"], ended["error"]) == ("FAILED", "WrongInput")
    assert words in ended["cause"]
    assert "churn/batch/in/" in ended["cause"]


def test_nothing_to_score_is_quiet(lab: Lab) -> None:
    ended = lab.score()
    assert ended["status"] == "SUCCEEDED"
    assert lab.models() == []
    assert lab.news.news() == []


def test_without_a_live_version_it_fails_in_words(lab: Lab) -> None:
    lab.live("none")
    ended = lab.score()
    assert (ended["status"], ended["error"]) == ("FAILED", "NothingLive")
    assert lab.heard()["detail"]["reason"]["Error"] == "NothingLive"


def test_a_bad_record_fails_the_job_and_the_model_goes(lab: Lab) -> None:
    lab.put("churn/batch/in/bad.csv", b"7590-VHVEG," + CUSTOMER.replace("70.35", "x").encode())
    ended = lab.score()
    assert (ended["status"], ended["error"]) == ("FAILED", "TransformJobFailed")
    assert "ClientError" in ended["cause"]
    assert lab.models() == []
    event = lab.heard()
    assert event["detail-type"] == "Batch Scoring Failed"
    assert event["detail"]["reason"]["Cause"] == ended["cause"]

    def rings() -> bool:
        found = lab.aws.client("cloudwatch").describe_alarms(AlarmNames=[lab.out["FailedAlarm"]])
        return found["MetricAlarms"][0]["StateValue"] == "ALARM"

    wait_for(rings, what="the alarm")


def test_stopping_the_execution_stops_the_job(lab: Lab) -> None:
    lab.put("churn/batch/in/a.csv", table(5))
    lab.aws.sagemaker.delay("transform", 60)
    try:
        arn = lab.start({})

        def job() -> str | None:
            found = lab.sagemaker.list_transform_jobs(StatusEquals="InProgress")
            return next((e["TransformJobName"] for e in found["TransformJobSummaries"]), None)

        name = wait_for(job, what="a job")
        lab.aws.client("stepfunctions").stop_execution(executionArn=arn)

        def stopped() -> bool:
            found = lab.sagemaker.describe_transform_job(TransformJobName=name)
            return found["TransformJobStatus"] == "Stopped"

        wait_for(stopped, what="the end of the job")
    finally:
        lab.aws.sagemaker.delay("transform", 0)
        for name in lab.models():
            lab.sagemaker.delete_model(ModelName=name)


def test_throttling_is_got_over(lab: Lab) -> None:
    lab.put("churn/batch/in/a.csv", table(5))
    for operation in ("CreateModel", "CreateTransformJob", "DeleteModel"):
        lab.aws.sagemaker.fail(operation, "ThrottlingException", times=2)
    assert lab.score()["status"] == "SUCCEEDED"
    assert lab.models() == []


@pytest.mark.parametrize(
    ("role", "sid", "words"),
    [
        ("MachineRole", "ReadLiveVersion", "ssm:GetParameter"),
        ("MachineRole", "FindInput", "s3:ListBucket"),
        ("MachineRole", "KeepModels", "sagemaker:CreateModel"),
        ("MachineRole", "PassJobRole", "iam:PassRole"),
        ("MachineRole", "RunJobs", "sagemaker:CreateTransformJob"),
        ("ModelRole", "ReadModels", "s3:GetObject"),
        ("ModelRole", "ReadInput", "s3:GetObject"),
        ("ModelRole", "WriteResults", "s3:PutObject"),
        ("ModelRole", "PullImages", "ecr"),
    ],
)
def test_each_statement_is_needed(lab: Lab, role: str, sid: str, words: str) -> None:
    lab.put("churn/batch/in/a.csv", table(2))
    with without(lab.aws, lab.out[role], sid):
        ended = lab.score()
    assert ended["status"] == "FAILED"
    assert words in ended["cause"]
    assert lab.models() == []


def test_whoever_was_not_granted_may_not_start_it(lab: Lab, role_with: Callable[..., str]) -> None:
    somebody = role_with(lab.aws, "batch-nobody", [])
    client = lab.aws.session(somebody).client("stepfunctions")
    with pytest.raises(ClientError, match="states:StartExecution"):
        client.start_execution(stateMachineArn=lab.out["MachineArn"])


def test_no_state_machine_whose_role_may_not_hear_of_its_jobs(lab: Lab) -> None:
    """As AWS, which keeps an EventBridge rule for it."""
    client = lab.aws.client("stepfunctions")
    known = client.describe_state_machine(stateMachineArn=lab.out["MachineArn"])
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    deaf = lab.aws.client("iam").create_role(
        RoleName="deaf",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        client.create_state_machine(name="deaf", definition=known["definition"], roleArn=deaf)
