"""The platform's own stacks: registry, releases, canary, capture and scaling with their roles.

What a release survives besides is in test_release.py, in a stranger's app.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml_src.churn import generate
from ml_src.churn.schema import INPUTS
from rehearsal.process import Rehearsal
from tests.rehearsal.hosted import Hosted, answer, synthesize
from tests.rehearsal.hosting import evaluated, packed, trained
from tests.rehearsal.listening import wait_for

SAMPLE = Path(__file__).parents[2] / "ml_src" / "churn" / "sample.csv"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("hosted"))


@pytest.fixture(scope="module")
def deployed(run_folders_of_our_own: None, assembly: Path) -> Iterator[Hosted]:
    with Rehearsal.start(samples=()) as aws:
        aws.scale_waits(0.1)
        yield Hosted.deploy(aws, assembly)


@pytest.fixture(scope="module")
def first(deployed: Hosted, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The first version, live: a real model."""
    assert deployed.live() == "none"
    folder = tmp_path_factory.mktemp("model")
    model = packed(trained(folder, rounds=20))
    files = {
        f"{name}/{path.name}": path.read_bytes()
        for name, place in evaluated(folder).items()
        for path in place.iterdir()
    }
    return deployed.release(model, files)


@pytest.fixture
def hosted(deployed: Hosted, first: str) -> Iterator[Hosted]:
    """The platform with a live version; nothing is under way before or after."""
    deployed.settle()
    yield deployed
    deployed.settle()


def test_the_first_approval_brings_the_endpoint_up(deployed: Hosted, first: str) -> None:
    assert deployed.live() == first
    assert 0 < deployed.ask(SAMPLE.read_text()) < 1
    described = deployed.described()
    assert described["EndpointStatus"] == "InService"
    (variant,) = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("main", 2)
    assert deployed.is_served_as_stacked()


def people(number: int) -> list[dict[str, str]]:
    """Generated customers, with their label."""
    (batch,) = generate.blocks(number, seed=9)
    return [{name: value or "" for name, value in row.items()} for row in batch.to_pylist()]


def table(rows: list[dict[str, str]], *columns: str) -> str:
    """Some columns as CSV, without a header."""
    return "".join(",".join(row[name] for name in columns) + "\n" for row in rows)


def test_files_are_scored_as_the_endpoint_would(deployed: Hosted, first: str) -> None:
    rows = people(40)
    key = f"{deployed.outputs['ChurnBatchPrefix']}monday/people.csv"
    deployed.aws.client("s3").put_object(
        Bucket=deployed.outputs["DataBucketName"],
        Key=key,
        Body=table(rows, "customerID", *INPUTS).encode(),
    )
    ended = deployed.execute("ChurnBatchStateMachineArn", {"prefix": key.rpartition("/")[0] + "/"})
    told = json.loads(ended["output"])
    assert told["version"] == first
    place = told["output"].removeprefix(f"s3://{deployed.outputs['ModelsBucketName']}/")
    assert place.startswith(deployed.outputs["ChurnScoresPrefix"])
    found = deployed.aws.client("s3").get_object(
        Bucket=deployed.outputs["ModelsBucketName"], Key=f"{place}people.csv.out"
    )
    scored = [line.split(",") for line in found["Body"].read().decode().splitlines()]
    # Results hold whose they are and the answer, and nothing else of the customer.
    assert [line[0] for line in scored] == [row["customerID"] for row in rows]
    assert {len(line) for line in scored} == {2}
    for row, (_, probability) in list(zip(rows, scored, strict=True))[:5]:
        assert float(probability) == pytest.approx(deployed.ask(table([row], *INPUTS)), rel=1e-6)


