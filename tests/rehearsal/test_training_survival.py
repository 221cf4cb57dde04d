"""What training survives, each on the deployed stacks with real jobs and real data.

That a definition over the size limit is refused at synth: tests/constructs/training/
test_arguments.py (test_a_definition_over_the_limit_is_refused).
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.pipelines import Execution
from rehearsal.scenarios.support.watching import Watch, watching_topic
from tests.rehearsal.listening import wait_for
from tests.rehearsal.school import PATIENCE, School, customers, id_of

ENDLESS: dict[str, Any] = {"num_round": 100_000, "checkpoint_every": 1000}
LONG: dict[str, Any] = {"num_round": 1200, "checkpoint_every": 150}


@pytest.fixture(scope="module")
def told(school: School) -> Iterator[Watch]:
    """Hears what the alarm topic says."""
    context = Context(school.aws, school.outputs, lambda _: None)
    with watching_topic(context, school.outputs["AlarmTopicArn"]) as watch:
        yield watch


@pytest.fixture(scope="module")
def too_long(school: School, told: Watch) -> str:
    """An execution that trains for ever: it runs into its time limit while other tests run."""
    return school.start(**ENDLESS)


@pytest.fixture(scope="module")
def good(school: School, too_long: str) -> Execution:
    """An execution to which nothing happened."""
    ended = school.run(**LONG)
    assert ended.status == "Succeeded", ended.words()
    return ended


@pytest.fixture
def folder(school: School) -> Iterator[str]:
    """The name of a folder of the test's own below the data prefix; empty again afterwards."""
    name = f"survival-{uuid4().hex[:8]}"
    yield name
    school.remove(f"s3://{school.bucket}/{school.outputs['ChurnDataPrefix']}{name}/")


def announcement(told: Watch, arn: str) -> str:
    """What the topic said of an execution."""

    def look() -> str | None:
        return next((text for text in told.texts() if arn in text), None)

    return wait_for(look, what=f"the announcement of {arn}") or ""


def registered(school: School) -> int:
    """How many versions there are."""
    found = school.sagemaker.list_model_packages(
        ModelPackageGroupName=school.outputs["ChurnModelGroupName"]
    )
    return len(found["ModelPackageSummaryList"])


# --- jobs that do not end well -------------------------------------------------------------------


def test_an_unexpected_error_is_told_and_the_execution_can_go_on(
    school: School, told: Watch
) -> None:
    """A folder lies where the training writes its checkpoints: nothing the script expects."""
    models = school.outputs["ModelsBucketName"]
    arn = school.start()
    key = f"churn/runs/{id_of(arn)}/checkpoints/churn-checkpoint.part/in-the-way"
    s3 = school.aws.client("s3")
    s3.put_object(Bucket=models, Key=key, Body=b"x")
    failed = school.end(arn)
    assert failed.status == "Failed"
    reason = failed.step("Train")["FailureReason"]
    assert reason.startswith("ClientError: AlgorithmError: unexpected IsADirectoryError: ")
    assert "churn-checkpoint.part" in reason
    said = announcement(told, arn)
    assert "sagelens-school-churn: Failed." in said
    assert (
        f"list-pipeline-execution-steps --region us-east-1 --pipeline-execution-arn {arn}" in said
    )
    before = failed.job("Prepare")
    s3.delete_object(Bucket=models, Key=key)
    ended = school.retry(arn)
    assert ended.status == "Succeeded", ended.words()
    assert ended.job("Prepare") == before


def test_a_stopped_execution_stops_its_job_and_registers_nothing(
    school: School, told: Watch
) -> None:
    versions = registered(school)
    arn = school.start(**ENDLESS)
    school.running(arn, "Train")
    stopped = school.stop(arn)
    assert stopped.status == "Stopped"
    assert school.trained(stopped)["TrainingJobStatus"] == "Stopped"
    assert registered(school) == versions
    assert "sagelens-school-churn: Stopped." in announcement(told, arn)


def test_data_that_vanish_before_they_are_read_are_told(school: School, folder: str) -> None:
    data = school.upload(f"{folder}/customers.csv", school.read(f"{school.data}customers.csv"))
    school.aws.sagemaker.delay("processing", 2)
    try:
        arn = school.start(data)
        school.running(arn, "Prepare")
        school.remove(data)
        failed = school.end(arn)
    finally:
        school.aws.sagemaker.delay("processing", 0)
    assert failed.status == "Failed"
    assert [step["StepName"] for step in failed.steps] == ["Prepare"]
    assert data in failed.reason and "matched no files" in failed.reason


# --- an interruption, and two at once ------------------------------------------------------------


def checkpoints(school: School, arn: str) -> list[str]:
    """The checkpoints of an execution that are in S3 by now."""
    found = school.aws.client("s3").list_objects_v2(
        Bucket=school.outputs["ModelsBucketName"],
        Prefix=f"churn/runs/{id_of(arn)}/checkpoints/churn-checkpoint.",
    )
    return [each["Key"] for each in found.get("Contents", [])]


