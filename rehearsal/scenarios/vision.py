"""Scenario `vision`: all analyses look at a picture at once, and a policy judges what is seen."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rehearsal.report.model import Check, ChecksCard, Decision, ImageCard, Outcome, TableCard
from rehearsal.samples.catalogue import load
from rehearsal.scenarios.support.athena import ask
from rehearsal.scenarios.support.boxes import annotated, found_in
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.explaining import mismatch
from rehearsal.scenarios.support.reading import none_of
from rehearsal.scenarios.support.seeing import reason_of, rows_of
from rehearsal.scenarios.support.uploads import ImagesBucket, Upload
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.scenarios.support.watching import Watch, watching

NAME = "vision"
TITLE = "Every analysis looks at the same picture"
ORDER = 2
REAL = (
    "The function called every configured operation with the arguments of its own configuration,"
    " side by side; what a request leaves out was left out of the answers.",
    "IAM decided about each operation, and the policy judged what came back.",
    "The pictures shown are the copies with blurred faces that a deployed function made.",
    "Rows of the results were written by a deployed function and queried through Amazon Athena's"
    " API, on DuckDB.",
)
STOOD_IN = (
    "Amazon Rekognition's answers are scripted for each drawn picture: nothing looked at them.",
)

EVENT_SECONDS = 20
# What is on the samples, and must be neither in events nor in logs.
FINDINGS = ("555-0100", "LEMONS", "Example Celebrity", "HAPPY", "age_range", "Citrus")


def run(context: Context) -> Outcome:
    """Upload the samples, wait for what is seen and decided, and look for what must not show.

    Raises:
        NotInTime: a decision did not come.
    """
    bucket = ImagesBucket(context)
    bus = context.outputs["EventBusName"]
    with watching(context, bus, {"source": ["sagelens.vision"]}) as announced:
        return _tell(context, bucket, announced)


def _tell(context: Context, bucket: ImagesBucket, announced: Watch) -> Outcome:
    settings = bucket.settings()
    operations: list[str] = sorted(settings["pace"])
    before = {operation: context.calls(operation) for operation in operations}
    started = time.time()
    uploads = [bucket.upload(sample, sample.key) for sample in load(NAME)]
    bucket.wait_for_records(uploads)
    calls = {operation: context.calls(operation) - before[operation] for operation in operations}
    checks = [
        _check_decisions(uploads),
        _check_analyses(uploads, sorted(settings["analyses"])),
        _check_calls(calls, len(uploads), sorted(settings["analyses"])),
        _check_quality(uploads),
        _check_events(uploads, announced),
        _check_logs(bucket, uploads, started),
        _check_rows(context, uploads),
        _check_copies(bucket, uploads),
    ]
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    cards = [_card(each) for each in uploads]
    shown = [*cards, *(_table(each) for each in uploads), ChecksCard("What was checked", checks)]
    return Outcome(_facts(uploads, calls, checks), shown, problems, _note(calls))


def _note(calls: Mapping[str, int]) -> str:
    return (
        f"One pass over each picture calls {len(calls)} operations side by side; labels and image"
        " quality share one of them. Boxes are drawn here, from the records."
    )


def _card(upload: Upload) -> ImageCard:
    record = upload.record or {}
    found = found_in(record)
    content = upload.shown or upload.sample.content
    return ImageCard(
        title=upload.sample.title,
        key=upload.key,
        decision=cast(Decision, upload.decision),
        reason=reason_of(record),
        picture=annotated(content, found) if found else content,
        media_type="image/jpeg" if found or upload.shown else upload.sample.media_type,
        alt=upload.sample.alt,
        milliseconds=upload.milliseconds,
        note=upload.sample.note,
    )


def _table(upload: Upload) -> TableCard:
    rows = rows_of(upload.record or {})
    return TableCard(f"Seen in “{upload.sample.title}”", ("Analysis", "What it found"), rows)


def _check_decisions(uploads: Sequence[Upload]) -> Check:
    wrong = [mismatch(each.sample, each.record or {}) for each in uploads]
    found = "; ".join(text for text in wrong if text)
    return Check("Each picture is decided as expected", not found, found or f"{len(uploads)}")


def _check_analyses(uploads: Sequence[Upload], names: Sequence[str]) -> Check:
    lacking = [
        each.key for each in uploads if sorted((each.record or {})["analyses"]) != list(names)
    ]
    return none_of(
        lacking,
        "One record of each picture holds what every analysis found",
        ", ".join(names),
        "lack some",
    )


def _check_calls(calls: Mapping[str, int], images: int, names: Sequence[str]) -> Check:
    """One call of each operation a picture; analyses that share one do not pay twice."""
    found = ", ".join(f"{operation} {count}" for operation, count in calls.items())
    # Pictures that an earlier run had looked at are answered from their records.
    once = all(count == images for count in calls.values()) or not any(calls.values())
    shared = len(calls) < len(names)
    promise = f"{len(names)} analyses of a picture cost {len(calls)} calls"
    return Check(promise, once and shared, f"{found} for {images} pictures")


def _check_quality(uploads: Sequence[Upload]) -> Check:
    advice = [
        reason["advice"]
        for each in uploads
        for reason in (each.record or {}).get("reasons", ())
        if reason.get("advice")
    ]
    promise = "Whoever sends a poor picture is told what to send instead"
    return Check(promise, bool(advice), "; ".join(advice) or "no reason holds any advice")


def _check_events(uploads: Sequence[Upload], announced: Watch) -> Check:
    promise = "Events carry references and the decision, and nothing that was seen"
    wanted = {each.version for each in uploads}

    def versions() -> set[str]:
        return {each["detail"]["object"]["version_id"] for each in announced.events()}

    try:
        until(lambda: wanted <= versions(), "every event", EVENT_SECONDS)
    except NotInTime as error:
        return Check(promise, False, str(error))
    text = json.dumps(announced.events(), ensure_ascii=False)
    return none_of([word for word in FINDINGS if word in text], promise, "none", "in an event")


def _check_logs(bucket: ImagesBucket, uploads: Sequence[Upload], since: float) -> Check:
    promise = "The function's log tells of each picture without keys, text, labels or faces"
    hidden = (*FINDINGS, *(each.key for each in uploads))

    def lines() -> list[str] | None:
        found = bucket.log_lines(since)
        told = [line for line in found if "image analysed" in line]
        return found if len(told) >= len(uploads) else None

    try:
        text = "\n".join(until(lines, "the log of every picture", EVENT_SECONDS))
    except NotInTime as error:
        return Check(promise, False, str(error))
    seen = [word for word in hidden if word in text]
    return none_of(seen, promise, f"none of {len(hidden)} words", "in the log")


def _check_rows(context: Context, uploads: Sequence[Upload]) -> Check:
    """The function that follows the events writes rows a moment after they are told."""
    promise = "Amazon Athena answers in SQL what was decided"
    versions = ", ".join(f"'{each.version}'" for each in uploads)
    question = (
        "SELECT decision, count(*) AS pictures FROM images "
        f"WHERE version_id IN ({versions}) GROUP BY decision ORDER BY decision"
    )
    wanted = Counter(each.decision for each in uploads)

    def counted() -> list[dict[str, str]] | None:
        found = ask(context, question)
        total = sum(int(row["pictures"]) for row in found)
        return found if total == len(uploads) else None

    try:
        found = until(counted, "a row of every picture", EVENT_SECONDS)
    except (NotInTime, LookupError) as error:
        return Check(promise, False, str(error))
    told = ", ".join(f"{row['decision']} {row['pictures']}" for row in found)
    return Check(promise, {row["decision"]: int(row["pictures"]) for row in found} == wanted, told)


def _check_copies(bucket: ImagesBucket, uploads: Sequence[Upload]) -> Check:
    """What people may see has a copy with blurred faces, which the report shows from here on."""
    promise = "People see copies with blurred faces, and none of a rejected picture"
    shown = [each for each in uploads if each.decision in ("accept", "review")]

    def fetched() -> bool:
        for each in shown:
            each.shown = each.shown or bucket.blurred_copy(each)
        return all(each.shown for each in shown)

    try:
        until(fetched, "a copy of every picture", EVENT_SECONDS)
    except NotInTime as error:
        return Check(promise, False, str(error))
    same = [each.key for each in shown if each.shown == each.sample.content]
    hidden = [each.key for each in uploads if each not in shown and bucket.blurred_copy(each)]
    return none_of([*same, *hidden], promise, f"{len(shown)} copies", "is shown as it is")


def _facts(
    uploads: Sequence[Upload], calls: Mapping[str, int], checks: Sequence[Check]
) -> dict[str, Any]:
    return {
        "files": len(uploads),
        "analyses": [name for name, _ in rows_of(uploads[0].record or {})],
        "calls": dict(calls),
        "checks": {check.promise: check.passed for check in checks},
        "results": [
            {
                "key": each.key,
                "decision": each.decision,
                "reason": reason_of(each.record or {}),
                "found": dict(rows_of(each.record or {})),
                "milliseconds": round(each.milliseconds, 1),
            }
            for each in uploads
        ],
    }
