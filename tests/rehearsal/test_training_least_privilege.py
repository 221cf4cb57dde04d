"""Each statement of training's roles is needed: without it a run stops, with it it goes on.

One execution walks through all statements of the jobs' and the pipeline's roles: it is started
without one, fails for that reason, and is retried without the next. What the embedded AWS does not
enforce is listed with the judge that covers it.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any
from uuid import uuid4

import pytest
from pipeline_start import settings as start_settings
from pipeline_start.requests import Request
from pipeline_start.schedules import Schedules

from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.mlflow import read_run
from rehearsal.scenarios.support.pipelines import Execution
from shared.clock import Clock
from tests.rehearsal.listening import wait_for
from tests.rehearsal.policies import Policy
from tests.rehearsal.school import School, id_of

VOLUMES = "edges: no volume is really encrypted here; the judge asks for kms:CreateGrant"
LOGS = "edges: the role writes to the function's log group"

# By role and statement: the step that then fails, and words of its reason.
WALK: dict[str, dict[str, tuple[str, str]]] = {
    "jobs": {
        "SignInToRegistries": ("Prepare", "lacks ecr:GetAuthorizationToken on *"),
        "PullImages": ("Prepare", "lacks ecr:BatchGetImage on "),
        "FindCode": ("Prepare", "not authorized to perform: s3:ListBucket"),
        "ReadCode": ("Prepare", "not authorized to perform: s3:GetObject"),
        "FindData": ("Prepare", "not authorized to perform: s3:ListBucket"),
        "ReadData": ("Prepare", "not authorized to perform: s3:GetObject"),
        "UseKey": ("Prepare", "not authorized to perform: kms:GenerateDataKey"),
        "UseRuns": ("Prepare", "not authorized to perform: s3:PutObject"),
        "FindRuns": ("Train", "not authorized to perform: s3:ListBucket"),
    },
    "pipeline": {
        "Train": ("Train", "Failed to invoke sagemaker:CreateTrainingJob"),
        "PassJobRole": ("Train", "not authorized to perform: iam:PassRole"),
        "Process": ("Evaluate", "Failed to invoke sagemaker:CreateProcessingJob"),
        "CallFunctions": ("Track", "not authorized to perform: lambda:InvokeFunction"),
        "ReadRuns": ("Gate", "not authorized to perform: s3:GetObject"),
        "UseKey": ("Gate", "lacks kms:Decrypt"),
        "RegisterInGroup": ("Register", "Failed to invoke sagemaker:CreateModelPackageGroup"),
        "RegisterVersions": ("Register", "Failed to invoke sagemaker:CreateModelPackage."),
    },
}
# Without them a run goes on, unseen: see the test of their own.
UNSEEN = {"WriteLogs", "Measure"}
# Without them a run is not in MLflow, or not whole: words of what the function says.
TRACKING = {
    "UseMlflowApp": "sagemaker:CallMlflowAppApi",
    "WriteRuns": "sagemaker-mlflow:GetExperimentByName",
    "ReadResults": "GetObject",
    "ListResults": "ListBucket",
    "WriteArtifacts": "PutObject",
    "UseKey": "kms",
}
COVERED_BY_JUDGES: dict[str, dict[str, str]] = {
    "jobs": {"EncryptVolumes": VOLUMES},
    "pipeline": {"EncryptVolumes": VOLUMES},
    "tracking": {"WriteLogs": LOGS},
    "app": {
        "MlflowArtifacts": "iam: the function writes artifacts itself; the app's own pages and "
        "its proxy for artifacts, which the rehearsal lacks, read and write them by this role",
        "MlflowArtifactsKey": "iam: with MlflowArtifacts",
    },
    "starter": {"WriteLogs": LOGS},
}


@dataclasses.dataclass(frozen=True)
class Roles:
    """The roles of the deployed training stack."""

    school: School

    @cached_property
    def _names(self) -> list[str]:
        pages = self.school.aws.client("iam").get_paginator("list_roles").paginate()
        return [role["RoleName"] for page in pages for role in page["Roles"]]

    def policy(self, part: str) -> Policy:
        """The policy of the one role whose name holds this."""
        whole = f"sagelens-school-training-{part}"
        (name,) = [each for each in self._names if each.startswith(whole)]
        return Policy(self.school.aws, name)

    @cached_property
    def all(self) -> dict[str, Policy]:
        """Policies by what their role is for."""
        parts = {
            "jobs": "ChurnPipelineJobRole",
            "pipeline": "ChurnPipelinePipelineRole",
            "tracking": "TrackingWorkerRole",
            "app": "TrackingAppRole",
            "start": "ChurnOnDataStartRole",
            "starter": "ChurnOnDriftWorkerRole",
        }
        return {what: self.policy(part) for what, part in parts.items()}


@pytest.fixture(scope="module")
def roles(school: School) -> Roles:
    return Roles(school)


@pytest.fixture(scope="module")
def walked(school: School, roles: Roles) -> tuple[Execution, dict[tuple[str, str], Execution]]:
    """An execution that has met every obstacle and succeeded in the end, and how each try ended."""
    ended: dict[tuple[str, str], Execution] = {}
    arn = ""
    for role, statements in WALK.items():
        for sid in statements:
            with roles.all[role].without(sid):
                ended[role, sid] = school.retry(arn) if arn else school.run()
                arn = ended[role, sid].arn
    return school.retry(arn), ended


def test_every_statement_is_accounted_for(roles: Roles) -> None:
    shown: dict[str, set[str]] = {
        "jobs": {*WALK["jobs"], *UNSEEN},
        "pipeline": {*WALK["pipeline"]},
        "tracking": {*TRACKING},
        "app": {"ListMlflowArtifacts"},
        "start": {"StartPipeline", "KeepUndelivered", "UseKey"},
        "starter": {"Schedule", "PassStartRole", "WorkQueue", "UseKey"},
    }
    found = {what: policy.statements for what, policy in roles.all.items()}
    assert found == {
        what: {*sids, *COVERED_BY_JUDGES.get(what, {})} for what, sids in shown.items()
    }
    assert roles.policy("ChurnOnDriftStartRole").statements == found["start"]
    assert roles.policy("ChurnOnDataWorkerRole").statements == found["starter"]


@pytest.mark.parametrize(("role", "sid"), [(role, sid) for role in WALK for sid in WALK[role]])
def test_without_it_the_run_fails_for_that_reason(
    walked: tuple[Execution, dict[tuple[str, str], Execution]], role: str, sid: str
) -> None:
    step, words = WALK[role][sid]
    failed = walked[1][role, sid]
    assert failed.status == "Failed"
    assert [each["StepName"] for each in failed.steps if each["StepStatus"] == "Failed"] == [step]
    assert words in failed.reason


def test_with_all_of_them_it_goes_on_to_its_end(
    school: School, walked: tuple[Execution, dict[tuple[str, str], Execution]]
) -> None:
    done = walked[0]
    assert done.status == "Succeeded", done.words()
    assert streams(school, done.job("Train")) and measured(school, done.job("Train"))


def streams(school: School, job: str) -> list[Any]:
    """The log streams of a training job."""
    found = school.aws.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job
    )
    return found["logStreams"]


def measured(school: School, job: str) -> list[Any]:
    """The metrics of a training job."""
    found = school.aws.client("cloudwatch").list_metrics(
        Namespace="/aws/sagemaker/TrainingJobs",
        Dimensions=[{"Name": "TrainingJobName", "Value": job}],
    )
    return found["Metrics"]


def test_without_logs_and_metrics_a_run_goes_on_unseen(school: School, roles: Roles) -> None:
    jobs = roles.all["jobs"]
    with jobs.without(*UNSEEN):
        arn = school.start()
        school.running(arn, "Evaluate")
        run = school.stop(arn)
    job = run.job("Train")
    assert school.trained(run)["TrainingJobStatus"] == "Completed"
    assert not streams(school, job) and not measured(school, job)


# --- tracking ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Tracking:
    """The function that tracks runs, called as the pipeline calls it."""

    school: School
    run: Execution

    @cached_property
    def _function(self) -> dict[str, Any]:
        pages = self.school.aws.client("lambda").get_paginator("list_functions").paginate()
        (found,) = [
            each
            for page in pages
            for each in page["Functions"]
            if each["FunctionName"].startswith("sagelens-school-training-Tracking")
        ]
        return found

    def track(self, name: str) -> dict[str, str]:
        """Track the run once more, as that of another execution."""
        place = f"s3://{self.school.outputs['ModelsBucketName']}/churn/runs/{id_of(self.run)}"
        event = {
            "experiment": "least-privilege",
            "execution_arn": f"{self.run.arn}{name}",
            "training_job": self.run.job("Train"),
            "model_group": self.school.outputs["ChurnModelGroupName"],
            "model_url": self.school.trained(self.run)["ModelArtifacts"]["S3ModelArtifacts"],
            "evaluation_url": f"{place}/evaluate/evaluation/evaluation.json",
            "plots_url": f"{place}/evaluate/plots",
        }
        answer = self.school.aws.client("lambda").invoke(
            FunctionName=self._function["FunctionName"], Payload=json.dumps(event).encode()
        )
        said: dict[str, str] = json.loads(answer["Payload"].read())
        return said

    def said(self, since: float) -> str:
        """What the function has logged since a time in epoch seconds."""
        found = self.school.aws.client("logs").filter_log_events(
            logGroupName=self._function["LoggingConfig"]["LogGroup"], startTime=int(since * 1000)
        )
        return "\n".join(event["message"] for event in found["events"])


@pytest.fixture(scope="module")
def tracking(
    school: School, walked: tuple[Execution, dict[tuple[str, str], Execution]]
) -> Tracking:
    return Tracking(school, walked[0])


@pytest.mark.parametrize("sid", TRACKING)
def test_without_it_a_run_is_not_tracked(tracking: Tracking, roles: Roles, sid: str) -> None:
    started = time.time()
    with roles.all["tracking"].without(sid):
        answer = tracking.track(sid)
    assert set(answer.values()) == {"not tracked"}
    assert TRACKING[sid] in tracking.said(started)


def test_without_listing_the_app_knows_of_no_artifacts(
    school: School, tracking: Tracking, roles: Roles
) -> None:
    run = tracking.track("whole")["run_id"]
    context = Context(school.aws, school.outputs, lambda _: None)
    with roles.all["app"].without("ListMlflowArtifacts"), pytest.raises(OSError):
        read_run(context, run)
    assert any(path.endswith(".png") for path in read_run(context, run).artifacts)


# --- starts --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Starts:
    """The deployed start by new data: its schedules, its queues."""

    school: School

    def settings(self, start: str) -> start_settings.Settings:
        """What the deployed function of a start is told."""
        pages = self.school.aws.client("lambda").get_paginator("list_functions").paginate()
        (function,) = [
            each
            for page in pages
            for each in page["Functions"]
            if each["FunctionName"].startswith(f"sagelens-school-training-Churn{start}")
        ]
        return start_settings.read(function["Environment"]["Variables"])

    def ask(self, **other: str) -> None:
        """Make a schedule as the function does, and let it fire."""
        settings = self.settings("OnData")
        name = f"{settings.schedule}-{uuid4().hex[:8]}"
        told = dataclasses.replace(settings, schedule=name, **other)
        client = self.school.aws.client("scheduler")
        assert Schedules(client, told, Clock()).ask(Request("least privilege"))
        self.school.aws.fire_schedules(within=180)
        prefix = {"NamePrefix": name}
        wait_for(lambda: not client.list_schedules(**prefix)["Schedules"], what="the schedule")

    def queue(self, start: str, dead: bool = False) -> str:
        """The URL of a start's queue."""
        arn = self.school.outputs[f"Churn{start}Start{'DeadLetter' if dead else ''}QueueArn"]
        found = self.school.aws.client("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])
        return str(found["QueueUrl"])

    def undelivered(self) -> list[dict[str, Any]]:
        """What the schedules could not start; the queue is empty afterwards."""
        sqs, url = self.school.aws.client("sqs"), self.queue("Data", dead=True)
        found = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def started(self) -> list[str]:
        """Executions that these schedules started."""
        return self.school.started_by("least privilege")


@pytest.fixture(scope="module")
def starts(school: School) -> Starts:
    return Starts(school)


def test_a_schedule_starts_the_pipeline_and_only_with_its_statement(
    school: School, starts: Starts, roles: Roles
) -> None:
    with roles.all["start"].without("StartPipeline"):
        starts.ask()
    (kept,) = starts.undelivered()
    assert json.loads(kept["Body"])["PipelineName"] == school.pipeline
    why = kept["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert "sagemaker:StartPipelineExecution" in why
    with roles.all["start"].without("UseKey"):
        starts.ask()
    # Neither can the schedule be read nor what it was to start be kept.
    assert starts.started() == [] and starts.undelivered() == []
    starts.ask()
    (arn,) = starts.started()
    school.stop(arn)


def test_what_cannot_be_started_is_kept_only_with_its_statement(
    starts: Starts, roles: Roles
) -> None:
    with roles.all["start"].without("KeepUndelivered"):
        starts.ask(pipeline="no-such-pipeline")
    assert starts.undelivered() == []
    starts.ask(pipeline="no-such-pipeline")
    (kept,) = starts.undelivered()
    assert "no-such-pipeline" in kept["Body"]


@pytest.fixture
def drift(school: School, starts: Starts) -> Iterator[Callable[[], None]]:
    """Sends a request to retrain; no schedule of one is there before or afterwards."""
    scheduler, settings = school.aws.client("scheduler"), starts.settings("OnDrift")

    def clean() -> None:
        school.aws.client("sqs").purge_queue(QueueUrl=starts.queue("Drift"))
        for name in school.schedules("drift"):
            scheduler.delete_schedule(Name=name, GroupName=settings.group)

    def send() -> None:
        entry = {
            "EventBusName": school.outputs["EventBusName"],
            "Source": "sagelens.drift",
            "DetailType": "Retraining Requested",
            "Detail": json.dumps({"model": "churn"}),
        }
        school.aws.client("events").put_events(Entries=[entry])

    clean()
    yield send
    clean()


@pytest.mark.parametrize(
    ("sid", "action"), [("Schedule", "scheduler:GetSchedule"), ("PassStartRole", "iam:PassRole")]
)
def test_without_it_nothing_is_scheduled(
    school: School, roles: Roles, drift: Callable[[], None], sid: str, action: str
) -> None:
    started, logs = int(time.time() * 1000), school.aws.client("logs")
    groups = logs.describe_log_groups()["logGroups"]
    names = [each["logGroupName"] for each in groups if "ChurnOnDrift" in each["logGroupName"]]
    (group,) = names

    def said() -> list[str]:
        found = logs.filter_log_events(logGroupName=group, startTime=started)["events"]
        return [each["message"] for each in found if "message failed" in each["message"]]

    with roles.all["starter"].without(sid):
        drift()
        (line, *_) = wait_for(said, what="a denial")
    assert action in json.loads(line)["reason"]
    assert school.schedules("drift") == []


@pytest.mark.parametrize("sid", ["WorkQueue", "UseKey"])
def test_without_its_queue_or_key_the_function_is_not_even_called(
    school: School, starts: Starts, roles: Roles, drift: Callable[[], None], sid: str
) -> None:
    sqs, url = school.aws.client("sqs"), starts.queue("Drift")
    name = "ApproximateNumberOfMessages"

    def waits() -> bool:
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
        return asked[name] == "1"

    with roles.all["starter"].without(sid):
        drift()
        wait_for(waits, what="the message")
        time.sleep(1.5)
        assert waits() and school.schedules("drift") == []
    wait_for(lambda: school.schedules("drift"), what="the schedule")
