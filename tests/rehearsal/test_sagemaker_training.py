"""Training jobs of the embedded SageMaker: the churn scripts, every way to end, spot."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from tests.rehearsal.job_bench import (
    IMAGE,
    START,
    VARIABLES,
    Bench,
    channel,
    churn_archive,
    fed,
    given,
    unpacked,
)
from tests.rehearsal.listening import Tap, wait_for

ML = {"ML": "/opt/ml"}
ENTRY = ["sh", "-c", START.format(archive="/opt/ml/input/data/code/churn.tar.gz"), "job"]
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
}
SLOW = """
import os, signal, sys, time
ml = os.environ['ML']
def end(*_):
    open(ml + '/model/saved', 'w').write('at the last moment')
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('here', flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def bench(aws: Rehearsal) -> Bench:
    return Bench.make(aws, "training")


@pytest.fixture(scope="module")
def churn(bench: Bench, customers: bytes) -> Bench:
    """The bench with the churn scripts and prepared customers in its bucket."""
    code = bench.put("code/churn.tar.gz", churn_archive())
    bench.put("churn/customers.csv", customers)
    entry = [*ENTRY[:2], START.format(archive="/opt/ml/processing/input/code/churn.tar.gz"), "job"]
    words = ["/opt/ml/code/ml_src/churn/prepare.py", "--input", "/opt/ml/processing/input/data"]
    names = ("train", "validation", "encoder")
    job = bench.processed(
        bench.processing(
            "",
            AppSpecification={
                "ImageUri": IMAGE,
                "ContainerEntrypoint": entry,
                "ContainerArguments": [*words, "--output", "/opt/ml/processing/output"],
            },
            ProcessingInputs=[fed("code", code), fed("data", bench.uri("churn/"))],
            ProcessingOutputConfig={"Outputs": [given(n, bench.uri(f"run/{n}")) for n in names]},
        )
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    return bench


def churn_job(bench: Bench, **more: Any) -> dict[str, Any]:
    """The arguments of a churn training job, started by its entry point, isolated."""
    channels = [channel(n, bench.uri(f"run/{n}")) for n in ("train", "validation", "encoder")]
    channels.append(channel("code", bench.uri("code/churn.tar.gz")))
    arguments = ["/opt/ml/code/ml_src/churn/train.py"]
    return {
        "AlgorithmSpecification": {
            "ContainerEntrypoint": ENTRY,
            "ContainerArguments": arguments,
        },
        "HyperParameters": {"num_round": "60", "subsample": "0.8", "checkpoint_every": "10"},
        "InputDataConfig": channels,
        "EnableNetworkIsolation": True,
        "Environment": VARIABLES,
        **more,
    }


def model_of(bench: Bench, job: dict[str, Any]) -> bytes:
    """The booster of a churn job."""
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(bench.uri(""))
    return unpacked(bench.get(key))["churn-model.json"]


def test_churn_trains_by_its_entry_point(churn: Bench) -> None:
    name = churn.training(None, **churn_job(churn))
    job = churn.trained(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artifact = f"models/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == churn.uri(artifact)
    files = unpacked(churn.get(artifact))
    assert {"churn-model.json", "encoder.json", "code/inference.py"} <= set(files)
    report = json.loads(unpacked(churn.get(f"models/{name}/output/output.tar.gz"))["training.json"])
    assert report["rounds"] == 60
    statuses = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(each["EndTime"] >= each["StartTime"] for each in job["SecondaryStatusTransitions"])
    assert job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert 1 <= job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]
    assert any("best_validation_auc" in line for line in churn.log("Training", name))
    final = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert set(final) == {"train:logloss", "validation:logloss", "validation:auc"}
    assert final["validation:auc"] == pytest.approx(
        report["course"][-1]["validation:auc"], abs=1e-5
    )


def test_script_mode_gives_the_very_same_model(churn: Bench) -> None:
    direct = churn.trained(churn.training(None, **churn_job(churn)))
    script = {
        "sagemaker_program": "churn_train.py",
        "sagemaker_submit_directory": churn.uri("code/churn.tar.gz"),
    }
    more = churn_job(churn)
    more["HyperParameters"] |= script
    more |= {"AlgorithmSpecification": {}, "EnableNetworkIsolation": False, "Environment": {}}
    by_script = churn.trained(churn.training(None, **more))
    assert by_script["TrainingJobStatus"] == "Completed", by_script.get("FailureReason")
    assert model_of(churn, by_script) == model_of(churn, direct)


def test_script_that_fails_in_script_mode(churn: Bench) -> None:
    more = churn_job(churn)
    more["HyperParameters"] = {
        "sagemaker_program": "churn_train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/churn.tar.gz",
        "max_depth": "99",
    }
    more["AlgorithmSpecification"] = {}
    job = churn.trained(churn.training(None, **more))
    # The toolkit writes its own words over the script's.
    assert job["FailureReason"].startswith("AlgorithmError: ExecuteUserScriptError:\nCommand ")
    assert job["FailureReason"].endswith('-m churn_train --max_depth 99", exit code: 1')


def test_reason_of_a_script_started_by_its_entry_point(churn: Bench) -> None:
    more = churn_job(churn, HyperParameters={"max_depth": "99"})
    job = churn.trained(churn.training(None, **more))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "AlgorithmError: hyperparameter max_depth=99: allowed is 1 to 30, exit code: 1"
    )
    assert job["SecondaryStatus"] == "Failed"


def test_interrupted_spot_training_ends_as_the_very_same_model(churn: Bench) -> None:
    """SIGTERM amid training, a new attempt from the checkpoint in S3, byte-identical."""
    checkpoints = {"S3Uri": churn.uri("checkpoints/a"), "LocalPath": "/opt/ml/checkpoints"}
    hyperparameters = {"num_round": "1500", "subsample": "0.8", "checkpoint_every": "150"}
    more = churn_job(churn, HyperParameters=hyperparameters, CheckpointConfig=checkpoints, **SPOT)
    name = churn.training(None, **more)
    wait_for(lambda: churn.keys("checkpoints/a/"), what="the first checkpoint in S3")
    churn.aws.sagemaker.interrupt(name)
    job = churn.trained(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    statuses = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    again = ["Starting", "Downloading", "Training"]
    assert statuses == [*again, "Interrupted", *again, "Uploading", "Completed"]
    assert any(line.startswith("resumed after ") for line in churn.log("Training", name))
    plain = churn.trained(churn.training(None, **churn_job(churn, HyperParameters=hyperparameters)))
    assert model_of(churn, job) == model_of(churn, plain)


def test_only_a_running_spot_job_is_interrupted(bench: Bench) -> None:
    name = bench.training("pass")
    with pytest.raises(RehearsalError, match="is no spot job"):
        bench.aws.sagemaker.interrupt(name)
    spot = bench.training("pass", **SPOT)
    bench.trained(spot)
    with pytest.raises(RehearsalError, match="runs no more: Completed"):
        bench.aws.sagemaker.interrupt(spot)
    bench.trained(name)


def test_wait_of_a_spot_job_ends(bench: Bench) -> None:
    limits = {"MaxRuntimeInSeconds": 2, "MaxWaitTimeInSeconds": 2}
    bench.aws.sagemaker.delay("training", 1.0)
    try:
        code = "import time; print('here', flush=True); time.sleep(60)"
        name = bench.training(code, **{**SPOT, "StoppingCondition": limits})
        job = bench.trained(name)
    finally:
        bench.aws.sagemaker.delay("training", 0)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_time_limit_ends_a_job_and_keeps_its_model(bench: Bench) -> None:
    name = bench.training(SLOW, Environment=ML, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = bench.trained(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert unpacked(bench.get(f"models/{name}/output/model.tar.gz")) == {
        "saved": b"at the last moment"
    }


def test_stopped_job_keeps_its_model(bench: Bench) -> None:
    name = bench.training(SLOW, Environment=ML)
    bench.wait_for_line("Training", name, "here")
    bench.sagemaker.stop_training_job(TrainingJobName=name)
    job = bench.trained(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert bench.keys(f"models/{name}") == [f"models/{name}/output/model.tar.gz"]
    with pytest.raises(ClientError, match="in status Stopped"):
        bench.sagemaker.stop_training_job(TrainingJobName=name)


def test_job_that_does_not_listen_is_killed(bench: Bench) -> None:
    code = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(['sleep', '61'])
print('deaf', flush=True)
time.sleep(60)
"""
    name = bench.training(code)
    bench.wait_for_line("Training", name, "deaf")
    bench.sagemaker.stop_training_job(TrainingJobName=name)
    assert bench.trained(name)["TrainingJobStatus"] == "Stopped"


def test_stopped_before_it_starts(bench: Bench) -> None:
    bench.aws.sagemaker.delay("training", 30)
    try:
        name = bench.training("print('never')")
        bench.sagemaker.stop_training_job(TrainingJobName=name)
        assert bench.trained(name)["TrainingJobStatus"] == "Stopped"
    finally:
        bench.aws.sagemaker.delay("training", 0)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(7)", "AlgorithmError: , exit code: 7"),
        ("import os; os.kill(os.getpid(), 9)", "AlgorithmError: , exit code: 137"),
        (
            "import os; open(os.environ['ML'] + '/output/failure', 'w').write('why'); os._exit(2)",
            "AlgorithmError: why, exit code: 2",
        ),
    ],
)
def test_reasons_of_failures(bench: Bench, code: str, reason: str) -> None:
    job = bench.trained(bench.training(code, Environment=ML))
    assert job["FailureReason"] == reason


def test_long_reason_is_cut_to_what_aws_keeps(bench: Bench) -> None:
    code = "import os; open(os.environ['ML'] + '/output/failure', 'w').write('x' * 5000); 1/0"
    reason = bench.trained(bench.training(code, Environment=ML))["FailureReason"]
    assert len(reason) == 1024
    assert reason.endswith("xx, exit code: 1")


def test_program_that_is_not_there(bench: Bench) -> None:
    more = {"ContainerEntrypoint": ["no-such-program"], "ContainerArguments": ["x"]}
    name = bench.training("", AlgorithmSpecification=more)
    assert bench.trained(name)["FailureReason"] == "AlgorithmError: , exit code: 127"
    assert bench.log("Training", name) == ["no-such-program: No such file or directory"]


def test_data_that_vanished(bench: Bench) -> None:
    missing = [channel("train", bench.uri("nothing/here"))]
    job = bench.trained(bench.training("pass", InputDataConfig=missing))
    assert job["FailureReason"] == (
        f"ClientError: Data download failed:S3 key: {bench.uri('nothing/here')} "
        "matched no files on s3"
    )
    assert "TrainingEndTime" in job


def test_artifacts_without_compression_and_none_at_all(bench: Bench) -> None:
    code = """
import os
ml = os.environ['ML']
os.makedirs(ml + '/model/deep')
open(ml + '/model/deep/a', 'w').write('1')
open(ml + '/output/data/b', 'w').write('2')
"""
    output = {"S3OutputPath": bench.uri("plain"), "CompressionType": "NONE"}
    name = bench.training(code, Environment=ML, OutputDataConfig=output)
    job = bench.trained(name)
    place = f"plain/{name}/output"
    assert bench.keys("plain/") == [f"{place}/model/deep/a", f"{place}/output/b"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == bench.uri(f"{place}/model/")
    nothing = bench.training("pass")
    assert bench.trained(nothing)["TrainingJobStatus"] == "Completed"
    assert bench.keys(f"models/{nothing}") == []


def test_channels_configuration_and_variables(bench: Bench) -> None:
    bench.put("in/a.csv", "1")
    code = """
import json, os
ml = os.environ['ML']
base = ml + '/input/config/'
print(json.load(open(base + 'inputdataconfig.json')))
print(json.load(open(base + 'hyperparameters.json')))
print(open(ml + '/input/data/train/a.csv').read(), os.environ['TRAINING_JOB_NAME'])
"""
    name = bench.training(
        code,
        Environment=ML,
        HyperParameters={"a": "1"},
        InputDataConfig=[channel("train", bench.uri("in/"), ContentType="text/csv")],
    )
    bench.trained(name)
    configuration = {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
    }
    assert bench.log("Training", name) == [str(configuration), "{'a': '1'}", f"1 {name}"]


def test_metrics_of_the_images_own_definitions(bench: Bench) -> None:
    """A script's lines count if they look like XGBoost's own; a tab is #011 in the log."""
    code = """
for number in range(3):
    print(f'[{number}]\\ttrain-logloss:0.{5 - number}\\tvalidation-auc:0.8{number}')
print('[3]#011validation-auc:0.9 validation-auc:0.1')
print('round=4 validation:auc=0.95')
"""
    name = bench.training(code)
    job = bench.trained(name)
    found = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert found == pytest.approx({"train:logloss": 0.3, "validation:auc": 0.9})
    names = {each["Name"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert {"validation:auc", "train:rmse"} <= names
    metrics = bench.aws.client("cloudwatch").list_metrics(
        Namespace="/aws/sagemaker/TrainingJobs",
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
    )
    published = {each["MetricName"] for each in metrics["Metrics"]}
    assert published == {"train:logloss", "validation:auc"}


def test_metrics_need_a_permission_to_be_published(aws: Rehearsal) -> None:
    bench = Bench.make(aws, "training-no-metrics", ["metrics"])
    name = bench.training("print('[0]#011validation-auc:0.8')")
    assert bench.trained(name)["FinalMetricDataList"][0]["MetricName"] == "validation:auc"
    found = aws.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")
    assert not [m for m in found["Metrics"] if m["Dimensions"][0]["Value"] == name]


def test_own_metric_definitions_are_refused_for_sagemakers_own_image(bench: Bench) -> None:
    own = {"MetricDefinitions": [{"Name": "a", "Regex": "a=(.*)"}]}
    with pytest.raises(ClientError, match="You can't override the metric definitions"):
        bench.training("pass", AlgorithmSpecification=own)


def test_events_follow_every_status(bench: Bench) -> None:
    tap = Tap.make(bench.aws, "tap-training")
    events = bench.aws.client("events")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
    }
    events.put_rule(Name="tap-training", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="tap-training", Targets=[{"Id": "tap", "Arn": tap.arn}])
    name = bench.training("pass")
    bench.trained(name)

    def details() -> list[dict[str, Any]]:
        own = [e["detail"] for e in tap.events() if e["detail"]["TrainingJobName"] == name]
        return own if own and own[-1]["TrainingJobStatus"] == "Completed" else []

    found = wait_for(details, what="the last event")
    statuses = [each["SecondaryStatus"] for each in found]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    moves = found[-1]["SecondaryStatusTransitions"]
    assert all(isinstance(each["StartTime"], int) for each in moves)
    events.remove_targets(Rule="tap-training", Ids=["tap"])
    events.delete_rule(Name="tap-training")


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"ResourceConfig": {"InstanceCount": 2}}, "NotRehearsedException", "InstanceCount is 2"),
        ({"ResourceConfig": {"VolumeSizeInGB": 0}}, "ValidationException", "VolumeSizeInGB"),
        (
            {"InputDataConfig": [channel("a", "s3://b/c", InputMode="Pipe")]},
            "NotRehearsedException",
            "input mode Pipe",
        ),
        (
            {"InputDataConfig": [channel("a", "s3://b/c", RecordWrapperType="RecordIO")]},
            "NotRehearsedException",
            "RecordIO",
        ),
        (
            {"InputDataConfig": [channel("a", "s3://b/c"), channel("a", "s3://b/d")]},
            "ValidationException",
            "a given twice",
        ),
        ({"EnableManagedSpotTraining": True}, "ValidationException", "MaxWaitTimeInSeconds"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 10, "MaxWaitTimeInSeconds": 10}},
            "ValidationException",
            "only be given when EnableManagedSpotTraining",
        ),
        (
            {**SPOT, "StoppingCondition": {"MaxRuntimeInSeconds": 10, "MaxWaitTimeInSeconds": 9}},
            "ValidationException",
            "greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"RetryStrategy": {"MaximumRetryAttempts": 1}},
            "NotRehearsedException",
            "RetryStrategy",
        ),
    ],
)
def test_what_is_refused(bench: Bench, more: dict[str, Any], code: str, words: str) -> None:
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    if "ResourceConfig" in more:
        more = {**more, "ResourceConfig": {**resources, **more["ResourceConfig"]}}
    with pytest.raises(ClientError) as error:
        bench.training("pass", **more)
    assert error.value.response["Error"]["Code"] == code
    assert words in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("repository", "hyperparameters"),
    [
        ("linear-learner", {"predictor_type": "binary_classifier"}),
        ("kmeans", {"k": "3", "feature_dim": "2"}),
        ("pca", {"feature_dim": "2", "num_components": "1", "mini_batch_size": "10"}),
        ("ntm", {"num_topics": "2", "feature_dim": "2"}),
    ],
)
def test_closed_algorithms_are_checked_and_refused(
    bench: Bench, repository: str, hyperparameters: dict[str, str]
) -> None:
    image = f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{repository}:1"
    specification = {"TrainingImage": image, "TrainingInputMode": "File"}
    start: Callable[..., str] = bench.training
    with pytest.raises(ClientError) as error:
        start(None, AlgorithmSpecification=specification, HyperParameters={})
    text = error.value.response["Error"]["Message"]
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert all(f"hyperparameter {name} is missing" in text for name in hyperparameters)
    assert "channel train is missing" in text
    with pytest.raises(ClientError) as error:
        start(
            None,
            AlgorithmSpecification=specification,
            HyperParameters=hyperparameters,
            InputDataConfig=[channel("train", "s3://b/c")],
        )
    assert error.value.response["Error"]["Code"] == "NotRehearsedException"
    assert "closed source" in error.value.response["Error"]["Message"]


def test_debugger_rules_are_never_said_to_find_nothing(bench: Bench) -> None:
    rule = {"RuleConfigurationName": "Overfit", "RuleEvaluatorImage": "x"}
    job = bench.trained(bench.training("pass", DebugRuleConfigurations=[rule]))
    (status,) = job["DebugRuleEvaluationStatuses"]
    assert status["RuleEvaluationStatus"] == "Stopped"
    assert "does not evaluate" in status["StatusDetails"]
