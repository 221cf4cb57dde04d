"""A Custom Labels model on the deployed stacks: trained, gated, started, used, stopped, deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rehearsal.deploy import delete
from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for
from tests.rehearsal.policies import Policy
from tests.rehearsal.shelves import NAME, PROJECT, Shelves

numbers = iter(range(90_000, 91_000))


@pytest.fixture(scope="module")
def shelves(
    run_folders_of_our_own: None, tmp_path_factory: Any, picture: Callable[..., bytes]
) -> Iterator[Shelves]:
    """The environment on an embedded AWS of its own, whose models and waits are turned here."""
    with Rehearsal.start(samples=()) as aws:
        yield Shelves.deploy(aws, tmp_path_factory.mktemp(NAME), picture(1))


@pytest.fixture(scope="module")
def trained(shelves: Shelves) -> Shelves:
    """With a live version."""
    shelves.manifests()
    ended = shelves.train()
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    return shelves


def resting(shelves: Shelves) -> None:
    """Let every lease be over and every version stopped."""
    shelves.note(used_at=0, lease_until=0)
    shelves.sweep_until(("STOPPED", "TRAINING_COMPLETED"))


def cause(ended: dict[str, Any]) -> str:
    return str(ended["cause"]).replace("\\n", "\n").replace('\\"', '"')


def test_every_mistake_in_the_manifests_is_told_before_anything_is_billed(
    shelves: Shelves,
) -> None:
    good = shelves.lines("train")
    wrong = json.loads(good[1])
    del wrong["shelf-metadata"]["class-name"]
    missing = good[2].replace("empty-0", "nowhere")
    lines = [good[0], json.dumps(wrong), "{", missing, good[0]]
    shelves.put("train.manifest", "\n".join(lines).encode())
    shelves.put("test.manifest", "\n".join(shelves.lines("test")).encode())
    before = shelves.versions()
    ended = shelves.train()
    assert (ended["status"], ended["error"]) == ("FAILED", "ManifestErrors")
    told = cause(ended)
    for words in (
        "train.manifest:2: shelf-metadata.class-name is missing",
        "train.manifest:3: is not JSON",
        "train.manifest:4: there is no object",
        "train.manifest:5: names the same image as line 1",
        "train.manifest: has 1 images of 'full'; allowed are 2 or more",
    ):
        assert words in told
    assert shelves.versions() == before
    assert shelves.aws.rekognition.calls().get("CreateProjectVersion") is None


def test_without_manifests_their_place_is_told(shelves: Shelves) -> None:
    key = shelves.outputs["ShelfDataPrefix"] + "train.manifest"
    shelves.aws.client("s3").delete_object(Bucket=shelves.bucket, Key=key)
    ended = shelves.train()
    assert ended["error"] == "ManifestErrors" and f"there is no s3://{shelves.bucket}/{key}" in (
        cause(ended)
    )


def test_a_version_that_passes_goes_live_with_its_lineage_and_its_tag(trained: Shelves) -> None:
    live = trained.state()["live"]
    (item,) = [each for each in trained.items("model#shelf") if each.get("arn") == live]
    assert item["passed"] and float(item["f1"]) == pytest.approx(0.9)
    assert {name: float(recall) for name, recall in item["recalls"].items()} == {
        "full": 0.9, "empty": 0.8
    }  # fmt: skip
    client = trained.aws.client("s3")
    key = trained.outputs["ShelfDataPrefix"] + "train.manifest"
    head = client.head_object(Bucket=trained.bucket, Key=key, VersionId=item["train"]["version"])
    assert head["VersionId"] == item["train"]["version"]
    assert item["train"]["images"] == 4 and len(item["train"]["sha256"]) == 64
    tags = trained.aws.client("rekognition").list_tags_for_resource(ResourceArn=live)["Tags"]
    assert tags["sagelens:gate"] == "passed"


@pytest.mark.parametrize(
    ("f1", "recalls", "words"),
    [
        (0.7, {}, "its F1 is 0.700; wanted 0.8 or more"),
        (0.9, {"empty": 0.5}, "the recall of 'empty' is 0.500; wanted 0.6 or more"),
    ],
)
def test_a_version_that_does_not_pass_does_not_go_live(
    trained: Shelves, f1: float, recalls: dict[str, float], words: str
) -> None:
    live = trained.state()["live"]
    trained.manifests(f1, recalls)
    ended = trained.train()
    assert (ended["status"], ended["error"]) == ("FAILED", "GateNotPassed")
    assert words in cause(ended)
    assert trained.state()["live"] == live
    newest = next(iter(trained.versions()))
    tags = trained.aws.client("rekognition").list_tags_for_resource(ResourceArn=newest)["Tags"]
    assert tags["sagelens:gate"] == "failed"


def test_a_training_that_fails_is_told(trained: Shelves) -> None:
    train = "\n".join([*trained.lines("train"), ""]).encode()
    trained.aws.rekognition.script_training(train, failure="The images are all alike")
    ended = trained.train()
    assert ended["error"] == "TrainingFailed" and "The images are all alike" in cause(ended)


def test_an_image_waits_in_the_table_until_its_model_runs_and_the_lease_ends(
    trained: Shelves, picture: Callable[..., bytes]
) -> None:
    resting(trained)
    key = "incoming/waits.jpg"
    version = trained.upload(key, picture(next(numbers)))
    (parked,) = wait_for(lambda: trained.items("parked"), what="a parked message")
    assert parked["needs"] == ["shelf"]
    trained.platform.settle()
    trained.sweep_until(("RUNNING",))
    record = trained.platform.record(key, version)
    (model,) = record["analyses"]["custom_labels"]["models"]
    assert model["model"] == trained.state()["live"] and record["decision"] == "review"
    assert trained.items("parked") == []
    used = float(trained.state()["used_at"])
    assert time.time() - used < 60
    # Its lease runs on, and then it does not.
    assert trained.versions()[trained.state()["live"]] == "RUNNING"
    trained.note(used_at=int(used) - 300)
    trained.sweep_until(("STOPPED",))


def test_a_starter_that_dies_leaves_nothing_running(trained: Shelves) -> None:
    """Whoever it was that started the version: nothing wants it, and the schedule ends it."""
    resting(trained)
    live = trained.state()["live"]
    trained.aws.rekognition.model_times(training=0, start=1.0, stop=0)
    client = trained.aws.client("rekognition")
    client.start_project_version(ProjectVersionArn=live, MinInferenceUnits=1)
    assert not trained.sweep()
    assert trained.versions()[live] == "STARTING"  # it cannot be stopped yet

    ahead = iter(range(61, 3_600, 61))

    def stopped() -> bool:
        trained.aws.fire_schedules(within=next(ahead))
        return trained.versions()[live] in ("STOPPING", "STOPPED")

    wait_for(stopped, seconds=30, what="a stop by the schedule")
    trained.aws.rekognition.model_times(training=0, start=0, stop=0)


# By statement: what is then denied.
TRAINING = {
    "Step": "lambda:InvokeFunction",
    "Train": "rekognition:CreateProjectVersion",
    "SeeBuckets": "s3:GetBucketAcl",
    "ReadData": "s3:GetObject",
    "WriteResults": "s3:PutObject",
    "UseKey": "train.manifest",  # whose key it cannot use
    "EncryptVolumes": "kms:CreateGrant",
}
STEPS = {
    "ReadData": "AccessDenied",
    "TellGoneFromDenied": "Forbidden",
    "ReadFigures": "AccessDenied",
    "SeeProject": "rekognition:DescribeProjects",
    "TagVersions": "rekognition:TagResource",
    "RecordTraining": "dynamodb:PutItem",
    "UseKey": "kms:Decrypt",
}
BY_JUDGES = {"DeliverLogs", "Trace", "WriteLogs"}


def roles(shelves: Shelves) -> dict[str, str]:
    """The Custom Labels stack's roles, by logical id."""
    found = shelves.aws.client("cloudformation").describe_stack_resources(
        StackName=f"sagelens-{NAME}-custom-labels"
    )["StackResources"]
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in found
        if each["ResourceType"] == "AWS::IAM::Role"
    }


