"""Blurred copies on the deployed stacks."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from rehearsal.samples.catalogue import FOLDER
from tests.rehearsal.full_picture import SEEN
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import REJECTED, Platform
from tests.rehearsal.policies import Policy

numbers = iter(range(150_000, 159_000))
# Each is denied as soon as it is missing, and the copy comes once it is back.
ENFORCED = ("Records", "ReadImages", "WriteCopies")
# By the analysis's own test: faces are kept in this environment's records, so none are asked for.
ELSEWHERE = {
    "FindFaces": "tests/unit: asked for only where the record keeps no places",
    "ReadLargeResults": "test_large_results_say_where_faces_are",
    "TakeCopiesBack": "test_a_rejection_by_a_person_takes_the_copy_away",
    "TellGoneFromDenied": "tests/rehearsal/test_least_privilege.py: the same of the same bucket",
    "UseKey": "tests/rehearsal/test_image_results.py: the queue cannot be polled without it",
    "WorkQueue": "the queue cannot be polled without it",
    "WriteLogs": "edges: the role writes to the function's log group",
}


@pytest.fixture(scope="module")
def role(all_deployed: Platform) -> Policy:
    found = all_deployed.aws.client("lambda").list_functions()["Functions"]
    (own,) = [each for each in found if each["Handler"] == "face_blur.handler.handler"]
    return Policy(all_deployed.aws, own["Role"])


@pytest.fixture
def put(full: Platform, picture: Callable[..., bytes]) -> Callable[..., tuple[str, str]]:
    def upload(**seen: Any) -> tuple[str, str]:
        number = next(numbers)
        key, image = f"incoming/blur/{number}.jpg", picture(number)
        full.aws.rekognition.script(image, {**SEEN, **seen})
        version = full.upload(key, image)
        full.record(key, version)
        return key, version

    return upload


def copy_of(full: Platform, key: str, version: str) -> dict[str, str] | None:
    return (full.item(key, f"version#{version}") or {}).get("blurred_copy")


def content(full: Platform, copy: dict[str, str]) -> bytes:
    place = {"Bucket": copy["bucket"], "Key": copy["key"], "VersionId": copy["version_id"]}
    found = full.aws.client("s3").get_object(**place)
    assert found["ServerSideEncryption"] == "aws:kms"
    return found["Body"].read()


def test_an_accepted_picture_gets_a_copy_without_its_faces(full: Platform) -> None:
    market = (FOLDER / "vision" / "market.jpg").read_bytes() + b"\0"  # not the sample's own bytes
    full.aws.rekognition.script(market, SEEN)
    key = f"incoming/blur/{next(numbers)}.jpg"
    version = full.upload(key, market)
    copy = wait_for(lambda: copy_of(full, key, version), what="a copy")
    assert copy["bucket"] == full.foundation["DataBucketName"]
    calls = full.aws.rekognition.calls()
    assert calls["DetectFaces"]["ok"] == 1  # the record says where faces are
    with Image.open(io.BytesIO(content(full, copy))) as blurred:
        blurred.load()
    with Image.open(io.BytesIO(market)) as original:
        whole = original.convert("RGB").resize(blurred.size)
    assert max(blurred.size) == 800 and "exif" not in blurred.info
    box = SEEN["DetectFaces"]["FaceDetails"][0]["BoundingBox"]
    left, top = box["Left"] * blurred.width, box["Top"] * blurred.height
    area = (
        round(left),
        round(top),
        round(left + box["Width"] * blurred.width),
        round(top + box["Height"] * blurred.height),
    )
    assert edges(blurred.crop(area)) * 2 < edges(whole.crop(area))


def edges(image: Image.Image) -> float:
    """How much neighbouring dots differ."""
    grey = image.convert("L")
    dots = grey.tobytes()
    steps = [
        abs(dots[at] - dots[at + 1]) for at in range(len(dots) - 1) if (at + 1) % grey.width != 0
    ]
    return sum(steps) / len(steps)


def test_copies_are_not_analysed(full: Platform, put: Any) -> None:
    key, version = put()
    copy = wait_for(lambda: copy_of(full, key, version), what="a copy")
    full.settle()
    found = full.aws.client("dynamodb").query(
        TableName=full.foundation["ResultsTableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"s3://{copy['bucket']}/{copy['key']}"}},
    )
    assert not found["Items"]


def test_a_rejected_picture_has_none(full: Platform, put: Any) -> None:
    key, version = put(DetectModerationLabels=REJECTED)
    full.settle()
    assert full.item(key, f"version#{version}")["decision"] == "reject"  # type: ignore[index]
    assert copy_of(full, key, version) is None


def test_a_rejection_by_a_person_takes_the_copy_away(
    full: Platform, role: Policy, put: Any
) -> None:
    from tests.rehearsal.test_reviews import CALL
    from tools.reviewing import Desk

    key, version = put(DetectText=CALL)
    copy = wait_for(lambda: copy_of(full, key, version), what="a copy")
    desk = Desk.of(full.aws.session(full.foundation["ReviewerRoleArn"]), full.foundation)
    with role.without("TakeCopiesBack"):
        desk.decide(f"s3://{full.bucket}/{key}", "reject", by="arn:test", reason="ours")
        time.sleep(1)
        assert copy_of(full, key, version) == copy
    wait_for(lambda: copy_of(full, key, version) is None, what="no copy")
    listed = full.aws.client("s3").list_object_versions(Bucket=copy["bucket"], Prefix=copy["key"])
    assert not listed.get("Versions")


def test_large_results_say_where_faces_are(full: Platform, role: Policy, put: Any) -> None:
    from tests.rehearsal.test_all_analyses import crowd

    with role.without("ReadLargeResults"):
        key, version = put(**crowd())
        time.sleep(1)
        assert copy_of(full, key, version) is None
    assert wait_for(lambda: copy_of(full, key, version), what="a copy")


@pytest.mark.parametrize("sid", ENFORCED)
def test_without_each_statement_no_copy_comes_and_with_it_it_does(
    sid: str, full: Platform, role: Policy, put: Any
) -> None:
    with role.without(sid):
        key, version = put()
        time.sleep(1)
        assert copy_of(full, key, version) is None
        assert full.waiting(full.results["BlurredCopiesQueueUrl"]) == 1
    assert wait_for(lambda: copy_of(full, key, version), what="a copy")


def test_every_statement_is_accounted_for(role: Policy) -> None:
    assert role.statements == {*ENFORCED, *ELSEWHERE}
