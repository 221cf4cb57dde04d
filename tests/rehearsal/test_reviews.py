"""A person decides: once, with name and reason, on the deployed stacks as the reviewer's role."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared import events
from tests.rehearsal.full_picture import SEEN
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import FULL, REJECTED, Platform
from tools import reviews
from tools.reviewing import Desk, NotDecided

numbers = iter(range(80_000, 90_000))
ME = "arn:aws:iam::000000000000:user/reviewer"
CALL = {
    "TextDetections": [
        {"DetectedText": "CALL 555-0100", "Type": "LINE", "Id": 0, "Confidence": 99.0},
    ],
    "TextModelVersion": "3.0",
}
QUARANTINED = {"sagelens-quarantine": "rejected"}


@pytest.fixture
def desk(full: Platform) -> Desk:
    reviewer = full.aws.session(full.foundation["ReviewerRoleArn"])
    return Desk.of(reviewer, full.foundation)


@pytest.fixture
def put(full: Platform, picture: Callable[..., bytes]) -> Callable[..., tuple[str, str, str]]:
    """Uploads a picture that waits for a person, or is rejected: key, version and address."""

    def upload(tags: str = "", **seen: Any) -> tuple[str, str, str]:
        number = next(numbers)
        key, image = f"incoming/review/{number}.jpg", picture(number)
        full.aws.rekognition.script(image, {**SEEN, "DetectText": CALL, **seen})
        version = full.aws.client("s3").put_object(
            Bucket=full.bucket, Key=key, Body=image, Tagging=tags
        )["VersionId"]
        full.record(key, version)
        return key, version, f"s3://{full.bucket}/{key}"

    return upload


def keys(desk: Desk) -> list[str]:
    return [record["key"] for record in desk.waiting(1000)]


def reviewed(full: Platform, key: str) -> list[dict[str, Any]]:
    heard = [event for event in full.news.news() if event["detail"]["object"]["key"] == key]
    return [event for event in heard if event["detail-type"] == "Image Reviewed"]


def decide(desk: Desk, uri: str, decision: Any, reason: str = "looked at it") -> Any:
    return desk.decide(uri, decision, by=ME, reason=reason)


def test_what_waits_is_listed_oldest_first_with_its_reason(full: Platform, desk: Desk, put: Any):
    first, second = put(), put()
    listed = [record for record in desk.waiting(1000) if record["key"] in (first[0], second[0])]
    assert [record["key"] for record in listed] == [first[0], second[0]]
    line = reviews.line_of(listed[0])
    assert first[2] in line and first[1] in line and "text: phone number 99.0 %" in line
    assert len(desk.waiting(1)) == 1


def test_accepted_is_recorded_announced_and_waits_no_more(full: Platform, desk: Desk, put: Any):
    key, version, uri = put()
    record, new = decide(desk, uri, "accept", "the number is the shop's own")
    assert new and record["decision"] == "accept" and record["quarantined"] is False
    note = record["reviewed"]
    assert (note["by"], note["previous"], note["reason"]) == (
        ME, "review", "the number is the shop's own"
    )  # fmt: skip
    assert note["at"] and key not in keys(desk)
    assert full.item(key, "current")["decision"] == "accept"
    (event,) = wait_for(lambda: reviewed(full, key), what="the event")
    events.validate(event["detail"], "Image Reviewed")
    assert event["detail"]["object"]["version_id"] == version
    assert ME not in json.dumps(event) and "shop" not in json.dumps(event)


def test_rejected_goes_into_quarantine(full: Platform, desk: Desk, put: Any):
    key, version, uri = put(tags="album=1")
    record, _ = decide(desk, uri, "reject")
    assert (record["decision"], record["quarantined"]) == ("reject", True)
    assert full.tags(key, version) == {"album": "1", **QUARANTINED}
    with pytest.raises(ClientError, match="AccessDenied"):
        full.aws.client("s3").get_object(Bucket=full.bucket, Key=key, VersionId=version)


def test_accepting_what_was_rejected_lifts_its_quarantine(full: Platform, desk: Desk, put: Any):
    tags = "&".join(f"k{number}={number}" for number in range(10))
    key, version, uri = put(tags=tags, DetectModerationLabels=REJECTED)
    assert full.record(key, version)["displaced_tag"] == {"key": "k9", "value": "9"}
    record, _ = decide(desk, uri, "accept", "a toy")
    assert record["reviewed"]["previous"] == "reject" and "displaced_tag" not in record
    assert full.tags(key, version) == {f"k{number}": str(number) for number in range(10)}
    assert full.aws.client("s3").get_object(Bucket=full.bucket, Key=key, VersionId=version)


def test_rejecting_with_ten_tags_keeps_the_displaced_one(full: Platform, desk: Desk, put: Any):
    key, version, uri = put(tags="&".join(f"k{number}={number}" for number in range(10)))
    record, _ = decide(desk, uri, "reject")
    assert record["displaced_tag"] == {"key": "k9", "value": "9"}
    assert len(full.tags(key, version)) == 10


def test_a_decision_given_again_changes_nothing(full: Platform, desk: Desk, put: Any):
    key, _, uri = put()
    record, _ = decide(desk, uri, "accept")
    assert decide(desk, uri, "accept", "again") == (record, False)
    with pytest.raises(NotDecided, match=r"user/reviewer decided 'accept' at .*: looked at it"):
        decide(desk, uri, "reject")
    wait_for(lambda: reviewed(full, key), what="the event")
    time.sleep(0.5)
    assert reviewed(full, key) == []


def test_of_two_at_once_one_decides(full: Platform, desk: Desk, put: Any):
    key, version, uri = put()
    start, ended = threading.Barrier(2), []

    def go(decision: str) -> None:
        own = Desk.of(full.aws.session(full.foundation["ReviewerRoleArn"]), full.foundation)
        start.wait()
        try:
            decide(own, uri, decision)
            ended.append(decision)
        except NotDecided:
            ended.append(None)

    threads = [threading.Thread(target=go, args=(word,)) for word in ("accept", "reject")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (winner,) = [word for word in ended if word]
    assert len(ended) == 2
    record = full.item(key, f"version#{version}")
    assert record["decision"] == record["reviewed"]["decision"] == winner
    assert (full.tags(key, version) == QUARANTINED) is (winner == "reject")


@pytest.mark.parametrize("step", ["get_object_tagging", "put_object_tagging", "put_events"])
def test_a_decision_that_was_cut_off_is_finished_by_giving_it_again(
    full: Platform, desk: Desk, put: Any, step: str
):
    key, version, uri = put()

    class Cut:
        """A client that does not come back from one of its calls."""

        def __init__(self, client: Any) -> None:
            self.client = client

        def __getattr__(self, name: str) -> Any:
            if name == step:
                raise KeyboardInterrupt
            return getattr(self.client, name)

    broken = dataclasses.replace(desk, s3=Cut(desk.s3), events=Cut(desk.events))
    with pytest.raises(KeyboardInterrupt):
        decide(broken, uri, "reject")
    (waiting,) = [record for record in desk.waiting(1000) if record["key"] == key]
    assert "cut off" in reviews.line_of(waiting)
    record, new = decide(desk, uri, "reject")
    assert new and record["decision"] == "reject" and key not in keys(desk)
    assert full.tags(key, version) == QUARANTINED
    assert len(wait_for(lambda: reviewed(full, key), what="the event")) == 1


def test_a_deleted_version_can_still_be_decided(full: Platform, desk: Desk, put: Any):
    key, version, uri = put()
    full.aws.client("s3").delete_object(Bucket=full.bucket, Key=key, VersionId=version)
    record, _ = decide(desk, uri, "reject")
    assert (record["decision"], record["quarantined"]) == ("reject", False)


def test_an_event_that_comes_again_leaves_a_persons_decision(full: Platform, desk: Desk, put: Any):
    key, version, uri = put()
    decide(desk, uri, "accept")
    before = full.item(key, f"version#{version}")
    full.send(full.event(key, version, sequencer=before["sequencer"]))
    full.settle()
    assert full.item(key, f"version#{version}") == before


@pytest.mark.parametrize(
    ("uri", "words"),
    [("s3://{bucket}/incoming/none.jpg", "has no record"), ("incoming/a.jpg", "s3://bucket/key")],
)
def test_what_is_not_there_is_said(full: Platform, desk: Desk, uri: str, words: str):
    with pytest.raises((NotDecided, ValueError), match=words):
        decide(desk, uri.format(bucket=full.bucket), "accept")


def test_what_does_not_wait_is_left_alone(full: Platform, desk: Desk, put: Any):
    key, version, uri = put(DetectText=SEEN["DetectText"])
    with pytest.raises(NotDecided, match="it is 'accept'; reject is for 'review'"):
        decide(desk, uri, "reject")
    with pytest.raises(NotDecided, match="needs a reason"):
        decide(desk, uri, "accept", " ")
    assert "reviewed" not in full.item(key, f"version#{version}")


def test_the_reviewer_may_not_read_the_whole_table(full: Platform, desk: Desk):
    with pytest.raises(ClientError, match="AccessDenied"):
        desk.table.scan()
    with pytest.raises(ClientError, match="AccessDenied"):
        desk.table.delete_item(Key={"pk": "x", "sk": "y"})


def test_the_command_assumes_the_role_and_names_who_called(
    full: Platform, put: Any, monkeypatch: Any, capsys: Any
):
    key, version, uri = put()
    for name, value in full.aws.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    assert reviews.main(["list", "--environment", str(FULL), "--most", "1000"]) is None
    assert uri in capsys.readouterr().out
    arguments = [uri, "--version", version, "--reason", "fine", "--environment", str(FULL)]
    assert reviews.main(["accept", *arguments]) is None
    assert f"{uri} version {version}: accept, readable\n" in capsys.readouterr().out
    assert full.item(key, f"version#{version}")["reviewed"]["by"].endswith(":root")
    assert reviews.main(["accept", *arguments]) is None
    assert "as arn:aws:iam::000000000000:root decided" in capsys.readouterr().out
    refused = reviews.main(["reject", *arguments])
    assert refused and refused.startswith("nothing was decided:") and ":root decided" in refused


def test_a_shifted_share_of_reviews_rings(full: Platform, put: Any):
    put()
    alarms = full.aws.client("cloudwatch")

    def ringing() -> list[str]:
        found = alarms.describe_alarms(StateValue="ALARM")["MetricAlarms"]
        return [alarm["AlarmName"] for alarm in found if alarm["MetricName"] == "ReviewShare"]

    (name,) = wait_for(ringing, seconds=30, what="the alarm")
    assert "High" in name
