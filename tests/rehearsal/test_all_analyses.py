"""Every analysis on one picture, on the deployed stacks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.rehearsal.full_picture import SEEN, STATEMENTS
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import Platform
from tests.rehearsal.policies import Policy
from tests.rehearsal.test_least_privilege import denials

numbers = iter(range(70_000, 80_000))
MODEL = "arn:aws:rekognition:us-east-1:000000000000:project/shelf/version/v1/1700000000000"


@pytest.fixture(scope="module")
def role(all_deployed: Platform) -> Policy:
    return all_deployed.function_policy()


@pytest.fixture
def image(picture: Callable[..., bytes]) -> bytes:
    """A picture that no other test uses."""
    return picture(next(numbers))


def upload(platform: Platform, image: bytes, **changed: Any) -> tuple[str, str]:
    """Put a picture in which everything is seen; return its key and version."""
    key = f"incoming/all/{next(numbers)}.jpg"
    platform.aws.rekognition.script(image, {**SEEN, **changed})
    return key, platform.upload(key, image)


def counted(platform: Platform) -> dict[str, int]:
    """Successful calls by operation since Rekognition was cleared."""
    return {name: calls.get("ok", 0) for name, calls in platform.aws.rekognition.calls().items()}


def test_one_pass_sees_everything(full: Platform, image: bytes) -> None:
    key, version = upload(full, image)
    record = full.record(key, version)
    assert record["decision"] == "accept"
    found = record["analyses"]
    assert sorted(found) == [
        "celebrities", "custom_labels", "faces", "image_quality", "labels", "moderation", "text"
    ]  # fmt: skip
    first, second = found["faces"]["faces"]
    assert [each["name"] for each in first["emotions"]] == ["HAPPY", "CALM", "SURPRISED"]
    assert [int(year) for year in second["age_range"]] == [28, 40]
    names = [label["name"] for label in found["labels"]["labels"]]
    assert "Citrus Fruit" in names and "Umbrella" not in names  # below 70
    assert len(found["labels"]["labels"][0]["instances"]) == 4
    assert float(found["image_quality"]["sharpness"]) == 89.3
    assert [line["text"] for line in found["text"]["lines"]] == ["FRESH LEMONS"]
    assert [each["name"] for each in found["celebrities"]["celebrities"]] == ["Example Celebrity"]
    (model,) = found["custom_labels"]["models"]
    assert (model["model"], [each["name"] for each in model["labels"]]) == (MODEL, ["gap"])
    assert found["moderation"]["content_types"][0]["name"] == "Illustrated"
    assert counted(full) == dict.fromkeys(SEEN, 1)


def test_a_category_and_a_custom_label_are_judged(full: Platform, image: bytes) -> None:
    gun = {
        "Name": "Gun", "Confidence": 91.0, "Instances": [], "Parents": [],
        "Categories": [{"Name": "Weapons and Military"}],
    }  # fmt: skip
    labels = {**SEEN["DetectLabels"], "Labels": [gun]}
    custom = {"CustomLabels": [{"Name": "gap", "Confidence": 95.0}]}
    key, version = upload(full, image, DetectLabels=labels, DetectCustomLabels=custom)
    record = full.record(key, version)
    assert record["decision"] == "review"
    rules = {(reason["analysis"], reason["rule"]) for reason in record["reasons"]}
    assert rules == {("labels", "Weapons and Military"), ("custom_labels", "gap")}


def test_one_analysis_that_fails_is_tried_again_alone(full: Platform, image: bytes) -> None:
    full.aws.rekognition.fail("DetectText", "ThrottlingException", times=3)
    key, version = upload(full, image)
    record = full.record(key, version)
    assert record["attempts"] == 2 and "partial" not in record
    assert len(record["analyses"]) == 7
    assert counted(full) == dict.fromkeys(SEEN, 1)


def test_the_same_bytes_under_another_key_cost_no_call_and_need_the_right_to_read(
    full: Platform, role: Policy, image: bytes
) -> None:
    key, version = upload(full, image)
    first = full.record(key, version)
    started = time.time()
    with role.without("ReadAnswers"):
        again, second = upload(full, image)
        (denied, *_) = wait_for(lambda: denials(full, started), what="a denial")
        assert "dynamodb:GetItem" in denied["reason"]
    record = full.record(again, second, seconds=40)
    assert counted(full) == dict.fromkeys(SEEN, 1)
    assert (record["analyses"], record["calls_saved"]) == (first["analyses"], 6)
    (line,) = full.logged("CallsSaved", started)
    told = json.loads(line)
    assert (told["CallsSaved"], told["DollarsSaved"]) == (6, 0.00575)


def test_images_wait_for_a_model_that_is_not_running(full: Platform, image: bytes) -> None:
    started = time.time()
    full.aws.rekognition.fail("DetectCustomLabels", "ResourceNotReadyException")
    key, version = upload(full, image)
    (line, *_) = wait_for(lambda: full.logged("model_not_running", started), what="the reason")
    told = json.loads(line)
    assert (told["kind"], told["retry_seconds"], told["MessagesWaiting"]) == ("waiting", 1, 1)
    assert "shelf/v1 is not running" in told["reason"]
    assert len((full.item(key, f"version#{version}") or {})["partial"]["answers"]) == 6
    full.aws.rekognition.heal("DetectCustomLabels")
    assert full.record(key, version)["decision"] == "accept"
    assert counted(full) == dict.fromkeys(SEEN, 1)


@pytest.mark.parametrize("operation", sorted(SEEN))
def test_without_its_permission_an_analysis_stops_and_with_it_it_goes_on(
    operation: str, full: Platform, role: Policy, image: bytes
) -> None:
    started = time.time()
    with role.without_action(STATEMENTS[operation], f"rekognition:{operation}"):
        key, version = upload(full, image)
        (denied, *_) = wait_for(lambda: denials(full, started), what="a denial")
        assert f"rekognition:{operation}" in denied["reason"]
        assert not (full.item(key, f"version#{version}") or {}).get("announced")
    assert full.record(key, version, seconds=40)["decision"] == "accept"


def crowd() -> dict[str, dict[str, Any]]:
    """A hundred faces and many labels: more than a record takes."""
    face = SEEN["DetectFaces"]["FaceDetails"][0]
    marks = face["Landmarks"] * 6
    labels = SEEN["DetectLabels"]
    lemon = labels["Labels"][0]
    return {
        "DetectFaces": {"FaceDetails": [{**face, "Landmarks": marks}] * 100},
        "DetectText": {
            "TextDetections": [
                {"DetectedText": "x" * 3000, "Type": "LINE", "Id": number, "Confidence": 99.0}
                for number in range(100)
            ],
            "TextModelVersion": "3.0",
        },
        "DetectLabels": {**labels, "Labels": [{**lemon, "Instances": lemon["Instances"] * 200}]},
    }


def test_large_results_lie_in_the_data_bucket_and_need_their_permission(
    full: Platform, role: Policy, image: bytes
) -> None:
    started = time.time()
    with role.without("KeepLargeResults"):
        key, version = upload(full, image, **crowd())
        (denied, *_) = wait_for(lambda: denials(full, started), what="a denial")
        assert "s3:PutObject" in denied["reason"]
    record = full.record(key, version, seconds=40)
    place = record["results"]
    assert place["bucket"] == full.foundation["DataBucketName"]
    stored = full.aws.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])
    kept = json.loads(stored["Body"].read())
    assert len(kept["faces"]["faces"]) == 100
    assert record["analyses"]["faces"] == {"version": 1}
    assert stored["ServerSideEncryption"] == "aws:kms"


def test_the_role_may_use_its_own_model_and_no_other(role: Policy) -> None:
    (statement,) = [
        each for each in role.document["Statement"] if each["Sid"] == "AnalyseDetectCustomLabels"
    ]
    assert (statement["Action"], statement["Resource"]) == ("rekognition:DetectCustomLabels", MODEL)
