"""The drift watch, deployed: a real endpoint that captures, real jobs, metrics, alarm and event."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

import app as sagelens_app
from ml_src.churn import generate
from ml_src.churn.schema import INPUTS
from rehearsal.deploy import deploy
from rehearsal.process import PROJECT, Rehearsal
from sagelens import (
    AlarmTopic,
    DataCapture,
    DriftWatch,
    EncryptionKey,
    EndpointRole,
    PlatformBus,
    S3Folder,
    SecureBucket,
    SourceArchive,
    WatchPeriod,
)
from tests.rehearsal.hosting import IMAGE, SERVING, evaluated, packed, trained
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.policies import without

STACK = "watching"
ENDPOINT = "watched-churn"
GROUP = "watched-churn"
LIVE = "/watched/live/churn"
RUN = "churn/runs/a1"


def synthesize(folder: Path) -> Path:
    app = sagelens_app.new_app(outdir=str(folder))
    stack = cdk.Stack(app, STACK)
    gone = cdk.RemovalPolicy.DESTROY
    key = EncryptionKey(stack, "Key", removal_policy=gone)
    models = SecureBucket(stack, "Models", encryption_key=key, removal_policy=gone)
    topic = AlarmTopic(stack, "Alarms", encryption_key=key)
    bus = PlatformBus(stack, "Bus", encryption_key=key, description="news")
    source = SourceArchive(stack, "Source", folder=PROJECT / "ml_src")
    captured = S3Folder(bucket=models, prefix="captured/")
    outputs = {
        "Bucket": models.bucket_name,
        "BusName": bus.event_bus_name,
        "EndpointRoleArn": EndpointRole(
            stack,
            "EndpointRole",
            endpoint_name=ENDPOINT,
            artifacts=[S3Folder(bucket=models, prefix="churn/runs/")],
            images=[IMAGE],
            encryption_key=key,
            capture=DataCapture(folder=captured),
        ).role_arn,
    }
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    outputs["PersonArn"] = person.role_arn
    for name in ("Drifting", "Calm"):
        watch = DriftWatch(
            stack,
            name,
            name=f"watch-{name.lower()}",
            model="churn",
            endpoint_name=ENDPOINT,
            live_version=LIVE,
            model_group_name=GROUP,
            captured=captured,
            baselines=S3Folder(bucket=models, prefix="churn/runs/"),
            labels=S3Folder(bucket=models, prefix="churn/labels/"),
            reports=S3Folder(bucket=models, prefix="churn/drift/"),
            source=source,
            image=IMAGE,
            adapter="ml_src.churn.capture",
            groups=["gender"],
            encryption_key=key,
            alarm_topic=topic,
            bus=bus,
            period=WatchPeriod(delay_minutes=5, settle_minutes=0),
            removal_policy=gone,
        )
        watch.grant_start(person)
        failed = watch.machine.alarms["ExecutionsFailed"]
        outputs |= {
            f"{name}Machine": watch.machine.state_machine.ref,
            f"{name}MachineRole": watch.machine_role.role_name,
            f"{name}JobRole": watch.job_role.role_name,
            f"{name}Alarm": watch.drift_alarm.alarm_name,
            f"{name}FailedAlarm": failed.alarm_name,
        }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    app.synth()
    return folder


@dataclass(frozen=True)
class Lab:
    """The deployed stack, an endpoint that captures, and an ear on the bus."""

    aws: Rehearsal
    out: dict[str, str]
    news: Tap
    package: str

    @property
    def s3(self) -> Any:
        return self.aws.client("s3")

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.out["Bucket"], Key=key, Body=body)

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.out["Bucket"], Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def live(self, value: str) -> None:
        """Release a version, and let a second pass: capture records tell no less."""
        ssm = self.aws.client("ssm")
        if self.now_live == value:
            return
        ssm.put_parameter(Name=LIVE, Value=value, Type="String", Overwrite=True)
        time.sleep(1.1)

    @property
    def now_live(self) -> str | None:
        found = self.aws.client("ssm").get_parameters(Names=[LIVE])["Parameters"]
        return found[0]["Value"] if found else None

    def ask(self, customers: list[dict[str, str]], rows: int = 20) -> list[str]:
        """Send customers to the endpoint and wait until all are captured; return the ids."""
        runtime, ids = self.aws.client("sagemaker-runtime"), list[str]()
        for start in range(0, len(customers), rows):
            ids.append(f"request-{start}")
            runtime.invoke_endpoint(
                EndpointName=ENDPOINT,
                Body=body(customers[start : start + rows]),
                ContentType="text/csv",
                Accept="text/csv",
                InferenceId=ids[-1],
            )
        wait_for(lambda: self.captured() == len(ids), what="the captured requests")
        return ids

    def captured(self) -> int:
        """How many requests were captured."""
        texts = (
            self.s3.get_object(Bucket=self.out["Bucket"], Key=key)["Body"].read()
            for key in self.keys(f"captured/{ENDPOINT}/")
        )
        return sum(len(text.splitlines()) for text in texts)

    def look(self, watch: str = "Drifting", at: datetime | None = None) -> dict[str, Any]:
        """Start a look as the person who may, at a time when all was captured; wait for its end."""
        client = self.aws.session(self.out["PersonArn"]).client("stepfunctions")
        moment = at or datetime.now(UTC) + timedelta(hours=2)
        arn = client.start_execution(
            stateMachineArn=self.out[f"{watch}Machine"],
            input=json.dumps({"at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}),
        )["executionArn"]

        def ended() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        found = wait_for(ended, seconds=120, what="the end of the look")
        found["last"] = self.path(arn)[-1]
        return found

    def path(self, arn: str) -> list[str]:
        """The states that an execution went through."""
        pages = self.aws.client("stepfunctions").get_paginator("get_execution_history")
        events = [event for page in pages.paginate(executionArn=arn) for event in page["events"]]
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in events
            if "stateEnteredEventDetails" in event
        ]

    def alarm(self, name: str) -> str:
        found = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[self.out[name]])
        return found["MetricAlarms"][0]["StateValue"]

    def metric(
        self, name: str, watch: str, statistic: str = "Maximum", **dimensions: str
    ) -> list[float]:
        """What was published of a metric in the last hour, a value for each minute."""
        named = {"Endpoint": ENDPOINT, "Watch": f"watch-{watch.lower()}", **dimensions}
        found = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="Sagelens/Drift",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
            StartTime=datetime.now(UTC) - timedelta(hours=1),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=60,
            Statistics=[statistic],
        )
        return [point[statistic] for point in found["Datapoints"]]

    def jobs(self) -> list[dict[str, Any]]:
        """All processing jobs, the newest first."""
        return self.aws.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]


def customers(seed: int, number: int = 400) -> list[dict[str, str]]:
    """Generated customers, other ones by another seed."""
    (batch,) = generate.blocks(number, seed=seed)
    return [{name: value or "" for name, value in row.items()} for row in batch.to_pylist()]


def body(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([row[name] for name in INPUTS] for row in rows)
    return out.getvalue().encode()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, its baseline and its evaluation."""
    folder = tmp_path_factory.mktemp("churn")
    trained(folder, 20)
    evaluated(folder)
    return folder


