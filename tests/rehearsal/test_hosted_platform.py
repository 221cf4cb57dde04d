"""The platform's own stacks: registry, releases, canary, capture and scaling with their roles.

What a release survives besides is in test_release.py, in a stranger's app.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.process import Rehearsal
from tests.rehearsal.hosted import Hosted, answer, synthesize
from tests.rehearsal.hosting import packed, trained
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
    model = packed(trained(tmp_path_factory.mktemp("model"), rounds=5))
    return deployed.release(model)


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


def test_the_next_one_is_shifted_in_with_no_call_failed(hosted: Hosted) -> None:
    before, body = hosted.live(), SAMPLE.read_text()
    answers: list[float] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            try:
                answers.append(hosted.ask(body))
            except BaseException as error:
                failures.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        package = hosted.register(answer(0.5))
        hosted.say(package, "Approved")
        told = hosted.heard("Release Succeeded", package)
    finally:
        over.set()
        caller.join()
    assert (told["previous"], hosted.live()) == (before, package)
    assert failures == []
    # The canary: for a while both answered.
    firsts = [index for index, value in enumerate(answers) if value == 0.5]
    lasts = [index for index, value in enumerate(answers) if value != 0.5]
    assert firsts[0] < lasts[-1]
    assert hosted.ask() == 0.5


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
    before, probability = hosted.live(), hosted.ask()
    larger = synthesize(tmp_path, lambda text: text.replace("ml.m5.large", "ml.m5.xlarge"))
    for each, kind in ((larger, "ml.m5.xlarge"), (assembly, "ml.m5.large")):
        hosted.outputs_of(hosted.aws, each)
        name = hosted.described()["EndpointConfigName"]
        found = hosted.aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
        assert found["ProductionVariants"][0]["InstanceType"] == kind
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
    client = hosted.aws.client("stepfunctions")
    execution = client.start_execution(
        stateMachineArn=hosted.outputs["ChurnDriftStateMachineArn"],
        input=json.dumps({"at": "2026-01-02T03:04:05Z"}),
    )["executionArn"]

    def ended() -> dict[str, Any] | None:
        found = client.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    found = wait_for(ended, seconds=20, what="the look")
    assert found["status"] == "SUCCEEDED", found.get("cause")
    jobs = hosted.aws.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]
    assert jobs == []