def test_labels_that_come_late_tell_the_quality(deployed: Hosted, first: str) -> None:
    rows = people(300)
    labels = ["inference_id,row,label"]
    for start in range(0, len(rows), 10):
        some = rows[start : start + 10]
        deployed.ask(table(some, *INPUTS), InferenceId=f"late-{start}")
        labels += [f"late-{start},{at},{row['Churn']}" for at, row in enumerate(some, start=1)]
    wait_for(lambda: str(deployed.captured()).count("'late-") == 30, what="the captured requests")
    deployed.aws.client("s3").put_object(
        Bucket=deployed.outputs["DataBucketName"],
        Key="churn/labels/late.csv",
        Body="\n".join(labels).encode(),
    )
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    # Five minutes late, as hosted.yaml has it, so that the last requests are written.
    at = f"{hour + timedelta(minutes=6):%Y-%m-%dT%H:%M:%SZ}"
    deployed.execute("ChurnDriftStateMachineArn", {"at": at})
    assert deployed.live() == first
    assert published(deployed, "LabelledRows") == 300
    assert 0.7 < published(deployed, "AUC") <= 1


def published(deployed: Hosted, name: str) -> float:
    """The largest value of a metric of the watch."""
    named = {"Endpoint": deployed.endpoint, "Watch": f"{deployed.endpoint}-drift"}
    found = deployed.aws.client("cloudwatch").get_metric_statistics(
        Namespace="Sagelens/Drift",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=3600,
        Statistics=["Maximum"],
    )
    return max(point["Maximum"] for point in found["Datapoints"])


def shifted_in(hosted: Hosted, probability: float) -> list[bool]:
    """Release a version while somebody asks all the time.

    Returns:
        of each answer from its first to the last of the version before, whether it was its own.
    """
    before, body = hosted.live(), SAMPLE.read_text()
    answers: list[bool] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            try:
                answers.append(hosted.ask(body) == probability)
            except BaseException as error:
                failures.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        package = hosted.register(answer(probability))
        hosted.say(package, "Approved")
        told = hosted.heard("Release Succeeded", package)
    finally:
        over.set()
        caller.join()
    assert failures == []
    assert (told["previous"], hosted.live(), hosted.ask()) == (before, package, probability)
    return answers[answers.index(True) : len(answers) - answers[::-1].index(False)]


def test_the_next_one_is_shifted_in_with_no_call_failed(hosted: Hosted) -> None:
    # For a while both answer.
    assert shifted_in(hosted, 0.5)


def test_requests_and_answers_are_kept(hosted: Hosted) -> None:
    hosted.ask("4,5,6\n")

    def look() -> bool:
        texts = [str(record) for record in hosted.captured()]
        return any("4,5,6" in text and "churn_probability" in text for text in texts)

    wait_for(look, seconds=20, what="the captured request")


def test_the_variant_scales(hosted: Hosted) -> None:
    client = hosted.aws.client("application-autoscaling")
    (target,) = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{hosted.endpoint}/variant/main"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)


def test_deploying_the_same_code_changes_nothing(hosted: Hosted, assembly: Path) -> None:
    before = hosted.live(), hosted.described()["EndpointConfigName"], hosted.ask()
    hosted.outputs_of(hosted.aws, assembly)
    assert (hosted.live(), hosted.described()["EndpointConfigName"], hosted.ask()) == before


def test_deploying_another_instance_type_keeps_the_version_and_the_scaling(
    hosted: Hosted, assembly: Path, tmp_path: Path
) -> None:
    """And another way of shifting, which the next release takes."""

    def other(text: str) -> str:
        larger = text.replace("ml.m5.large", "ml.m5.xlarge")
        return larger.replace("canary: {percent: 50", "linear: {percent: 25")

    is_deployed(hosted, synthesize(tmp_path, other), "ml.m5.xlarge")
    hosted.aws.scale_waits(0.4)
    both = shifted_in(hosted, 0.51)
    hosted.aws.scale_waits(0.1)
    # A quarter, a half and three quarters of the answers, so in the second half more.
    half = len(both) // 2
    assert sum(both[half:]) / (len(both) - half) > sum(both[:half]) / half > 0
    hosted.settle()
    is_deployed(hosted, assembly, "ml.m5.large")


def is_deployed(hosted: Hosted, assembly: Path, instance_type: str) -> None:
    """Deploy an assembly, which changes what the endpoint runs on and nothing else."""
    before, probability = hosted.live(), hosted.ask()
    hosted.outputs_of(hosted.aws, assembly)
    name = hosted.described()["EndpointConfigName"]
    found = hosted.aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"][0]["InstanceType"] == instance_type
    assert (hosted.live(), hosted.ask()) == (before, probability)
    test_the_variant_scales(hosted)