def policy(shelves: Shelves, part: str) -> Policy:
    (name,) = [role for logical, role in roles(shelves).items() if logical.startswith(part)]
    return Policy(shelves.aws, name)


@pytest.mark.parametrize("sid", TRAINING)
def test_a_training_needs_each_statement(trained: Shelves, sid: str) -> None:
    trained.manifests()
    machine = policy(trained, "ShelfTrainingRole")
    assert machine.statements == {*TRAINING, *BY_JUDGES - {"WriteLogs"}}
    with machine.without(sid):
        ended = trained.train()
    assert ended["status"] == "FAILED" and TRAINING[sid] in cause(ended)


@pytest.mark.parametrize("sid", STEPS)
def test_its_steps_need_each_statement(trained: Shelves, sid: str) -> None:
    trained.manifests()
    worker = policy(trained, "ShelfTrainingWorkerRole")
    assert worker.statements == {*STEPS, "WriteLogs"}
    if sid == "TellGoneFromDenied":
        trained.put("train.manifest", b"\n".join(_gone(trained)))
    with worker.without(sid):
        ended = trained.train()
    assert ended["status"] == "FAILED" and ended["error"] != "ManifestErrors", cause(ended)


def _gone(shelves: Shelves) -> list[bytes]:
    return [each.replace("full-0", "gone").encode() for each in shelves.lines("train")]


