"""Releases, for real: registry, state machine, CloudFormation, endpoint, each by its own API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for
from tests.rehearsal.releases import (
    ENDPOINT,
    GROUP,
    HOSTING,
    IMAGE,
    PARAMETER,
    Releases,
    synthesize,
)


def score(value: Any) -> dict[str, Any]:
    """An answer of the right form."""
    return {"predictions": [{"score": value}]}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("assembly"))


@pytest.fixture(scope="module")
def releases(run_folders_of_our_own: None, assembly: Path) -> Iterator[Releases]:
    with Rehearsal.start(samples=()) as aws:
        yield Releases.deploy(aws, assembly)


@pytest.fixture(scope="module")
def first(releases: Releases) -> str:
    """The first version, live."""
    package = releases.register(score(0.25))
    releases.say(package, "Approved")
    releases.heard("Release Succeeded", package)
    releases.settled()
    return package


@pytest.fixture
def live(releases: Releases, first: str) -> Iterator[str]:
    """Whatever is live now; nothing is under way before or after."""
    releases.settled()
    yield releases.live()
    releases.settled()


def release(releases: Releases, answer: Any) -> str:
    """Register a version and approve it."""
    package = releases.register(answer)
    releases.say(package, "Approved")
    return package


def test_first_approval_makes_the_endpoint(releases: Releases, first: str) -> None:
    assert releases.live() == first
    assert releases.ask() == score(0.25)
    assert "owner" not in releases.lock()
    assert releases.lock()["released"]["S"] == first
    served, resource = releases.served()
    assert served == resource


def test_next_version_takes_its_place(releases: Releases, live: str) -> None:
    package = release(releases, score(0.5))
    told = releases.heard("Release Succeeded", package)
    assert told["previous"] == live
    assert releases.ask() == score(0.5)


def test_deploying_code_undoes_no_release(releases: Releases, live: str, assembly: Path) -> None:
    before = releases.ask(), releases.served()
    deploy(releases.aws, assembly)
    assert (releases.ask(), releases.served()) == before
    assert releases.live() == live


def test_silent_roll_back_is_found_and_everything_put_back(releases: Releases, live: str) -> None:
    before = releases.ask()
    releases.aws.sagemaker.roll_back_next_update(ENDPOINT)
    package = release(releases, score(0.9))
    told = releases.heard("Release Failed", package)
    assert told["restored"] == "yes"
    assert "SageMaker does not serve what the stack says" in told["reason"]
    assert releases.live() == live
    assert releases.ask() == before
    served, resource = releases.served()
    assert served == resource
    releases.settled()
    assert "owner" not in releases.lock()


@pytest.mark.parametrize("answer", [score("high"), score(1.5), {"predictions": []}, "text"])
def test_wrong_answers_are_taken_back(releases: Releases, live: str, answer: Any) -> None:
    before = releases.ask()
    told = releases.heard("Release Failed", release(releases, answer))
    assert (told["restored"], releases.live()) == ("yes", live)
    assert "wrong form" in told["reason"]
    assert releases.ask() == before


def test_model_data_that_are_gone_are_taken_back(releases: Releases, live: str) -> None:
    before = releases.ask()
    package = releases.register(score(0.5))
    described = releases.aws.client("sagemaker").describe_model_package(ModelPackageName=package)
    (container,) = described["InferenceSpecification"]["Containers"]
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    releases.aws.client("s3").delete_object(Bucket=bucket, Key=key)
    releases.say(package, "Approved")
    told = releases.heard("Release Failed", package)
    assert (told["restored"], releases.live()) == ("yes", live)
    assert releases.ask() == before


def test_an_image_that_is_gone_is_taken_back(releases: Releases, live: str) -> None:
    before = releases.ask()
    package = releases.register(score(0.5), image=IMAGE.replace("xgboost", "withdrawn"))
    releases.say(package, "Approved")
    told = releases.heard("Release Failed", package)
    assert (told["restored"], releases.live()) == ("yes", live)
    assert releases.ask() == before
    served, resource = releases.served()
    assert served == resource


def test_it_waits_for_another_update_of_the_stack(
    releases: Releases, live: str, assembly: Path
) -> None:
    """Someone's deployment is under way; nothing of it is lost, and nothing of the release."""
    client, before = releases.aws.client("cloudformation"), releases.ask()
    package = releases.register(score(0.55))
    template = json.loads((assembly / f"{HOSTING}.template.json").read_text())
    template["Resources"]["Slow"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "CreationPolicy": {"ResourceSignal": {"Count": 1, "Timeout": "PT5M"}},
    }
    client.update_stack(
        StackName=HOSTING,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    releases.say(package, "Approved")
    wait_for(lambda: "WaitForOthers" in releases.states(), what="the release to meet the update")
    assert (releases.live(), releases.ask()) == (package, before)
    client.signal_resource(
        StackName=HOSTING, LogicalResourceId="Slow", UniqueId="done", Status="SUCCESS"
    )
    assert releases.heard("Release Succeeded", package)["previous"] == live
    assert releases.ask() == score(0.55)
    kept = client.describe_stack_resource(StackName=HOSTING, LogicalResourceId="Slow")
    assert kept["StackResourceDetail"]["ResourceStatus"].endswith("_COMPLETE")
    releases.settled()
    deploy(releases.aws, assembly)
    assert (releases.live(), releases.ask()) == (package, score(0.55))


def test_two_approvals_at_once_are_worked_off_in_turn(releases: Releases, live: str) -> None:
    older, newer = releases.register(score(0.31)), releases.register(score(0.32))
    releases.say(newer, "Approved")
    releases.say(older, "Approved")
    releases.heard("Release Succeeded", newer)
    releases.settled()
    assert releases.live() == newer
    assert releases.ask() == score(0.32)
    told = [
        event["detail-type"]
        for event in releases.news.events()
        if event["detail"]["version"] == older
    ]
    assert told in (["Release Skipped"], ["Release Succeeded"])


def test_rejecting_the_live_version_brings_back_the_one_before(
    releases: Releases, live: str
) -> None:
    earlier = releases.heard("Release Succeeded", release(releases, score(0.41)))["version"]
    releases.settled()
    bad = releases.heard("Release Succeeded", release(releases, score(0.42)))["version"]
    releases.settled()
    releases.say(bad, "Rejected")
    told = releases.heard("Release Succeeded", earlier)
    assert told["previous"] == bad
    assert releases.live() == earlier
    assert releases.ask() == score(0.41)


def test_rejecting_another_version_changes_nothing(releases: Releases, live: str) -> None:
    package = releases.register(score(0.5))
    before = len(releases.news.events())
    releases.say(package, "Rejected")
    wait_for(lambda: _ended(releases, package), what="the execution of the rejection")
    assert releases.live() == live
    assert len(releases.news.events()) == before


def _ended(releases: Releases, package: str) -> bool:
    client = releases.aws.client("stepfunctions")
    found = client.list_executions(stateMachineArn=releases.outputs["Machine"])["executions"]
    inputs = [
        client.describe_execution(executionArn=each["executionArn"])["input"]
        for each in found
        if each["status"] == "SUCCEEDED"
    ]
    return any(package in text for text in inputs)


def test_same_event_again_finds_it_done(releases: Releases, live: str) -> None:
    before = releases.served(), len(releases.news.events())
    _start(releases, live)
    releases.settled()
    assert (releases.served(), len(releases.news.events())) == before
    assert "owner" not in releases.lock()


def test_half_way_release_is_gone_through_again(releases: Releases, live: str) -> None:
    """An execution was killed after it had written the version: the lock is its own still."""
    package = releases.register(score(0.61))
    client = releases.aws.client("stepfunctions")
    dead = client.start_execution(
        stateMachineArn=releases.outputs["Machine"], input=json.dumps(_event(package))
    )["executionArn"]
    client.stop_execution(executionArn=dead)
    table = releases.outputs["LockTable"]
    releases.aws.client("dynamodb").update_item(
        TableName=table,
        Key={"endpoint": {"S": ENDPOINT}},
        UpdateExpression="SET #owner = :dead",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":dead": {"S": dead}},
    )
    releases.aws.client("ssm").put_parameter(Name=PARAMETER, Value=package, Overwrite=True)
    releases.say(package, "Approved")
    told = releases.heard("Release Succeeded", package)
    assert told["previous"] == live
    assert releases.ask() == score(0.61)


