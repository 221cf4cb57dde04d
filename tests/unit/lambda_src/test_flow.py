import copy
from typing import Any

import pytest

from image_analysis.flow import LEASE_MARGIN_SECONDS
from image_analysis.gate import MOST_BYTES
from shared import events
from shared.errors import Busy, Denied, OutOfTime, Transient
from tests.unit.lambda_src.images import jpeg, label, png, segment
from tests.unit.lambda_src.world import QUARANTINE, SETTINGS, World, error

BAD = label("Explicit", 97.5)
DOUBT = label("Alcohol", 70.0)
STRICTER = copy.deepcopy(SETTINGS)
STRICTER["policy"]["moderation"]["*"] = {"accept": [0, 50], "reject": [50, 100]}


@pytest.mark.parametrize(
    ("labels", "decision"), [((), "accept"), ((DOUBT,), "review"), ((DOUBT, BAD), "reject")]
)
def test_an_image_from_claim_to_announcement(world: World, labels: Any, decision: str):
    version = world.put(labels=labels)
    outcome = world.run(version)
    record = world.record(version)
    assert (outcome.kind, record["decision"], record["status"]) == ("analysed", decision, "done")
    assert record["announced"] is True and record["settings"] == world.settings.fingerprint
    assert (record["format"], record["width"], record["height"]) == ("jpeg", 640, 480)
    assert len(record["analyses"]["moderation"]["labels"]) == len(labels)
    assert record["analysed_at"] == "2027-01-15T08:00:00.000Z"
    assert record["expires_at"] == world.now + 365 * 86_400
    assert record["quarantined"] is (decision == "reject")
    assert world.current(version)["decision"] == decision
    (detail,) = world.details()
    events.validate(detail)
    assert detail["object"]["etag"] == record["etag"]


def test_order_of_the_steps(world: World):
    world.run(world.put(labels=(BAD,)))
    assert world.calls == [
        "UpdateItem", "GetObject", "DetectModerationLabels",
        "GetObjectTagging", "UpdateItem", "PutObjectTagging",
        "UpdateItem", "UpdateItem", "PutEvents", "UpdateItem",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", "empty", "empty"),
        (b"just a text", "unsupported_format", "not an image"),
        (b"GIF89a..........", "unsupported_format", "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "unsupported_format", "WebP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported_format", "HEIC"),
        (png(size=MOST_BYTES + 1), "too_large", "15,728,641 bytes"),
        (png(50, 50), "too_small", "50 x 50 pixels; at least 80"),
        (jpeg(79, 5000), "too_small", "79 x 5000"),
        (jpeg(10_001, 90), "too_many_pixels", "at most 10,000"),
    ],
)
def test_unusable_images_cost_no_call_and_are_recorded(
    world: World, data: bytes, code: str, says: str
):
    version = world.put(data=data)
    assert world.run(version).record["decision"] == "unusable"
    record = world.record(version)
    assert record["reasons"][0]["code"] == code and says in record["reasons"][0]["message"]
    assert (record["announced"], record["analyses"]) == (True, {})
    assert "DetectModerationLabels" not in world.calls
    assert world.details()[0]["codes"] == [code]
    assert world.run(version).kind == "repeated"


@pytest.mark.parametrize("data", [png(80, 80), png(10_000, 10_000), png(size=MOST_BYTES)])
def test_limits_themselves_are_allowed(world: World, data: bytes):
    assert world.run(world.put(data=data)).record["decision"] == "accept"


def test_a_size_unknown_is_left_to_the_service(world: World):
    data = jpeg(before=segment(0xE2, b"\0" * 65_000) * 2)
    record = world.run(world.put(data=data)).record
    assert (record["decision"], record["width"], record["size"]) == ("accept", None, len(data))


def test_an_object_deleted_before(world: World):
    version = world.put()
    world.objects.clear()
    assert world.run(version).record["reasons"][0]["code"] == "object_gone"


@pytest.mark.parametrize(
    "code", ["InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"]
)
def test_what_rekognition_cannot_read(world: World, code: str):
    world.fail("DetectModerationLabels", code)
    record = world.run(world.put()).record
    assert record["reasons"][0]["code"] == "unreadable" and record["width"] == 640


def _delete_before_the_call(world: World) -> None:
    def strike(number: int, when: str, operation: str) -> None:
        if operation == "DetectModerationLabels":
            world.objects.clear()

    world.strike = strike


def test_a_version_deleted_under_rekognition(world: World):
    version = world.put()
    _delete_before_the_call(world)
    assert world.run(version).record["reasons"][0]["code"] == "object_gone"
    assert "HeadObject" in world.calls


def test_a_version_that_rekognition_alone_cannot_fetch_is_retried(world: World):
    version = world.put()
    world.fail("DetectModerationLabels", "InvalidS3ObjectException")
    with pytest.raises(Transient, match="there and readable"):
        world.run(version)
    assert world.run(version).record["decision"] == "accept"


def test_a_version_that_may_not_be_read_is_denied(world: World):
    def strike(number: int, when: str, operation: str) -> None:
        if operation == "DetectModerationLabels":
            raise error("InvalidS3ObjectException", operation)
        if operation == "HeadObject":
            raise error("403", operation, 403)

    world.strike = strike
    with pytest.raises(Denied, match="HeadObject"):
        world.run(world.put())


def test_denied_reading_is_no_quarantine(world: World):
    world.fail("GetObject", "AccessDenied", 403)
    with pytest.raises(type(error("", "")), match="AccessDenied"):
        world.run(world.put())