@pytest.mark.parametrize("sid", ["SeeVersions", "StartAndStop", "KeepModels", "UseKey", "SendBack"])
def test_the_keeper_needs_each_statement(
    trained: Shelves, sid: str, picture: Callable[..., bytes]
) -> None:
    resting(trained)
    name = next(
        role for logical, role in roles(trained).items() if logical.startswith("KeeperWorkerRole")
    )
    names = trained.aws.client("iam").list_role_policies(RoleName=name)["PolicyNames"]
    found = [Policy(trained.aws, name, each) for each in names]
    assert {sid for each in found for sid in each.statements} == {
        "SeeVersions", "StartAndStop", "KeepModels", "UseKey", "SendBack", "WriteLogs"
    }  # fmt: skip
    (own,) = [each for each in found if sid in each.statements]
    key = f"incoming/least/{sid}.jpg"
    version = trained.upload(key, picture(next(numbers)))
    wait_for(lambda: trained.items("parked"), what="a parked message")
    if sid == "SendBack":
        with own.without_statements():
            wait_for(lambda: "sqs:SendMessage" in trained.sweep(), what="a refusal")
            assert trained.items("parked")
    else:
        with own.without(sid):
            assert trained.sweep()
    trained.sweep_until(("RUNNING",))
    assert trained.platform.record(key, version)["decision"] == "review"


def test_images_are_not_lost_while_the_function_may_not_keep_them(
    trained: Shelves, picture: Callable[..., bytes]
) -> None:
    resting(trained)
    key = "incoming/least/park.jpg"
    with trained.platform.function_policy().without("UseCustomModels"):
        version = trained.upload(key, picture(next(numbers)))
        time.sleep(0.5)
        assert trained.items("parked") == []
    wait_for(lambda: trained.items("parked"), seconds=20, what="a parked message")
    trained.sweep_until(("RUNNING",))
    assert trained.platform.record(key, version)["decision"] == "review"


def test_the_stack_goes_with_versions_that_run(trained: Shelves) -> None:
    trained.note(lease_until=int(time.time()) + 600)
    trained.sweep_until(("RUNNING",))
    for stack in ("vision", "custom-labels"):
        delete(trained.aws, [f"sagelens-{NAME}-{stack}"])
    client = trained.aws.client("rekognition")
    assert client.describe_projects(ProjectNames=[PROJECT])["ProjectDescriptions"] == []