def test_old_models_and_configurations_go(releases: Releases, live: str) -> None:
    for value in (0.71, 0.72, 0.73):
        releases.heard("Release Succeeded", release(releases, score(value)))
        releases.settled()
    client = releases.aws.client("sagemaker")
    assert len(client.list_endpoint_configs(NameContains="TryChurnConfig")["EndpointConfigs"]) == 2
    assert len(client.list_models(NameContains="TryChurnModel")["Models"]) == 2
    served, resource = releases.served()
    assert served == resource


def _event(package: str) -> dict[str, Any]:
    return {"detail": {"ModelPackageArn": package, "ModelApprovalStatus": "Approved"}}


def _start(releases: Releases, package: str) -> None:
    releases.aws.client("stepfunctions").start_execution(
        stateMachineArn=releases.outputs["Machine"], input=json.dumps(_event(package))
    )


def test_rejecting_the_last_approved_version_takes_the_endpoint_away(
    releases: Releases, live: str
) -> None:
    client = releases.aws.client("sagemaker")
    for package in releases.versions():
        if package["ModelPackageArn"] != live:
            releases.say(package["ModelPackageArn"], "Rejected")
    releases.settled()
    releases.say(live, "Rejected")
    told = releases.heard("Release Succeeded", "none")
    assert told["previous"] == live
    assert releases.live() == "none"
    assert ENDPOINT not in [e["EndpointName"] for e in client.list_endpoints()["Endpoints"]]
    stack = releases.aws.client("cloudformation").describe_stacks(StackName=HOSTING)["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert GROUP == "try-churn"