def test_a_training_that_was_interrupted_ends_as_the_very_same_model(
    school: School, good: Execution
) -> None:
    arn = school.start(**LONG)
    job = school.running(arn, "Train")
    wait_for(lambda: checkpoints(school, arn), what="a checkpoint in S3")
    school.aws.sagemaker.interrupt(job)
    resumed = school.end(arn)
    assert resumed.status == "Succeeded", resumed.words()
    went = [each["Status"] for each in school.trained(resumed)["SecondaryStatusTransitions"]]
    assert went.count("Interrupted") == 1 and went.count("Training") == 2
    assert "Interrupted" not in str(school.trained(good)["SecondaryStatusTransitions"])
    assert rounds_from_scratch(school, resumed) < LONG["num_round"]
    assert school.model(resumed) == school.model(good)


def rounds_from_scratch(school: School, execution: Execution) -> int:
    """How many rounds the last attempt of a training did itself."""
    logs, group = school.aws.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(
        logGroupName=group, logStreamNamePrefix=execution.job("Train")
    )["logStreams"]
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, logStreamNames=[each["logStreamName"] for each in streams]
    )
    lines = [event["message"] for page in pages for event in page["events"]]
    starts = [number for number, line in enumerate(lines) if "resum" in line]
    assert starts, lines[:5]
    return sum(line.startswith("[") for line in lines[starts[-1] :])


def test_two_executions_at_once_never_mix(school: School, folder: str, tmp_path: Path) -> None:
    asked = {2: 1200, 6: 1500}  # customers by depth of the trees
    arns = {
        depth: school.start(
            school.upload(f"{folder}/{depth}/c.csv", customers(tmp_path, rows, seed=depth)),
            max_depth=depth,
        )
        for depth, rows in asked.items()
    }
    runs = {depth: school.end(arn) for depth, arn in arns.items()}
    for depth, run in runs.items():
        assert run.status == "Succeeded", run.words()
        place = f"s3://{school.outputs['ModelsBucketName']}/churn/runs/{id_of(run)}/"
        package = json.dumps(school.package(run), default=str)
        assert package.count("churn/runs/") == package.count(place)
        report = json.loads(school.read(f"{place}prepare/report/preparation.json"))
        assert report["rows"] == asked[depth]
        model = school.trained(run)["ModelArtifacts"]["S3ModelArtifacts"]
        course = school.unpacked(model.replace("model.tar.gz", "output.tar.gz"))
        assert json.loads(course["training.json"])["parameters"]["max_depth"] == depth
    shapes = [
        [key.replace(run.job("Train"), "") for key in school.written(run)] for run in runs.values()
    ]
    assert shapes[0] == shapes[1]


# --- data that cannot be used --------------------------------------------------------------------


