"""Every analysis on one image: one record, one decision, no call paid twice."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_analysis.overflow import Overflow
from shared.dynamodb import size_of, to_attribute
from shared.errors import ModelNotRunning, RecordTooLarge
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.images import label
from tests.unit.lambda_src.world import World
from tests.unit.lambda_src.world import model as world_model

MODERATION = "DetectModerationLabels"
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


def crowded() -> dict[str, Any]:
    """A hundred faces with all their landmarks, and many labels: more than a record takes."""
    shape = world_model("rekognition").shape_for("LandmarkType")
    one = {
        **seen.full_face(99.5),
        "Landmarks": [{"Type": name, "X": 0.123456, "Y": 0.654321} for name in shape.enum],
    }
    (car, *_) = seen.LABELS["Labels"]
    labels = {**seen.LABELS, "Labels": [{**car, "Name": f"Car {number}"} for number in range(600)]}
    return {**seen.SEEN, "DetectFaces": {"FaceDetails": [one] * 100}, "DetectLabels": labels}


def test_results_too_large_for_a_record_lie_in_s3_and_the_record_points_there():
    world = World(settings(image_quality=QUALITY))
    version = world.put(sees=crowded())
    world.run(version)
    record = world.record(version)
    assert size_of(record) < 10_000
    assert (record["decision"], record["status"]) == ("review", "done")
    assert record["reasons"][0]["label"] == "Blurred"
    place = record["results"]
    kept = world.kept[place["bucket"], place["key"]]
    assert len(kept["faces"]["faces"]) == 100 and sorted(kept) == sorted(seen.OPTIONS)
    assert record["analyses"]["faces"] == {"version": 1}
    assert place["key"].startswith("results/vision/") and version.key not in place["key"]
    assert world.details()[0]["analyses"] == sorted(seen.OPTIONS)


def test_large_answers_of_an_earlier_try_are_asked_for_again():
    world = World(settings())
    version = world.put(sees=crowded())
    world.fail("DetectText", "ThrottlingException")
    with pytest.raises(ClientError):
        world.run(version)
    assert "partial" not in world.record(version)
    world.run(version)
    assert world.count()["DetectFaces"] == 2
    assert world.record(version)["results"]


def test_answers_read_back_from_a_record_can_lie_in_s3():
    world = World(settings())
    version = world.put(sees=seen.SEEN)
    world.fail("DetectText", "ThrottlingException")
    with pytest.raises(ClientError):
        world.run(version)
    many = {**seen.TEXT, "TextDetections": seen.TEXT["TextDetections"] * 2_000}
    world.seen["v1"]["DetectText"] = many
    world.run(version)
    (kept,) = world.kept.values()
    assert kept["image_quality"]["sharpness"] == 12.5


def test_without_a_place_for_them_large_results_fail_in_words():
    world = World(settings())
    version = world.put(sees=crowded())
    world.flow = replace(world.flow, overflow=Overflow(None, None))
    with pytest.raises(RecordTooLarge, match="bytes of at most 350,000"):
        world.run(version)


def test_smaller_results_leave_no_pointer_behind():
    world = World(settings())
    version = world.put(sees=crowded())
    world.run(version)
    world.configure(settings(image_quality=QUALITY))
    world.seen["v1"] = {**seen.SEEN, "DetectModerationLabels": world.seen["v1"][MODERATION]}
    world.run(version)
    record = world.record(version)
    assert "results" not in record and record["decision"] == "review"


def test_what_is_for_review_waits_and_what_is_decided_does_not():
    world, record = run(image_quality=QUALITY)
    assert record["review"] == "waiting"
    assert "review" not in run()[1]
    world = World(settings(image_quality=QUALITY))
    version = world.put(sees=seen.SEEN)
    world.run(version)
    world.configure(settings())
    world.run(version)
    assert "review" not in world.record(version)
    assert world.record(version)["decision"] == "accept"


def test_what_a_person_decided_stands_when_the_policy_changes():
    world = World(settings(image_quality=QUALITY))
    version = world.put(sees=seen.SEEN)
    world.run(version)
    item = world.table[version.uri, "version#v1"]
    item["reviewed"] = to_attribute({"decision": "accept"})
    item["decision"] = to_attribute("accept")
    world.configure(settings())
    assert world.run(version).kind == "repeated"
    assert world.count()["DetectLabels"] == 1