def test_a_roll_back_without_a_word_is_found(hosted: Hosted) -> None:
    before, probability = hosted.live(), hosted.ask()
    hosted.aws.sagemaker.roll_back_next_update(hosted.endpoint)
    package = hosted.register(answer(0.9))
    hosted.say(package, "Approved")
    told = hosted.heard("Release Failed", package)
    assert told["restored"] == "yes"
    assert "SageMaker does not serve what the stack says" in told["reason"]
    hosted.settle()
    assert (hosted.live(), hosted.ask()) == (before, probability)
    assert hosted.is_served_as_stacked()


def test_a_version_that_answers_the_sample_wrongly_is_taken_back(hosted: Hosted) -> None:
    before, probability = hosted.live(), hosted.ask()
    package = hosted.register(answer(1.5))
    hosted.say(package, "Approved")
    told = hosted.heard("Release Failed", package)
    assert (told["restored"], hosted.live(), hosted.ask()) == ("yes", before, probability)
    assert "wrong form" in told["reason"]


def test_two_approvals_at_once_end_with_the_newer(hosted: Hosted) -> None:
    older, newer = hosted.register(answer(0.31)), hosted.register(answer(0.32))
    hosted.say(newer, "Approved")
    hosted.say(older, "Approved")
    hosted.heard("Release Succeeded", newer)
    hosted.settle()
    assert (hosted.live(), hosted.ask()) == (newer, 0.32)


def test_rejecting_the_live_version_goes_back(hosted: Hosted) -> None:
    earlier, probability = hosted.live(), hosted.ask()
    bad = hosted.release(answer(0.42))
    assert hosted.ask() == 0.42
    hosted.say(bad, "Rejected")
    hosted.heard("Release Succeeded", earlier)
    hosted.settle()
    assert (hosted.live(), hosted.ask()) == (earlier, probability)


def test_a_version_of_another_group_and_one_not_approved_are_passed_over(hosted: Hosted) -> None:
    before = hosted.live()
    hosted.aws.client("sagemaker").create_model_package_group(ModelPackageGroupName="another")
    foreign, waiting = hosted.register(answer(0.7), "another"), hosted.register(answer(0.8))
    hosted.say(foreign, "Approved")
    for package in (foreign, waiting):
        hosted.start(package)
        assert hosted.heard("Release Skipped", package)["reason"]
        hosted.settle()
    assert hosted.live() == before


def test_the_watch_of_a_time_without_requests_ends_well(hosted: Hosted) -> None:
    """It reads the live version and lists what was captured, with its own role."""
    jobs = hosted.aws.client("sagemaker").list_processing_jobs
    before = len(jobs()["ProcessingJobSummaries"])
    hosted.execute("ChurnDriftStateMachineArn", {"at": "2026-01-02T03:04:05Z"})
    assert len(jobs()["ProcessingJobSummaries"]) == before


def serverless(text: str) -> str:
    """The environment with the defaults of hosting: an endpoint that costs nothing while idle."""
    head = text.partition("      capacity:")[0].replace("name: hosted", "name: thrifty")
    return f'{head}      smoke_test: {{answer_path: "$.predictions[0].churn_probability"}}\n'


def test_a_serverless_endpoint_takes_its_versions_at_once(deployed: Hosted, tmp_path: Path) -> None:
    thrifty = Hosted.deploy(deployed.aws, synthesize(tmp_path, serverless))
    first = thrifty.release(answer(0.2))
    (variant,) = thrifty.described()["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "DataCaptureConfig" not in thrifty.described()
    assert (thrifty.live(), thrifty.ask()) == (first, 0.2)
    second = thrifty.release(answer(0.3))
    assert (thrifty.ask(), thrifty.is_served_as_stacked()) == (0.3, True)
    thrifty.say(second, "Rejected")
    thrifty.heard("Release Succeeded", first)
    thrifty.settle()
    assert (thrifty.live(), thrifty.ask()) == (first, 0.2)
