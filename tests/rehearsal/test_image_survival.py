"""What the image flow survives, each on the deployed stacks with real files and real messages."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import ACCEPTED, OPERATION, REJECTED, Platform
from tools.redrive import redrive

numbers = iter(range(1, 1_000_000))


@pytest.fixture
def image(picture: Callable[..., bytes]) -> bytes:
    """A picture that no other test uses."""
    return picture(next(numbers))


def fresh(name: str) -> str:
    """A key that no other test uses."""
    return f"incoming/{next(numbers)}/{name}"


def announced(platform: Platform, key: str) -> list[dict[str, Any]]:
    return [event for event in platform.heard() if event["object"]["key"] == key]


def test_an_image_is_judged_recorded_and_announced(platform: Platform, image: bytes) -> None:
    key = fresh("holiday.jpg")
    version = platform.upload(key, image, REJECTED)
    record = platform.record(key, version)
    assert record["decision"] == "reject"
    assert record["etag"] and record["size"] == len(image) and record["format"] == "jpeg"
    (reason, _) = record["reasons"]
    assert (reason["label"], float(reason["confidence"])) == ("Weapons", 91.5)
    moderation = record["analyses"]["moderation"]
    assert moderation["model_version"] == "7.0"
    assert {label["name"]: label["parent"] for label in moderation["labels"]} == {
        "Weapons": "Violence",
        "Violence": None,
    }
    assert record["analysed_at"] and record["created_at"] and record["expires_at"]
    assert platform.item(key, "current")["version_id"] == version
    (event,) = wait_for(lambda: announced(platform, key), what="the event")
    assert event["decision"] == "reject"
    assert event["record"]["sk"] == f"version#{version}"
    assert "labels" not in json.dumps(event)


def test_a_duplicate_event_changes_and_costs_nothing(platform: Platform, image: bytes) -> None:
    key = fresh("twice.jpg")
    version = platform.upload(key, image, ACCEPTED)
    before = platform.record(key, version)
    calls = platform.calls()
    for _ in range(2):
        platform.send(platform.event(key, version, sequencer=before["sequencer"]))
    platform.settle()
    assert platform.record(key, version) == before
    assert platform.calls() == calls
    assert len(announced(platform, key)) == 1


def test_an_overwritten_key_keeps_both_verdicts_and_the_newest_is_current(
    platform: Platform, picture: Callable[..., bytes]
) -> None:
    key = fresh("overwritten.jpg")
    old, new = picture(next(numbers)), picture(next(numbers))
    first = platform.upload(key, old, REJECTED)
    platform.record(key, first)
    second = platform.upload(key, new, ACCEPTED)
    assert platform.record(key, second)["decision"] == "accept"
    assert platform.record(key, first)["decision"] == "reject"
    assert platform.item(key, "current")["version_id"] == second


def test_events_out_of_order_do_not_turn_back_what_is_current(
    platform: Platform, picture: Callable[..., bytes]
) -> None:
    key = fresh("late.jpg")
    with platform.unheard():
        older = platform.upload(key, picture(next(numbers)), REJECTED)
        newer = platform.upload(key, picture(next(numbers)), ACCEPTED)
    platform.send(platform.event(key, newer, sequencer="00AA2"))
    platform.record(key, newer)
    platform.send(platform.event(key, older, sequencer="00AA10"))
    assert platform.record(key, older)["decision"] == "reject"
    assert platform.item(key, "current")["version_id"] == newer
    assert platform.tags(key, older) == {"sagelens-quarantine": "rejected"}


@pytest.mark.parametrize(
    "name",
    [
        "two words.jpg",
        "a+b%20c&d=e.jpg",
        "übergrößenträger-日本語-🦉.jpg",
        "x" * 1024,
    ],
    ids=["spaces", "signs", "unicode", "long"],
)
def test_any_key_is_kept_as_it_is(platform: Platform, image: bytes, name: str) -> None:
    folder = f"incoming/{next(numbers)}/"
    key = (folder + name)[:1024]
    assert len(key) == 1024 or not name.startswith("x")
    version = platform.upload(key, image, ACCEPTED)
    assert platform.record(key, version)["key"] == key


def test_a_deleted_version_is_recorded_as_gone(platform: Platform, image: bytes) -> None:
    key = fresh("gone.jpg")
    platform.aws.rekognition.fail(OPERATION, "ThrottlingException")
    version = platform.upload(key, image, ACCEPTED)
    platform.aws.client("s3").delete_object(Bucket=platform.bucket, Key=key, VersionId=version)
    platform.aws.rekognition.heal(OPERATION)
    record = platform.record(key, version)
    assert record["decision"] == "unusable"
    assert [reason["code"] for reason in record["reasons"]] == ["object_gone"]


def test_a_version_under_a_delete_marker_is_still_judged(platform: Platform, image: bytes) -> None:
    key = fresh("hidden.jpg")
    with platform.unheard():
        version = platform.upload(key, image, REJECTED)
    event = platform.event(key, version)
    platform.aws.client("s3").delete_object(Bucket=platform.bucket, Key=key)
    platform.send(event)
    assert platform.record(key, version)["decision"] == "reject"


def encoded(format: str, size: tuple[int, int] = (100, 100)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (next(numbers) % 256, 40, 90)).save(content, format)
    return content.getvalue()


UNUSABLE: list[Any] = [
    pytest.param(lambda: b"", "empty", "", id="empty"),
    pytest.param(lambda: b"not a picture", "unsupported_format", "not an image", id="text"),
    pytest.param(lambda: encoded("GIF"), "unsupported_format", "GIF", id="gif"),
    pytest.param(lambda: encoded("WEBP"), "unsupported_format", "WebP", id="webp"),
    pytest.param(
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        "unsupported_format",
        "HEIC",
        id="heic",
    ),
    pytest.param(lambda: encoded("PNG") + bytes(16_000_000), "too_large", "", id="16 MB"),
    pytest.param(lambda: encoded("PNG", (50, 50)), "too_small", "50", id="50 pixels"),
]


@pytest.mark.parametrize(("make", "code", "words"), UNUSABLE)
def test_an_unusable_image_ends_with_a_reason_and_without_a_call(
    platform: Platform, make: Callable[[], bytes], code: str, words: str
) -> None:
    key = fresh("claims-to-be.jpg")
    version = platform.upload(key, make())
    record = platform.record(key, version)
    assert record["decision"] == "unusable"
    (reason,) = record["reasons"]
    assert reason["code"] == code
    assert words in reason["message"]
    assert platform.calls() == 0
    assert platform.waiting(platform.vision["ImageDeadLetterQueueUrl"]) == 0


def test_what_rekognition_cannot_read_is_unusable_too(platform: Platform, image: bytes) -> None:
    key = fresh("odd.jpg")
    platform.aws.rekognition.fail(OPERATION, "InvalidImageFormatException", times=1)
    version = platform.upload(key, image, ACCEPTED)
    (reason,) = platform.record(key, version)["reasons"]
    assert reason["code"] == "unreadable"


def test_throttling_is_waited_out(platform: Platform, image: bytes) -> None:
    key = fresh("busy.jpg")
    platform.aws.rekognition.fail(OPERATION, "ThrottlingException", times=7)
    version = platform.upload(key, image, ACCEPTED)
    assert platform.record(key, version)["decision"] == "accept"
    assert platform.aws.rekognition.calls()[OPERATION]["ThrottlingException"] == 7


def test_an_outage_loses_nothing_and_is_redriven(
    platform: Platform, picture: Callable[..., bytes]
) -> None:
    platform.aws.rekognition.fail(OPERATION, 500)
    uploaded: dict[str, str] = {}
    for _ in range(3):
        key = fresh("outage.jpg")
        uploaded[key] = platform.upload(key, picture(next(numbers)), ACCEPTED)
    dead = platform.vision["ImageDeadLetterQueueUrl"]
    wait_for(lambda: platform.waiting(dead) == 3, seconds=60, what="three dead letters")
    platform.aws.rekognition.heal(OPERATION)
    redrive(platform.aws.session(), "quick")
    for key, version in uploaded.items():
        assert platform.record(key, version)["decision"] == "accept"
    assert platform.waiting(dead) == 0


def test_a_dead_letter_raises_the_alarm(platform: Platform) -> None:
    sqs = platform.aws.client("sqs")
    dead = platform.vision["ImageDeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="something")
    alarms = platform.aws.client("cloudwatch")

    def ringing() -> list[str]:
        found = alarms.describe_alarms(StateValue="ALARM")["MetricAlarms"]
        return [alarm["AlarmName"] for alarm in found if "DeadLetterAlarm" in alarm["AlarmName"]]

    assert wait_for(ringing, seconds=30, what="the alarm")
    sqs.purge_queue(QueueUrl=dead)


def test_one_poison_message_does_not_hold_up_the_others(
    platform: Platform, picture: Callable[..., bytes]
) -> None:
    uploaded: dict[str, str] = {}
    platform.send("{ this is no event")
    for _ in range(9):
        key = fresh("good.jpg")
        uploaded[key] = platform.upload(key, picture(next(numbers)), ACCEPTED)
    for key, version in uploaded.items():
        assert platform.record(key, version)["attempts"] == 1
    dead = platform.vision["ImageDeadLetterQueueUrl"]
    wait_for(lambda: platform.waiting(dead) == 1, seconds=60, what="the dead letter")
    assert platform.calls() == 9
    platform.aws.client("sqs").purge_queue(QueueUrl=dead)


def test_a_time_out_half_way_is_made_good(platform: Platform, image: bytes) -> None:
    key = fresh("slow.jpg")
    started = time.time()
    platform.aws.rekognition.latency(OPERATION, 30)
    version = platform.upload(key, image, ACCEPTED)
    wait_for(lambda: platform.logged("Task timed out", started), what="the time-out")
    in_progress = platform.item(key, f"version#{version}")
    assert in_progress and in_progress["status"] == "in_progress"
    platform.aws.rekognition.latency(OPERATION, 0)
    record = platform.record(key, version, seconds=90)
    assert record["decision"] == "accept"
    assert record["attempts"] == 2


def test_its_own_tags_do_not_trigger_it_again(
    platform: Platform, image: bytes, taps: tuple[Any, Any]
) -> None:
    """The tag is an event on the bus like the upload, and the rule lets only the upload through."""
    bus, queued = taps
    key, later = fresh("tagged.jpg"), fresh("later.jpg")

    def of_the_tag() -> list[dict[str, Any]]:
        ours = [each for each in bus.events() if each["detail"]["object"]["key"] == key]
        return [each for each in ours if each["detail-type"] == "Object Tags Added"]

    def let_through() -> dict[str, str]:
        return {each["detail"]["object"]["key"]: each["detail-type"] for each in queued.events()}

    version = platform.upload(key, image, REJECTED)
    platform.record(key, version)
    assert platform.tags(key, version) == {"sagelens-quarantine": "rejected"}
    (told,) = wait_for(of_the_tag, what="the event of the tag")
    assert told["detail"]["object"]["version-id"] == version
    # Once a later upload is through, so is whatever came before it.
    platform.upload(later, b"")
    wait_for(lambda: later in let_through(), what="the event of the later upload")
    assert let_through() == {key: "Object Created", later: "Object Created"}
    assert len(queued.events()) == 2
    platform.settle()
    assert platform.waiting(platform.vision["ImageDeadLetterQueueUrl"]) == 0
    assert platform.calls() == 1


def test_other_prefixes_are_left_alone(platform: Platform, image: bytes) -> None:
    platform.upload("outgoing/picture.jpg", image, ACCEPTED)
    platform.settle()
    assert platform.calls() == 0
    assert not platform.items("outgoing/picture.jpg")
