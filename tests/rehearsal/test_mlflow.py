"""Runs in MLflow: the deployed function, its role, and a real MLflow server behind the app."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import app as sagelens_app
from experiment_tracking.mlflow_api import Api, App, MlflowError
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from sagelens import AlarmTopic, EncryptionKey, SecureBucket
from sagelens.experiment_tracking import ExperimentTracking
from sagelens.s3_folder import S3Folder
from tests.rehearsal.policies import without

STACK = "tracking-quick"
GROUP = "churn-models"
PIPELINE = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn"
EVALUATION = {
    "version": 1,
    "rows": 704,
    "binary_classification_metrics": {
        "auc": {"value": 0.84, "standard_deviation": "NaN"},
        "receiver_operating_characteristic_curve": {"true_positive_rates": [0.0, 1.0]},
    },
    "calibration": {"brier": 0.14, "reliability": [{"mean": 0.1}]},
}
TRAINING = {
    "version": 1,
    "parameters": {"max_depth": 5, "eta": 0.2, "objective": "binary:logistic"},
    "rounds": 3,
    "best_round": 2,
    "course": [
        {"train:logloss": 0.6 - step / 10, "validation:auc": 0.7 + step / 10} for step in range(3)
    ],
    "violations": [],
}


def synthesize(folder: Path) -> Path:
    """A stranger's stack with tracking in it, and two people."""
    app = sagelens_app.new_app(outdir=str(folder))
    stack = cdk.Stack(app, STACK)
    key = EncryptionKey(stack, "Key", removal_policy=cdk.RemovalPolicy.DESTROY)
    models = SecureBucket(
        stack, "Models", encryption_key=key, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    tracking = ExperimentTracking(
        stack,
        "Tracking",
        name="quick",
        artifacts=S3Folder(bucket=models, prefix="mlflow/"),
        results=[S3Folder(bucket=models, prefix="churn/runs/")],
        encryption_key=key,
        environment_name="quick",
        alarm_topic=AlarmTopic(stack, "Alarms", encryption_key=key),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    for name, grant in (("Reader", tracking.grant_read), ("Writer", tracking.grant_write)):
        person = iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal())
        grant(person)
        cdk.CfnOutput(stack, f"{name}Arn", value=person.role_arn)
    outputs = {
        "Bucket": models.bucket_name,
        "AppArn": tracking.app_arn,
        "FunctionArn": tracking.function_arn,
        "FunctionRole": tracking.worker.role.role_name,
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

    def results(self, execution: str, training: bytes | None = None) -> dict[str, str]:
        """Lay down what a run leaves in S3; return the Lambda step's arguments for it."""
        s3, bucket = self.aws.client("s3"), self.outputs["Bucket"]
        base = f"churn/runs/{execution}"
        files = {
            "evaluate/evaluation/evaluation.json": json.dumps(EVALUATION).encode(),
            "evaluate/plots/roc.png": b"a picture",
            "evaluate/plots/shap.png": b"another",
            "model/job/output/model.tar.gz": b"a model",
            "model/job/output/output.tar.gz": packed(training or json.dumps(TRAINING).encode()),
        }
        for name, content in files.items():
            s3.put_object(Bucket=bucket, Key=f"{base}/{name}", Body=content)
        return {
            "experiment": "churn",
            "execution_arn": f"{PIPELINE}/execution/{execution}",
            "training_job": f"pipelines-{execution}-Train-x",
            "model_group": GROUP,
            "model_url": f"s3://{bucket}/{base}/model/job/output/model.tar.gz",
            "evaluation_url": f"s3://{bucket}/{base}/evaluate/evaluation/evaluation.json",
            "plots_url": f"s3://{bucket}/{base}/evaluate/plots",
            "parameters.max_depth": "5",
            "parameters.DataUrl": f"s3://{bucket}/data",
            "metrics.validation:auc.final": "0.9",
        }

    def invoke(self, event: dict[str, Any]) -> dict[str, str]:
        """Invoke the function as a pipeline does."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs["FunctionArn"], Payload=json.dumps(event).encode()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())

    def logged(self, words: str) -> list[dict[str, Any]]:
        """The function's log lines with these words."""
        name = self.outputs["FunctionArn"].rpartition(":")[2]
        function = self.aws.client("lambda").get_function_configuration(FunctionName=name)
        found = self.aws.client("logs").filter_log_events(
            logGroupName=function["LoggingConfig"]["LogGroup"]
        )
        lines = [event["message"] for event in found["events"] if words in event["message"]]
        return [json.loads(line) for line in lines]

    def api(self, role_arn: str | None = None) -> Api:
        """MLflow's REST API as root or as a role, with the function's own client."""
        keys = self.aws.session(role_arn).get_credentials().get_frozen_credentials()
        credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
        return Api(
            App.of(self.outputs["AppArn"]),
            credentials,
            self.aws.endpoint,
            sleep=lambda seconds: None,
        )

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as MLflow gives it."""
        return self.api().get("runs/get", run_id=run_id)["run"]

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """Steps and values of a metric."""
        answer = self.api().get("metrics/get-history", run_id=run_id, metric_key=metric)
        return [(int(each["step"]), each["value"]) for each in answer["metrics"]]

    def runs(self, execution_arn: str) -> list[str]:
        """The ids of the runs of an execution."""
        experiment = self.api().get("experiments/get-by-name", experiment_name="churn")
        body = {
            "experiment_ids": [experiment["experiment"]["experiment_id"]],
            "filter": f"tags.`sagelens.execution` = '{execution_arn}'",
        }
        found = self.api().post("runs/search", body)
        return [each["info"]["run_id"] for each in found.get("runs", [])]


def packed(training: bytes) -> bytes:
    """The output.tar.gz of a training job."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in (("predictions.csv", b"1,2\n" * 1000), ("training.json", training)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture(scope="module")
def lab(aws: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(aws, deploy(aws, synthesize(tmp_path_factory.mktemp("tracking")))[STACK])


@pytest.fixture(autouse=True)
def healthy(lab: Lab) -> Iterator[None]:
    yield
    lab.aws.sagemaker.clear()


def test_the_app_is_a_real_mlflow(lab: Lab, eventually: Callable[..., Any]) -> None:
    def created() -> dict[str, Any] | None:
        found = lab.aws.client("sagemaker").describe_mlflow_app(Arn=lab.outputs["AppArn"])
        return found if found["Status"] == "Created" else None

    found = eventually(created, what="the app")
    assert found["Name"] == "quick"
    assert found["MlflowVersion"][0] == "3"
    assert found["ArtifactStoreUri"] == f"s3://{lab.outputs['Bucket']}/mlflow"
    assert found["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"


def test_a_run_is_tracked_with_everything_it_left(lab: Lab) -> None:
    event = lab.results("one")
    answer = lab.invoke(event)
    assert answer["app_arn"] == lab.outputs["AppArn"]
    assert answer["run_url"].endswith(
        f"/#/experiments/{answer['experiment_id']}/runs/{answer['run_id']}"
    )
    run = lab.run(answer["run_id"])
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["run_name"] == "one"
    tags = {each["key"]: each["value"] for each in run["data"]["tags"]}
    assert tags["sagelens.execution"] == event["execution_arn"]
    assert tags["sagelens.training_job"] == event["training_job"]
    assert tags["sagelens.model_group"] == GROUP
    assert "sagelens.missing" not in tags
    parameters = {each["key"]: each["value"] for each in run["data"]["params"]}
    assert parameters == {
        "DataUrl": event["parameters.DataUrl"],
        "max_depth": "5",
        "eta": "0.2",
        "objective": "binary:logistic",
    }
    metrics = {each["key"]: each["value"] for each in run["data"]["metrics"]}
    assert metrics["evaluation/binary_classification_metrics.auc"] == 0.84
    assert metrics["evaluation/calibration.brier"] == 0.14
    assert metrics["training/best_round"] == 2
    assert metrics["validation/auc.final"] == 0.9
    assert lab.history(answer["run_id"], "validation/auc") == [
        (step, pytest.approx(0.7 + step / 10)) for step in range(3)
    ]


def test_violated_rules_are_told_in_mlflow_and_by_a_metric(lab: Lab) -> None:
    given = [
        {"rule": "overfit", "step": 1, "reason": "the validation loss rose"},
        {"rule": "loss_not_decreasing", "step": 2, "reason": "the training loss stood still"},
    ]
    event = lab.results("overfitted", json.dumps({**TRAINING, "violations": given}).encode())
    answer = lab.invoke({**event, "model": "leavers"})
    run = lab.run(answer["run_id"])
    tags = {each["key"]: each["value"] for each in run["data"]["tags"]}
    assert tags["sagelens.violations"] == (
        "overfit at step 1: the validation loss rose; "
        "loss_not_decreasing at step 2: the training loss stood still"
    )
    metrics = {each["key"]: each["value"] for each in run["data"]["metrics"]}
    assert metrics["training/violations"] == 2
    assert lab.history(answer["run_id"], "rule_violated/overfit") == [(1, 1)]
    (line,) = lab.logged("training rules are violated")
    assert (line["RuleViolations"], line["Model"]) == (2, "leavers")
    assert line["execution"] == event["execution_arn"]
    found = lab.aws.client("cloudwatch").list_metrics(
        Namespace="Sagelens", MetricName="RuleViolations"
    )["Metrics"]
    dimensions = [{each["Name"]: each["Value"] for each in one["Dimensions"]} for one in found]
    assert {"Environment": "quick", "Model": "leavers"} in dimensions


def test_violated_rules_are_told_although_mlflow_fails(lab: Lab) -> None:
    given = [{"rule": "overfit", "step": 1, "reason": "it rose"}]
    event = lab.results("dark", json.dumps({**TRAINING, "violations": given}).encode())
    lab.aws.sagemaker.fail_mlflow("UpdateRun", 500, times=5)
    assert set(lab.invoke({**event, "model": "dark"}).values()) == {"not tracked"}
    lines = [each for each in lab.logged("training rules are violated") if each["Model"] == "dark"]
    assert [line["violations"] for line in lines] == [["overfit at step 1: it rose"]]


def test_plots_and_documents_are_artifacts(lab: Lab) -> None:
    answer = lab.invoke(lab.results("artifacts"))
    # Listed by the app, with its own role; read by whoever may read.
    listed = lab.api().get("artifacts/list", run_id=answer["run_id"])
    assert sorted(each["path"] for each in listed["files"]) == [
        "evaluation.json",
        "plots",
        "training.json",
    ]
    plots = lab.api().get("artifacts/list", run_id=answer["run_id"], path="plots")
    assert [each["path"] for each in plots["files"]] == ["plots/roc.png", "plots/shap.png"]
    place = listed["root_uri"].removeprefix("s3://").partition("/")
    s3 = lab.aws.session(lab.outputs["ReaderArn"]).client("s3")
    read = s3.get_object(Bucket=place[0], Key=f"{place[2]}/plots/roc.png")["Body"].read()
    assert read == b"a picture"


def test_a_retried_step_makes_no_second_run(lab: Lab) -> None:
    event = lab.results("twice")
    first = lab.invoke(event)
    before = lab.run(first["run_id"])
    assert lab.invoke(event) == first
    assert lab.runs(event["execution_arn"]) == [first["run_id"]]
    assert lab.run(first["run_id"]) == before


def test_two_executions_are_two_runs_of_one_experiment(lab: Lab) -> None:
    first, second = lab.invoke(lab.results("a")), lab.invoke(lab.results("b"))
    assert first["experiment_id"] == second["experiment_id"]
    assert first["run_id"] != second["run_id"]


def test_throttling_and_faults_are_tried_again(lab: Lab) -> None:
    lab.aws.sagemaker.fail_mlflow("SearchRuns", 429, times=1)
    lab.aws.sagemaker.fail_mlflow("CreateRun", 503, times=1)
    lab.aws.sagemaker.fail_mlflow("LogBatch", 500, times=1)
    event = lab.results("unlucky")
    answer = lab.invoke(event)
    assert lab.runs(event["execution_arn"]) == [answer["run_id"]]
    assert lab.run(answer["run_id"])["info"]["status"] == "FINISHED"


def test_a_failure_loses_no_model_and_is_made_up_for(
    lab: Lab, eventually: Callable[..., Any]
) -> None:
    # Everything is logged already when finishing the run fails for good.
    lab.aws.sagemaker.fail_mlflow("UpdateRun", 500, times=5)
    event = lab.results("broken")
    answer = lab.invoke(event)
    assert set(answer.values()) == {"not tracked"}
    # They go into a model package's customer metadata as they are: none is empty, none too long.
    (line,) = [each for each in lab.logged("could not be tracked") if each["event"] == event]
    assert "runs/update" in line["error"]
    assert line["RunsNotTracked"] == 1

    def ringing() -> bool:
        found = lab.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return any(
            a["MetricName"] == "RunsNotTracked" and a["StateValue"] == "ALARM" for a in found
        )

    assert eventually(ringing, what="the alarm")
    (half,) = lab.runs(event["execution_arn"])
    assert lab.run(half)["info"]["status"] == "RUNNING"
    made_up = lab.invoke(line["event"])
    assert made_up["run_id"] == half
    assert lab.run(half)["info"]["status"] == "FINISHED"
    assert [step for step, _ in lab.history(half, "validation/auc")] == [0, 1, 2]


def test_a_run_without_a_file_says_so(lab: Lab) -> None:
    event = lab.results("poor")
    key = event["evaluation_url"].removeprefix(f"s3://{lab.outputs['Bucket']}/")
    lab.aws.client("s3").delete_object(Bucket=lab.outputs["Bucket"], Key=key)
    answer = lab.invoke(event)
    tags = {each["key"]: each["value"] for each in lab.run(answer["run_id"])["data"]["tags"]}
    assert "evaluation.json is not there" in tags["sagelens.missing"]


def test_a_built_in_algorithm_leaves_only_a_model(lab: Lab) -> None:
    event = lab.results("built-in")
    lab.aws.client("s3").delete_object(
        Bucket=lab.outputs["Bucket"], Key="churn/runs/built-in/model/job/output/output.tar.gz"
    )
    answer = lab.invoke({**event, "evaluation_url": "", "plots_url": ""})
    run = lab.run(answer["run_id"])
    assert [each["key"] for each in run["data"]["metrics"]] == ["validation/auc.final"]
    assert "sagelens.missing" not in {each["key"] for each in run["data"]["tags"]}


@pytest.mark.parametrize(
    ("sid", "words"),
    [
        ("UseMlflowApp", "sagemaker:CallMlflowAppApi"),
        ("WriteRuns", "sagemaker-mlflow:GetExperimentByName"),
        ("ReadResults", "GetObject"),
        ("WriteArtifacts", "PutObject"),
        ("UseKey", "kms"),
    ],
)
def test_each_statement_is_needed(lab: Lab, sid: str, words: str) -> None:
    event = lab.results(f"without-{sid}")
    with without(lab.aws, lab.outputs["FunctionRole"], sid):
        answer = lab.invoke(event)
    assert set(answer.values()) == {"not tracked"}
    (line,) = [each for each in lab.logged("could not be tracked") if each["event"] == event]
    assert words in line["error"]


def test_a_reader_looks_and_a_writer_writes(lab: Lab) -> None:
    reader, writer = (lab.api(lab.outputs[f"{name}Arn"]) for name in ("Reader", "Writer"))
    experiment = writer.post("experiments/create", {"name": "by hand"})["experiment_id"]
    found = reader.get("experiments/get", experiment_id=experiment)
    assert found["experiment"]["name"] == "by hand"
    with pytest.raises(MlflowError, match="sagemaker-mlflow:CreateRun") as refused:
        reader.post("runs/create", {"experiment_id": experiment})
    assert refused.value.status == 403
    with pytest.raises(MlflowError, match="sagemaker-mlflow:DeleteExperiment"):
        writer.post("experiments/delete", {"experiment_id": experiment})


def test_what_the_stand_in_lacks_is_refused_in_words(lab: Lab) -> None:
    with pytest.raises(MlflowError, match=r"no stand-in for POST .*registered-models/create"):
        lab.api().post("registered-models/create", {"name": "x"})
    sagemaker = lab.aws.client("sagemaker")
    with pytest.raises(ClientError, match="no stand-in for sagemaker:CreatePresignedMlflowAppUrl"):
        sagemaker.create_presigned_mlflow_app_url(Arn=lab.outputs["AppArn"])


def test_an_app_that_is_gone_answers_so(lab: Lab, role_with: Callable[..., str]) -> None:
    sagemaker = lab.aws.client("sagemaker")
    role = trusted(lab.aws, "mlflow-gone")
    arn = sagemaker.create_mlflow_app(
        Name="gone", ArtifactStoreUri=f"s3://{lab.outputs['Bucket']}/gone", RoleArn=role
    )["Arn"]
    api = Lab(lab.aws, {**lab.outputs, "AppArn": arn}).api()
    assert api.post("experiments/create", {"name": "x"})["experiment_id"]
    sagemaker.delete_mlflow_app(Arn=arn)
    with pytest.raises(MlflowError, match="there is no MLflow app"):
        api.get("experiments/get-by-name", experiment_name="x")
    with pytest.raises(ClientError, match="Could not find"):
        sagemaker.describe_mlflow_app(Arn=arn)


def test_a_role_that_sagemaker_may_not_assume_is_refused(
    lab: Lab, role_with: Callable[..., str]
) -> None:
    role = role_with(lab.aws, "mlflow-distrusted", [])
    with pytest.raises(ClientError, match="Could not assume role"):
        lab.aws.client("sagemaker").create_mlflow_app(
            Name="x", ArtifactStoreUri="s3://x/y", RoleArn=role
        )


def trusted(aws: Rehearsal, name: str) -> str:
    """A role that SageMaker may assume, with no rights."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"][
        "Arn"
    ]


def is_running(pid: int) -> bool:
    """Whether there is such a process, a dead one that nobody has waited for left out."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_no_process_outlives_the_server(eventually: Callable[..., Any]) -> None:
    with Rehearsal.start(samples=()) as aws:
        aws.client("sagemaker").create_mlflow_app(
            Name="x", ArtifactStoreUri="s3://x/y", RoleArn=trusted(aws, "r")
        )
        (note,) = aws.folder.glob("sagemaker/mlflow/app-*/pid")
        pid = int(note.read_text())
        assert is_running(pid)
        os.kill(aws.pid, signal.SIGKILL)
        assert eventually(lambda: not is_running(pid), what="its end")