@pytest.fixture(scope="module")
def lab(
    run_folders_of_our_own: None, work: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    with Rehearsal.start(samples=()) as aws:
        out = deploy(aws, synthesize(tmp_path_factory.mktemp("watching")))[STACK]
        events, news = aws.client("events"), Tap.make(aws, "drift-news")
        pattern = json.dumps({"source": ["sagelens.drift"], "detail": {"model": ["churn"]}})
        events.put_rule(Name="news", EventBusName=out["BusName"], EventPattern=pattern)
        target = {"Id": "queue", "Arn": news.arn}
        events.put_targets(Rule="news", EventBusName=out["BusName"], Targets=[target])
        yield host(Lab(aws, out, news, ""), work)


def host(lab: Lab, work: Path) -> Lab:
    """Upload model and baseline, register them, and let an endpoint serve and capture."""
    bucket, sagemaker = lab.out["Bucket"], lab.aws.client("sagemaker")
    lab.put(f"{RUN}/model.tar.gz", packed(work / "model"))
    for folder, place in (("prepared/baseline", "prepare/baseline"), *EVALUATED):
        for path in (work / folder).iterdir():
            lab.put(f"{RUN}/{place}/{path.name}", path.read_bytes())
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{RUN}/model.tar.gz"}
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

    def source(path: str) -> dict[str, str]:
        return {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/{RUN}/{path}"}

    package = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={
            "Containers": [{**container, "Environment": SERVING}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelMetrics={
            "ModelQuality": {"Statistics": source("evaluate/evaluation/evaluation.json")},
            "ModelDataQuality": {
                "Statistics": source("prepare/baseline/statistics.json"),
                "Constraints": source("prepare/baseline/constraints.json"),
            },
        },
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]
    sagemaker.create_model(
        ModelName="watched",
        ExecutionRoleArn=lab.out["EndpointRoleArn"],
        PrimaryContainer={**container, "Environment": SERVING},
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="watched",
        ProductionVariants=[
            {
                "VariantName": "main",
                "ModelName": "watched",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="watched")

    def up() -> bool:
        found = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        return found["EndpointStatus"] == "InService"

    wait_for(up, what="the endpoint")
    return Lab(lab.aws, lab.out, lab.news, package)


EVALUATED = (("evaluated/evaluation", "evaluate/evaluation"),)


@pytest.fixture(autouse=True)
def tidy(lab: Lab) -> Iterator[None]:
    """Each test begins with a live version, nothing captured and no labels."""
    for prefix in ("captured/", "churn/labels/"):
        for key in lab.keys(prefix):
            lab.s3.delete_object(Bucket=lab.out["Bucket"], Key=key)
    lab.live(lab.package)
    lab.news.news()
    lab.aws.scale_waits(0.01)
    yield
    lab.aws.scale_waits(1)


def young(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Customers as they are after a campaign: all new, all month to month."""
    return [{**row, "tenure": "1", "Contract": "Month-to-month"} for row in rows]


def test_requests_like_those_of_training_are_steady(lab: Lab) -> None:
    lab.ask(customers(seed=7))
    ended = lab.look("Calm")
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert ended["last"] == "NoDrift"
    assert set(lab.metric("DriftDetected", "Calm")) == {0.0}
    assert 400.0 in lab.metric("CapturedRows", "Calm")
    assert lab.metric("PredictionPSI", "Calm")
    assert lab.alarm("CalmAlarm") != "ALARM"
    assert lab.news.news() == []


def test_a_drifted_stream_rings_and_asks_for_retraining(lab: Lab) -> None:
    lab.ask(young(customers(seed=8)))
    ended = lab.look()
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert ended["last"] == "Drifted"
    wait_for(lambda: lab.alarm("DriftingAlarm") == "ALARM", what="the alarm")
    assert max(lab.metric("FeaturePSI", "Drifting", Feature="tenure")) > 1

    def heard() -> list[dict[str, Any]]:
        return lab.news.news()

    (event,) = wait_for(heard, what="the event")
    assert event["detail-type"] == "Retraining Requested"
    detail = event["detail"]
    assert detail["version"] == lab.package
    assert (detail["model"], detail["endpoint"]) == ("churn", ENDPOINT)
    assert detail["schema"] == "1"
    place = detail["report"].removeprefix(f"s3://{lab.out['Bucket']}/")
    names = {key.removeprefix(f"{place}/") for key in lab.keys(place)}
    assert names == {"drift.json", "metrics.json", "report.html"}
    report = json.loads(
        lab.s3.get_object(Bucket=lab.out["Bucket"], Key=f"{place}/drift.json")["Body"].read()
    )
    assert report["status"] == "drifted"
    assert report["requests"]["rows"] == 400
    assert report["requests"]["problems"] == {}


def test_late_labels_tell_the_quality(lab: Lab) -> None:
    rows = customers(seed=9, number=300)
    ids = lab.ask(rows, rows=10)
    lines = [
        f"{ids[number // 10]},{number % 10 + 1},{row['Churn']}" for number, row in enumerate(rows)
    ]
    lab.put("churn/labels/late.csv", "\n".join(["inference_id,row,label", *lines]).encode())
    ended = lab.look("Calm")
    assert ended["last"] == "NoDrift", ended.get("cause")
    assert max(lab.metric("LabelledRows", "Calm")) == 300
    assert max(lab.metric("AUC", "Calm")) > 0.7


def test_nothing_captured_is_quiet(lab: Lab) -> None:
    before = len(lab.jobs())
    ended = lab.look()
    assert (ended["status"], ended["last"]) == ("SUCCEEDED", "NothingCaptured")
    assert len(lab.jobs()) == before
    assert 0.0 in lab.metric("CapturedRows", "Drifting", "Minimum")


def test_what_lies_outside_the_period_is_not_looked_at(lab: Lab) -> None:
    lab.ask(young(customers(seed=8)))
    tomorrow = datetime.now(UTC) + timedelta(hours=60)
    assert lab.look(at=tomorrow)["last"] == "NothingCaptured"
    assert lab.news.news() == []


def test_its_schedule_starts_it_and_says_for_when(lab: Lab) -> None:
    client, machine = lab.aws.client("stepfunctions"), lab.out["DriftingMachine"]

    def executions() -> list[dict[str, Any]]:
        return client.list_executions(stateMachineArn=machine)["executions"]

    before = {each["executionArn"] for each in executions()}
    lab.aws.fire_schedules(within=86_400)

    def ended() -> dict[str, Any] | None:
        new = (each for each in executions() if each["executionArn"] not in before)
        return next((each for each in new if each["status"] != "RUNNING"), None)

    found = wait_for(ended, what="an execution by the schedule")
    assert found is not None
    started = client.describe_execution(executionArn=found["executionArn"])
    assert started["status"] == "SUCCEEDED", started.get("cause")
    asked = datetime.fromisoformat(json.loads(started["input"])["at"])
    assert datetime.now(UTC) < asked < datetime.now(UTC) + timedelta(days=1, minutes=1)


def test_no_live_version_is_quiet(lab: Lab) -> None:
    lab.live("none")
    ended = lab.look()
    assert (ended["status"], ended["last"]) == ("SUCCEEDED", "NothingLive")


def test_what_came_before_the_release_is_not_looked_at(lab: Lab) -> None:
    lab.ask(young(customers(seed=8)))
    lab.live("none")
    lab.live(lab.package)
    ended = lab.look()
    # Its folder is read, and nothing of it counts.
    assert ended["last"] == "NoDrift", ended.get("cause")
    assert lab.news.news() == []


def test_a_fresh_release_is_quiet_for_a_while(lab: Lab) -> None:
    ended = lab.look(at=datetime.now(UTC) - timedelta(hours=2))
    assert (ended["status"], ended["last"]) == ("SUCCEEDED", "JustReleased")


def test_a_job_that_fails_alarms_and_says_why(lab: Lab) -> None:
    key = f"captured/{ENDPOINT}/main/{datetime.now(UTC):%Y/%m/%d/%H}/odd.jsonl"
    lab.put(key, b'{"this": "is no capture record"}\n')
    ended = lab.look()
    assert ended["status"] == "FAILED"
    assert ended["error"] == "ProcessingJobFailed"
    assert "not a capture record" in ended["cause"]
    wait_for(lambda: lab.alarm("DriftingFailedAlarm") == "ALARM", what="the alarm")
    assert lab.news.news() == []


def test_a_version_without_a_baseline_is_a_failure_in_words(lab: Lab) -> None:
    sagemaker = lab.aws.client("sagemaker")
    known = sagemaker.describe_model_package(ModelPackageName=lab.package)
    bare = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP, InferenceSpecification=known["InferenceSpecification"]
    )["ModelPackageArn"]
    lab.live(bare)
    ended = lab.look()
    assert (ended["status"], ended["error"]) == ("FAILED", "NoBaseline")
    assert bare in ended["cause"]


@pytest.mark.parametrize(
    ("role", "sid", "words"),
    [
        ("DriftingMachineRole", "ReadLiveVersion", "ssm:GetParameter"),
        ("DriftingMachineRole", "LookAtPackages", "sagemaker:DescribeModelPackage"),
        ("DriftingMachineRole", "FindCaptured", "s3:ListBucket"),
        ("DriftingMachineRole", "RunJobs", "sagemaker:CreateProcessingJob"),
        ("DriftingMachineRole", "PassJobRole", "iam:PassRole"),
        ("DriftingMachineRole", "ReadMetrics", "s3:GetObject"),
        ("DriftingMachineRole", "Publish", "cloudwatch:PutMetricData"),
        ("DriftingMachineRole", "AskForRetraining", "events:PutEvents"),
        ("DriftingJobRole", "ReadCaptured", "s3:GetObject"),
        ("DriftingJobRole", "ReadBaselines", "s3:GetObject"),
        ("DriftingJobRole", "ReadCode", "s3:GetObject"),
        ("DriftingJobRole", "WriteReports", "s3:PutObject"),
    ],
)
def test_each_statement_is_needed(lab: Lab, role: str, sid: str, words: str) -> None:
    lab.ask(young(customers(seed=8, number=100)), rows=100)
    with without(lab.aws, lab.out[role], sid):
        ended = lab.look()
    assert ended["status"] == "FAILED"
    assert words in ended["cause"]
