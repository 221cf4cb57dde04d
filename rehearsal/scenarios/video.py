"""Scenario `video`: stored videos are analysed by jobs and judged by time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rehearsal.report.model import (
    Check,
    ChecksCard,
    Decision,
    Flow,
    ImageCard,
    Outcome,
    Piece,
    TimelineCard,
)
from rehearsal.samples.catalogue import load
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.explaining import mismatch
from rehearsal.scenarios.support.reading import REFUSALS, none_of
from rehearsal.scenarios.support.uploads import ImagesBucket, Upload
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.scenarios.support.watching import Watch, watching
from rehearsal.stored_videos import OPERATIONS

NAME = "video"
TITLE = "A stored video is judged by time"
ORDER = 2.5
REAL = (
    "A state machine started a job for each analysis of each video, waited where the account's"
    " limit was reached, looked at jobs until they ended, read every page and judged it by time.",
)
STOOD_IN = (
    "Amazon Rekognition's jobs on videos: their answers are scripted for each real H.264 file, a"
    " job takes a second, eight run at once, and pauses between looks take a tenth of their time.",
)

JOBS_AT_ONCE, JOB_SECONDS, WAITS = 8, 1.0, 0.1
EVENT_SECONDS = 20
# What is seen in the samples, and must be neither in events nor in logs.
FINDINGS = ("555-0100", "LEMONS", "Example Celebrity", "Smoking", "Citrus")
EXPECTED = ("accept", "review", "accept", "reject", "accept")
FLOW = Flow(
    "The way of a video",
    steps=(
        ("Bucket", "a version under videos/", False),
        ("EventBridge", "starts an execution", False),
        ("State machine", "claims, starts, waits, looks", False),
        ("Rekognition", "six jobs side by side", True),
        ("Policy", "judges by time", False),
        ("Record", "one, with results in S3 and an event", False),
    ),
)


def run(context: Context) -> Outcome:
    """Upload the samples, wait for their decisions by time, and look for what must not show.

    Raises:
        NotInTime: a decision did not come.
    """
    bucket = ImagesBucket(context, "VideoFunctionName")
    context.aws.rekognition.jobs(at_once=JOBS_AT_ONCE, seconds=JOB_SECONDS)
    context.aws.scale_waits(WAITS)
    try:
        with watching(context, context.outputs["EventBusName"], _VISION) as announced:
            return _tell(context, bucket, announced)
    finally:
        context.aws.scale_waits(1)
        context.aws.rekognition.jobs()


_VISION = {"source": ["sagelens.vision"]}


def _tell(context: Context, bucket: ImagesBucket, announced: Watch) -> Outcome:
    before = _starts(context)
    since = time.time()
    uploads = [bucket.upload(sample, sample.key) for sample in load(NAME)]
    bucket.wait_for_records(uploads)
    started = {name: count - before.get(name, 0) for name, count in _starts(context).items()}
    checks = [
        _check_decisions(uploads),
        _check_timeline(uploads[0]),
        _check_jobs(started),
        _check_waiting(context),
        _check_results(context, uploads),
        _check_quarantine(bucket, uploads),
        _check_events(uploads, announced),
        _check_logs(bucket, uploads, since),
    ]
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    cards = [*map(_card, uploads), *(_timeline(each) for each in uploads if _pieces(each))]
    return Outcome(
        _facts(uploads, started, checks),
        [*cards, ChecksCard("What was checked", checks)],
        problems,
        "Six analyses of each video run as jobs of Amazon Rekognition; at each moment the strictest"
        " decision on what is seen then holds.",
        flow=FLOW,
    )


def _starts(context: Context) -> dict[str, int]:
    """Jobs that were started, by operation."""
    calls = context.aws.rekognition.calls()
    return {name: calls.get(name, {}).get("ok", 0) for name in OPERATIONS}


def _record(upload: Upload) -> Mapping[str, Any]:
    return upload.record or {}


def _pieces(upload: Upload) -> list[Piece]:
    return [
        Piece(
            float(each["start_ms"]) / 1000,
            float(each["end_ms"]) / 1000,
            each["decision"],
            ", ".join(each["labels"]),
        )
        for each in _record(upload).get("timeline", ())
    ]


def _timeline(upload: Upload) -> TimelineCard:
    return TimelineCard(upload.sample.title, _pieces(upload))


def _card(upload: Upload) -> ImageCard:
    poster = upload.sample.path.with_suffix(".poster.jpg")
    return ImageCard(
        title=upload.sample.title,
        key=upload.key,
        decision=cast(Decision, upload.decision),
        reason=_reason(_record(upload)),
        picture=poster.read_bytes() if poster.exists() else None,
        alt=upload.sample.alt,
        milliseconds=upload.milliseconds,
        note=upload.sample.note,
    )


def _reason(record: Mapping[str, Any]) -> str:
    reasons: Sequence[Mapping[str, Any]] = record.get("reasons") or []
    if not reasons:
        return "Nothing in it asks for a closer look."
    first = reasons[0]
    if "code" in first:
        return str(first["message"])
    start, end = float(first["start_ms"]) / 1000, float(first["end_ms"]) / 1000
    sure = float(first["confidence"])
    return f"{first['label']} at {sure:.1f} % ({first['analysis']}), {start:.1f} to {end:.1f} s."


def _check_decisions(uploads: Sequence[Upload]) -> Check:
    wrong = [mismatch(each.sample, each.record or {}) for each in uploads]
    found = "; ".join(text for text in wrong if text)
    return Check("Each video is decided as expected", not found, found or f"{len(uploads)}")


def _check_timeline(upload: Upload) -> Check:
    found = [piece.decision for piece in _pieces(upload)]
    promise = f"“{upload.sample.title}” is judged piece by piece"
    return Check(promise, tuple(found) == EXPECTED, ", ".join(found) or "no timeline")


def _check_jobs(started: Mapping[str, int]) -> Check:
    promise = "One job of each analysis for each readable video, and none for an unreadable one"
    found = ", ".join(f"{name} {count}" for name, count in sorted(started.items()))
    return Check(promise, set(started.values()) == {2}, found)


def _check_waiting(context: Context) -> Check:
    calls = context.aws.rekognition.calls()
    refused = sum(calls.get(name, {}).get("LimitExceededException", 0) for name in OPERATIONS)
    promise = f"Jobs beyond the {JOBS_AT_ONCE} that may run at once wait, and none is lost"
    return Check(promise, refused > 0, f"LimitExceededException {refused} times, no job lost")


def _check_results(context: Context, uploads: Sequence[Upload]) -> Check:
    promise = "Everything that was found lies in one JSON document a video"
    lacking: list[str] = []
    for each in uploads:
        place: Mapping[str, str] = _record(each).get("results") or {}
        if each.decision == "unusable":
            continue
        body = context.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"]
        document = json.loads(body.read())
        if sorted(document["analyses"]) != sorted(_record(each)["analyses"]):
            lacking.append(each.key)
    return none_of(lacking, promise, "labels, faces, text and shots with their times", "lack some")


def _check_quarantine(bucket: ImagesBucket, uploads: Sequence[Upload]) -> Check:
    promise = "Nobody but the reviewer's role can read a rejected video"
    rejected = [each for each in uploads if each.decision == "reject"]
    seen = [each.key for each in rejected if not _refused(bucket, each)]
    return none_of(seen, promise, f"AccessDenied for {len(rejected)}", "could be read")


def _refused(bucket: ImagesBucket, upload: Upload) -> bool:
    try:
        bucket.s3.get_object(Bucket=bucket.name, Key=upload.key, VersionId=upload.version)
    except bucket.s3.exceptions.ClientError as error:
        return error.response["Error"]["Code"] in REFUSALS
    return False


def _check_events(uploads: Sequence[Upload], announced: Watch) -> Check:
    promise = "Events carry references and the decision, and nothing that was seen"
    wanted = {each.version for each in uploads}

    def told() -> list[dict[str, Any]] | None:
        found = [each for each in announced.events() if each["detail-type"] == "Video Analysed"]
        seen = {each["detail"]["object"]["version_id"] for each in found}
        return found if wanted <= seen else None

    try:
        text = json.dumps(until(told, "every event", EVENT_SECONDS), ensure_ascii=False)
    except NotInTime as error:
        return Check(promise, False, str(error))
    return none_of([word for word in FINDINGS if word in text], promise, "none", "in an event")


def _check_logs(bucket: ImagesBucket, uploads: Sequence[Upload], since: float) -> Check:
    promise = "The function's log tells of each video without keys, text, labels or names"
    hidden = (*FINDINGS, *(each.key for each in uploads))

    def lines() -> list[str] | None:
        found = bucket.log_lines(since)
        told = [line for line in found if "video analysed" in line]
        return found if len(told) >= len(uploads) else None

    try:
        text = "\n".join(until(lines, "the log of every video", EVENT_SECONDS))
    except NotInTime as error:
        return Check(promise, False, str(error))
    seen = [word for word in hidden if word in text]
    return none_of(seen, promise, f"none of {len(hidden)} words", "in the log")


def _facts(
    uploads: Sequence[Upload], started: Mapping[str, int], checks: Sequence[Check]
) -> dict[str, Any]:
    return {
        "files": len(uploads),
        "jobs": dict(started),
        "checks": {check.promise: check.passed for check in checks},
        "results": [
            {
                "key": each.key,
                "decision": each.decision,
                "reason": _reason(_record(each)),
                "timeline": [
                    {"start": piece.start, "end": piece.end, "decision": piece.decision}
                    for piece in _pieces(each)
                ],
                "milliseconds": round(each.milliseconds, 1),
            }
            for each in uploads
        ],
    }