def spoilt(content: bytes, change: Callable[[dict[str, str]], None]) -> bytes:
    """A table with each of its rows changed."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    for row in rows:
        change(row)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


BAD: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...]]] = {
    "a missing column": (
        lambda table: spoilt(table, lambda row: row.pop("tenure") and None),
        ("customers.csv, line 1", "missing column 'tenure'"),
    ),
    "one class": (
        lambda table: spoilt(table, lambda row: row.update(Churn="No")),
        ("column 'Churn'", "all 1000 usable rows say No"),
    ),
    "no valid row": (
        lambda table: spoilt(table, lambda row: row.update(MonthlyCharges="much")),
        ("all 1000 rows are invalid", "line 2, column 'MonthlyCharges'", "'much'"),
    ),
    "too many invalid rows": (
        lambda table: table.replace(b",Yes\n", b",Perhaps\n"),
        ("customers.csv, line ", "column 'Churn'", "'Perhaps'"),
    ),
    "no CSV": (lambda _: b"PK\x03\x04....", ("customers.csv", "not CSV but a ZIP archive")),
    "nothing": (lambda _: b"", ("customers.csv", "the file is empty")),
}


def test_bad_data_end_the_run_with_a_reason_that_names_column_and_row(
    school: School, folder: str
) -> None:
    table = school.read(f"{school.data}customers.csv")
    arns = {
        what: school.start(school.upload(f"{folder}/{number}/customers.csv", spoil(table)))
        for number, (what, (spoil, _)) in enumerate(BAD.items())
    }
    for what, arn in arns.items():
        failed = school.end(arn)
        assert failed.status == "Failed", what
        assert [step["StepName"] for step in failed.steps] == ["Prepare"], what
        for words in BAD[what][1]:
            assert words in failed.reason, (what, failed.reason)


def test_an_unseen_category_is_answered_by_the_registered_models_own_code(
    school: School, good: Execution, tmp_path: Path
) -> None:
    (container,) = school.package(good)["InferenceSpecification"]["Containers"]
    for name, content in school.unpacked(container["ModelDataUrl"]).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (head, first, *_) = school.read(f"{school.data}customers.csv").decode().splitlines()
    customer = dict(zip(head.split(","), first.split(","), strict=True))
    body = json.dumps([{**customer, "Contract": "Five year"}, customer])
    code = (
        "import inference, sys; model = inference.model_fn(sys.argv[1]);"
        "rows = inference.input_fn(sys.stdin.read(), 'application/json');"
        "print(inference.output_fn(inference.predict_fn(rows, model), 'application/json')[0])"
    )
    assert "SAGEMAKER_PROGRAM" in container["Environment"]
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        input=body,
        env={"PYTHONPATH": str(tmp_path / "code"), "OMP_WAIT_POLICY": "PASSIVE"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "unseen_category column=Contract count=1" in answer
    predictions = json.loads(answer[-1])["predictions"]
    assert len(predictions) == 2
    assert all(0 < each["churn_probability"] < 1 for each in predictions)


# --- tracking that is down -----------------------------------------------------------------------


def test_a_model_is_registered_though_its_run_cannot_be_tracked(school: School) -> None:
    school.aws.sagemaker.fail_mlflow("CreateRun", 500)
    try:
        run = school.run()
    finally:
        school.aws.sagemaker.clear()
    assert run.status == "Succeeded", run.words()
    known = school.package(run)["CustomerMetadataProperties"]
    assert known["run_id"] == "not tracked"
    assert school.read(school.trained(run)["ModelArtifacts"]["S3ModelArtifacts"])


# --- starts by themselves ------------------------------------------------------------------------


def test_many_files_start_one_run_and_none_is_missed(school: School, folder: str) -> None:
    header, *rows = school.read(f"{school.data}customers.csv").splitlines(keepends=True)
    left = 60 - time.time() % 60  # an interval is a minute: all files in one
    if left < 8:
        time.sleep(left)
    with school.heard():
        for number in range(10):
            part = rows[100 * number : 100 * (number + 1)]
            school.upload(f"{folder}/{number}.csv", header + b"".join(part))
        queue = school.outputs["ChurnDataStartQueueArn"]
        wait_for(lambda: school.schedules("data"), what="the schedule")
        wait_for(lambda: waiting(school, queue) == 0, what="an empty queue")
    assert len(school.schedules("data")) == 1
    assert school.started_by("new data") == []
    school.aws.fire_schedules(within=120)
    (arn,) = wait_for(lambda: school.started_by("new data"), what="the run")
    wait_for(lambda: not school.schedules("data"), what="the end of the schedule")
    school.running(arn, "Train")
    school.stop(arn)
    assert school.started_by("new data") == [arn]
    report = f"s3://{school.outputs['ModelsBucketName']}/churn/runs/{id_of(arn)}/prepare/report/"
    files = len(school.read(f"{school.data}customers.csv").splitlines()) - 1
    assert json.loads(school.read(f"{report}preparation.json"))["rows"] == 1000 + files


def waiting(school: School, queue: str) -> int:
    """Messages in a queue, seen and unseen."""
    sqs = school.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in found.values())


def ask_to_retrain(school: School, times: int) -> None:
    """Send requests to retrain, and wait until all are dealt with."""
    entry = {
        "EventBusName": school.outputs["EventBusName"],
        "Source": "sagelens.drift",
        "DetailType": "Retraining Requested",
        "Detail": json.dumps({"model": "churn"}),
    }
    answer = school.aws.client("events").put_events(Entries=[entry] * times)
    assert answer["FailedEntryCount"] == 0
    queue = school.outputs["ChurnDriftStartQueueArn"]
    wait_for(lambda: school.schedules("drift"), what="the schedule")
    time.sleep(0.5)
    wait_for(lambda: waiting(school, queue) == 0, what="an empty queue")


def test_requests_to_retrain_start_at_most_one_run_a_period(school: School) -> None:
    ask_to_retrain(school, 3)
    school.aws.fire_schedules(within=120)
    (arn,) = wait_for(lambda: school.started_by("a request to retrain"), what="the run")
    ask_to_retrain(school, 2)
    school.aws.fire_schedules(within=3600)
    school.stop(arn)
    assert school.started_by("a request to retrain") == [arn]


def test_a_job_over_its_time_limit_is_stopped_and_told(
    school: School, told: Watch, too_long: str
) -> None:
    ended = school.end(too_long)
    assert ended.status == "Failed"
    assert "MaxRuntimeExceeded" in ended.step("Train")["FailureReason"]
    job = school.trained(ended)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["TrainingTimeInSeconds"] < PATIENCE
    assert not ended.step("Register")
    assert "sagelens-school-churn: Failed." in announcement(told, too_long)