def test_denied_reading_of_tags_reports_the_first_denial(world: World):
    def strike(number: int, when: str, operation: str) -> None:
        if operation.startswith("GetObject"):
            raise error("AccessDenied", operation, 403)

    world.strike = strike
    with pytest.raises(type(error("", "")), match="GetObject operation"):
        world.run(world.put())


def test_without_the_right_to_list_a_missing_version_shows_by_its_tags(world: World):
    version = world.put()
    world.objects.clear()
    world.fail("GetObject", "AccessDenied", 403)
    assert world.run(version).record["reasons"][0]["code"] == "object_gone"


def test_a_quarantine_whose_record_was_lost_is_recorded_again(world: World):
    version = world.put(labels=(BAD,))
    world.run(version)
    world.table.clear()
    record = world.run(version).record
    assert (record["decision"], record["quarantined"]) == ("reject", True)
    assert record["reasons"][0]["code"] == "quarantined"
    assert world.count()["PutObjectTagging"] == 1


def test_quarantine_keeps_other_tags(world: World):
    version = world.put(labels=(BAD,), tags=3)
    world.run(version)
    tags = world.objects[version.key, "v1"].tags
    assert tags == [{"Key": f"k{at}", "Value": str(at)} for at in range(3)] + [QUARANTINE]
    assert "displaced_tag" not in world.record(version)


def test_quarantine_takes_the_place_of_a_tenth_tag(world: World):
    version = world.put(labels=(BAD,), tags=10)
    world.run(version)
    assert len(world.objects[version.key, "v1"].tags) == 10
    assert world.record(version)["displaced_tag"] == {"key": "k9", "value": "9"}


def test_a_rejected_version_deleted_before_its_quarantine(world: World):
    def strike(number: int, when: str, operation: str) -> None:
        if when == "after" and operation == "DetectModerationLabels":
            world.objects.clear()

    world.strike = strike
    record = world.run(world.put(labels=(BAD,))).record
    assert (record["decision"], record["quarantined"]) == ("reject", False)


def test_a_duplicate_changes_nothing(world: World):
    version = world.put(labels=(BAD,))
    world.run(version)
    before = copy.deepcopy((world.table, world.bus, world.objects))
    calls = len(world.calls)
    assert world.run(version).kind == "repeated"
    assert (world.table, world.bus, world.objects) == before
    assert world.calls[calls:] == ["UpdateItem"]


def test_a_duplicate_during_the_work_comes_back_later(world: World):
    version = world.put()
    seen: list[float] = []

    def strike(number: int, when: str, operation: str) -> None:
        if when == "before" and operation == "DetectModerationLabels":
            with pytest.raises(Busy) as busy:
                world.run(version)
            seen.append(busy.value.seconds)

    world.strike = strike
    assert world.run(version).kind == "analysed"
    assert seen == [60.0 + LEASE_MARGIN_SECONDS] and len(world.bus) == 1


def test_an_attempt_that_lost_its_lease_writes_nothing(world: World):
    version = world.put(labels=(BAD,))
    taken: list[Any] = []

    def strike(number: int, when: str, operation: str) -> None:
        if when == "after" and operation == "DetectModerationLabels" and not taken:
            taken.append(None)
            world.now += 91
            taken[0] = world.run(version)
            world.now += 1

    world.strike = strike
    with pytest.raises(Busy):
        world.run(version)
    assert taken[0].kind == "analysed" and len(world.bus) == 1
    assert world.count()["PutObjectTagging"] == 1
    assert world.run(version).kind == "repeated"


def test_versions_out_of_order(world: World):
    older = world.put(version="v1", sequencer="01", labels=(BAD,))
    newer = world.put(version="v2", sequencer="02")
    world.run(newer)
    world.run(older)
    assert world.record(older)["decision"] == "reject"
    assert world.current(newer)["version_id"] == "v2"
    assert {detail["object"]["version_id"] for detail in world.details()} == {"v1", "v2"}


def test_other_settings_judge_again_and_announce_anew(world: World):
    version = world.put(labels=(DOUBT,))
    world.run(version)
    world.configure(STRICTER)
    assert world.run(version).kind == "analysed"
    assert world.record(version)["decision"] == world.current(version)["decision"] == "reject"
    first, second = world.details()
    assert first["id"] != second["id"]


def test_other_settings_never_lift_a_quarantine(world: World):
    world.configure(STRICTER)
    version = world.put(labels=(DOUBT,))
    world.run(version)
    world.configure(SETTINGS)
    assert world.run(version).kind == "repeated"
    assert world.record(version)["decision"] == "reject"


def test_an_event_not_taken_is_announced_by_the_retry(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    version = world.put()
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
    monkeypatch.setattr(world, "events_put_events", lambda Entries: refused, raising=False)
    with pytest.raises(Transient, match="InternalFailure"):
        world.run(version)
    assert world.record(version)["announced"] is False
    monkeypatch.undo()
    assert world.run(version).kind == "announced"
    assert world.record(version)["announced"] is True and len(world.bus) == 1


def test_no_turn_before_the_end_is_out_of_time(world: World):
    slow = {**SETTINGS, "pace": {"DetectModerationLabels": 0.01}}
    world.configure(slow)
    world.run(world.put(version="v1"))
    with pytest.raises(OutOfTime):
        world.run(world.put(version="v2"))
    assert world.count()["DetectModerationLabels"] == 1
