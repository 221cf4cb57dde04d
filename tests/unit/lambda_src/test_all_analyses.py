"""Every analysis on one image: one record, one decision, no call paid twice."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_analysis.errors import ModelNotRunning
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.images import label
from tests.unit.lambda_src.world import World

ACCEPT = {"*": {"accept": [0, 100]}}
QUALITY = {"*": {"accept": [0, 100]}, "Blurred": {"accept": [0, 80], "review": [80, 100]}}


def settings(**policies: Any) -> dict[str, Any]:
    operations = {*seen.SEEN, "DetectModerationLabels"}
    return {
        "analyses": seen.OPTIONS,
        "policy": {**dict.fromkeys(seen.OPTIONS, ACCEPT), **policies},
        "pace": dict.fromkeys(operations, 100),
        "retry": {"first": 5, "most": 300, "denied": 900},
    }


def run(**policies: Any) -> tuple[World, Any]:
    world = World(settings(**policies))
    version = world.put(sees=seen.SEEN)
    world.run(version)
    return world, world.record(version)


def test_one_image_makes_six_calls_and_one_record():
    world, record = run()
    assert sorted(operation for operation, _ in world.asked) == sorted(
        [*seen.SEEN, "DetectModerationLabels"]
    )
    assert sorted(record["analyses"]) == sorted(seen.OPTIONS)
    assert record["decision"] == "accept"
    shared = dict(world.asked)["DetectLabels"]
    assert shared["Features"] == ["GENERAL_LABELS", "IMAGE_PROPERTIES"]
    (detail,) = world.details()
    assert detail["analyses"] == sorted(seen.OPTIONS)
    text = json.dumps(detail)
    assert not any(word in text for word in ("CALL", "Car", "HAPPY", "Celebrity", "gap"))


@pytest.mark.parametrize(
    ("analysis", "rules", "label", "rule"),
    [
        ("labels", {"Vehicle": {"review": [0, 100]}}, "Car", "Vehicle"),
        ("labels", {"Vehicles and Automotive": {"review": [0, 100]}}, "Car",
         "Vehicles and Automotive"),
        ("celebrities", {"Example Celebrity": {"review": [0, 100]}}, "Example Celebrity",
         "Example Celebrity"),
        ("custom_labels", {"gap": {"review": [0, 100]}}, "gap", "gap"),
        ("custom_labels", {"shelf": {"review": [0, 100]}}, "gap", "shelf"),
        ("text", {"phone": {"review": [0, 100]}}, "phone", "phone"),
        ("faces", {"Several faces": {"review": [0, 100]}}, "Several faces", "Several faces"),
        ("image_quality", {"Blurred": {"review": [0, 100]}}, "Blurred", "Blurred"),
    ],
)  # fmt: skip
def test_each_analysis_is_judged_by_its_own_rules(
    analysis: str, rules: dict[str, Any], label: str, rule: str
):
    _, record = run(**{analysis: {**ACCEPT, **rules}})
    assert record["decision"] == "review"
    assert record["reasons"][0]["analysis"] == analysis
    assert (record["reasons"][0]["label"], record["reasons"][0]["rule"]) == (label, rule)


def test_a_poor_picture_is_told_what_to_send():
    _, record = run(image_quality=QUALITY)
    (reason,) = record["reasons"]
    assert reason["label"] == "Blurred"
    assert reason["advice"] == "the sharpness is 12 of 100: send a sharper picture"


def test_one_analysis_failing_is_retried_alone():
    world = World(settings())
    version = world.put(sees=seen.SEEN)
    world.fail("DetectText", "ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        world.run(version)
    kept = world.record(version)["partial"]
    assert sorted(kept["answers"]) == sorted(set(seen.OPTIONS) - {"text"})
    world.asked.clear()
    world.run(version)
    assert [operation for operation, _ in world.asked] == ["DetectText"]
    record = world.record(version)
    assert "partial" not in record
    clean = run()[1]
    for name in ("analyses", "decision", "reasons", "settings"):
        assert record[name] == clean[name]


def test_a_policy_that_changed_meanwhile_begins_anew():
    world = World(settings())
    version = world.put(sees=seen.SEEN)
    world.fail("DetectText", "ThrottlingException")
    with pytest.raises(ClientError):
        world.run(version)
    world.configure(settings(image_quality=QUALITY))
    world.asked.clear()
    world.run(version)
    assert len(world.asked) == 6
    assert world.record(version)["decision"] == "review"


def test_a_model_that_is_not_running_keeps_the_others_answers():
    world = World(settings())
    version = world.put(sees=seen.SEEN)
    world.fail("DetectCustomLabels", "ResourceNotReadyException")
    with pytest.raises(ModelNotRunning, match="shelf/v1 is not running"):
        world.run(version)
    assert len(world.record(version)["partial"]["answers"]) == 6
    world.run(version)
    assert world.count()["DetectFaces"] == 1


def test_a_rejecting_verdict_keeps_no_second_copy_of_the_answers():
    world = World(settings(moderation={"*": {"reject": [0, 100]}}))
    version = world.put(sees=seen.SEEN, labels=(label("Weapons", 90),))
    world.fail("DetectText", "ThrottlingException")
    with pytest.raises(ClientError):
        world.run(version)
    world.fail("PutObjectTagging", "SlowDown", 503)
    with pytest.raises(ClientError):
        world.run(version)
    record = world.record(version)
    assert "pending" in record and "partial" not in record
    world.run(version)
    assert world.record(version)["decision"] == "reject"
    assert world.count()["DetectFaces"] == 1


def test_an_unusable_image_keeps_nothing():
    world = World(settings())
    version = world.put(sees=seen.SEEN)
    world.fail("DetectText", "InvalidImageFormatException")
    world.run(version)
    record = world.record(version)
    assert record["decision"] == "unusable" and record["analyses"] == {}
    assert "partial" not in record
