"""Stored videos on the deployed stacks: jobs, pages, limits, failures, permissions."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rehearsal.deploy import outputs
from rehearsal.samples.catalogue import load
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import Platform
from tests.rehearsal.policies import Policy

EVENING, STALL, OLD = load("video")
STARTS = (
    "StartCelebrityRecognition",
    "StartContentModeration",
    "StartFaceDetection",
    "StartLabelDetection",
    "StartSegmentDetection",
    "StartTextDetection",
)
numbers = iter(range(1000))


@dataclass(frozen=True)
class Cinema:
    """The video stack, as its tests use it."""

    platform: Platform
    outputs: dict[str, str]

    def film(self, **changed: Any) -> tuple[str, str]:
        """Put a video that no other test uses, which shows the evening; return key and version.

        changed: other results, by the operation that gets them.
        """
        free = struct.pack(">I4sI", 12, b"free", next(numbers))  # a box that says nothing
        body = EVENING.content + free
        self.platform.aws.rekognition.script(body, {**EVENING.answers, **changed})
        key = f"videos/{next(numbers)}.mp4"
        return key, self.platform.upload(key, body)

    def executions(self, status: str) -> int:
        """How many executions have a status."""
        found = self.platform.aws.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["VideoStateMachineArn"], statusFilter=status
        )
        return len(found["executions"])

    def settle(self) -> None:
        """Wait until nothing runs."""
        wait_for(lambda: self.executions("RUNNING") == 0, seconds=60, what="no execution")

    def calls(self) -> dict[str, int]:
        """Successful calls by operation since Rekognition was cleared."""
        found = self.platform.aws.rekognition.calls()
        return {name: calls.get("ok", 0) for name, calls in found.items()}

    def document(self, record: dict[str, Any]) -> dict[str, Any]:
        """The results of a record, as S3 holds them."""
        place = record["results"]
        body = self.platform.aws.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])
        return json.loads(body["Body"].read())

    def logged(self, since: float) -> str:
        """What the function has logged since a time in epoch seconds."""
        aws = self.platform.aws
        function = aws.client("lambda").get_function_configuration(
            FunctionName=self.outputs["VideoFunctionName"]
        )
        found = aws.client("logs").filter_log_events(
            logGroupName=function["LoggingConfig"]["LogGroup"], startTime=int(since * 1000)
        )
        return "\n".join(event["message"] for event in found["events"])


@pytest.fixture
def cinema(full: Platform) -> Iterator[Cinema]:
    """The video stack with a healthy Rekognition; pauses take a hundredth of their time."""
    full.aws.scale_waits(0.01)
    made = Cinema(full, outputs(full.aws, "sagelens-full-video"))
    full.aws.rekognition.jobs(seconds=0.05)
    yield made
    for start in STARTS:
        full.aws.rekognition.heal(start)
    full.aws.rekognition.jobs(seconds=0)
    made.settle()
    full.aws.scale_waits(1.0)


@pytest.fixture(scope="module")
def role(all_deployed: Platform) -> Policy:
    function = all_deployed.aws.client("lambda").get_function_configuration(
        FunctionName=outputs(all_deployed.aws, "sagelens-full-video")["VideoFunctionName"]
    )
    return Policy(all_deployed.aws, function["Role"])


def test_a_video_is_judged_by_time(cinema: Cinema) -> None:
    started = time.time()
    key, version = cinema.film()
    record = cinema.platform.record(key, version)
    assert (record["kind"], record["decision"], record["quarantined"]) == ("video", "reject", True)
    pieces = [(int(p["start_ms"]), int(p["end_ms"]), p["decision"]) for p in record["timeline"]]
    assert pieces == [
        (0, 4000, "accept"), (4000, 5500, "review"), (5500, 7000, "accept"),
        (7000, 9500, "reject"), (9500, 11000, "accept"),
    ]  # fmt: skip
    assert record["reasons"][0]["label"] == "Smoking"
    assert (record["video"]["codec"], int(record["video"]["duration_ms"])) == ("h264", 11000)
    found = cinema.document(record)
    assert [each["decision"] for each in found["timeline"]] == [each[2] for each in pieces]
    lines = [each["text"] for each in found["analyses"]["text"]["details"]]
    assert lines == ["FRESH LEMONS", "CALL 555-0100"]
    assert int(record["analyses"]["faces"]["most_at_once"]) == 2
    (shots,) = [found["analyses"]["segments"]["shots"]]
    assert shots == 3
    assert {name: cinema.calls()[name] for name in STARTS} == dict.fromkeys(STARTS, 1)
    (told,) = [each for each in cinema.platform.heard() if each["object"]["key"] == key]
    assert (told["decision"], told["object"]["version_id"]) == ("reject", version)
    log = wait_for(
        lambda: text if "video analysed" in (text := cinema.logged(started)) else None,
        what="the log",
    )
    assert key not in log
    for hidden in ("555-0100", "LEMONS", "Example Celebrity", "Smoking"):
        assert hidden not in log and hidden not in json.dumps(told)


def test_more_videos_than_jobs_wait_and_none_is_lost(cinema: Cinema) -> None:
    cinema.platform.aws.rekognition.jobs(at_once=4, seconds=0.15)
    films = [cinema.film() for _ in range(4)]
    records = [cinema.platform.record(*film, seconds=90) for film in films]
    assert {record["decision"] for record in records} == {"reject"}
    assert all("failed" not in str(record["analyses"]) for record in records)
    refused = cinema.platform.aws.rekognition.calls()
    assert sum(refused[name].get("LimitExceededException", 0) for name in STARTS) > 0
    assert {name: cinema.calls()[name] for name in STARTS} == dict.fromkeys(STARTS, 4)
    cinema.settle()
    assert cinema.executions("FAILED") == 0


def test_an_event_that_comes_twice_starts_nothing_twice(cinema: Cinema) -> None:
    key, version = cinema.film()
    event = cinema.platform.event(key, version)
    machine = cinema.platform.aws.client("stepfunctions")
    for _ in range(2):
        machine.start_execution(stateMachineArn=cinema.outputs["VideoStateMachineArn"], input=event)
    record = cinema.platform.record(key, version)
    cinema.settle()
    assert record["attempts"] == 1
    assert {name: cinema.calls()[name] for name in STARTS} == dict.fromkeys(STARTS, 1)
    assert len([each for each in cinema.platform.heard() if each["object"]["key"] == key]) == 1


def test_a_job_that_fails_is_started_once_more(cinema: Cinema) -> None:
    cinema.platform.aws.rekognition.fail_job("StartLabelDetection", "Internal error", times=1)
    key, version = cinema.film()
    record = cinema.platform.record(key, version)
    assert "failed" not in record["analyses"]["labels"]
    assert cinema.calls()["StartLabelDetection"] == 2


def test_one_analysis_that_fails_leaves_a_partial_record_for_a_person(cinema: Cinema) -> None:
    cinema.platform.aws.rekognition.fail_job("StartTextDetection", "Internal error", times=2)
    nothing = {**EVENING.answers["GetContentModeration"], "ModerationLabels": []}
    key, version = cinema.film(GetContentModeration=nothing)
    record = cinema.platform.record(key, version)
    assert (record["decision"], record["review"]) == ("review", "waiting")
    assert record["analyses"]["text"] == {"failed": "job_failed"}
    (reason,) = record["reasons"]
    assert (reason["code"], reason["message"]) == ("job_failed", "text: Internal error")
    assert set(record["analyses"]) - {"text"} == set(cinema.document(record)["analyses"])


def test_a_file_that_no_job_can_read_is_unusable(cinema: Cinema) -> None:
    key = "videos/scrambled.mp4"
    body = EVENING.content.replace(b"avc1", b"encv")  # a codec that the gate does not know
    version = cinema.platform.upload(key, body)
    record = cinema.platform.record(key, version)
    assert record["decision"] == "unusable"
    assert {each["code"] for each in record["reasons"]} == {"job_failed"}
    assert "Unsupported codec" in record["reasons"][0]["message"]


def test_a_codec_that_the_first_bytes_tell_costs_no_job(cinema: Cinema) -> None:
    version = cinema.platform.upload("videos/old.mp4", OLD.content)
    record = cinema.platform.record("videos/old.mp4", version)
    assert [each["code"] for each in record["reasons"]] == ["unsupported_codec"]
    assert cinema.calls() == {}


def test_all_pages_are_read(cinema: Cinema) -> None:
    one = EVENING.answers["GetLabelDetection"]["Labels"][0]
    labels = [{**one, "Label": {**one["Label"], "Name": f"L{number}"}} for number in range(2500)]
    answer = {**EVENING.answers["GetLabelDetection"], "Labels": labels}
    key, version = cinema.film(GetLabelDetection=answer)
    record = cinema.platform.record(key, version)
    assert int(record["analyses"]["labels"]["count"]) == 2500
    names = [each["name"] for each in cinema.document(record)["analyses"]["labels"]["details"]]
    assert names == [f"L{number}" for number in range(2500)]


# By statement: the action that the function is then denied.
ENFORCED = {
    "Analyse": "rekognition:StartCelebrityRecognition",
    "Announce": "events:PutEvents",
    "KeepResults": "s3:PutObject",
    "Quarantine": "s3:GetObjectVersionTagging",
    "ReadVideos": "s3:GetObjectVersion",
    "Record": "dynamodb:UpdateItem",
    "UseKey": "kms:",
}


def denials(cinema: Cinema, since: float) -> list[str]:
    lines = [json.loads(line) for line in cinema.logged(since).splitlines() if '"kind"' in line]
    return [line["reason"] for line in lines if line["kind"] == "denied"]


def test_every_statement_is_accounted_for(role: Policy) -> None:
    assert role.statements == {*ENFORCED, "TellGoneFromDenied", "WriteLogs"}


@pytest.mark.parametrize("sid", ENFORCED)
def test_without_it_the_flow_stops_and_with_it_it_goes_on(
    sid: str, cinema: Cinema, role: Policy
) -> None:
    started = time.time()
    with role.without(sid):
        key, version = cinema.film()
        (denied, *_) = wait_for(lambda: denials(cinema, started), what="a denial")
        assert sid == "UseKey" or ENFORCED[sid] in denied
        assert not (cinema.platform.item(key, f"version#{version}") or {}).get("announced")
    assert cinema.platform.record(key, version, seconds=40)["decision"] == "reject"


def test_without_listing_a_video_that_is_gone_looks_denied(cinema: Cinema, role: Policy) -> None:
    started = time.time()
    events = cinema.platform.aws.client("events")
    (rule,) = events.list_rules(NamePrefix="sagelens-full-video")["Rules"]
    events.disable_rule(Name=rule["Name"])
    key, version = cinema.film()
    event = cinema.platform.event(key, version)
    cinema.platform.aws.client("s3").delete_object(
        Bucket=cinema.platform.bucket, Key=key, VersionId=version
    )
    with role.without("TellGoneFromDenied"):
        cinema.platform.aws.client("stepfunctions").start_execution(
            stateMachineArn=cinema.outputs["VideoStateMachineArn"], input=event
        )
        wait_for(lambda: denials(cinema, started), what="a denial")
    events.enable_rule(Name=rule["Name"])
    (reason,) = cinema.platform.record(key, version)["reasons"]
    assert reason["code"] == "object_gone"
