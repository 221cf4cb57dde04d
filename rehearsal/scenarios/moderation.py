"""Scenario `moderation`: uploaded files are judged, and the rejected ones cannot be read."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.report.model import (
    WORDS,
    Badge,
    Check,
    ChecksCard,
    Flow,
    ImageCard,
    Outcome,
    TableCard,
)
from rehearsal.samples.catalogue import load
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.explaining import Rules, card_of, mismatch
from rehearsal.scenarios.support.reading import check_quarantine
from rehearsal.scenarios.support.uploads import ImagesBucket, Upload
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.scenarios.support.watching import Watch, watching

NAME = "moderation"
TITLE = "Uploaded images are moderated"
ORDER = 1
REAL = (
    "S3 events, EventBridge, SQS, DynamoDB and the event bus carried every file, and the Lambda"
    " function's own code ran for every message.",
    "Queue and key policies decided about deliveries; the bucket policy really refused reads.",
)
STOOD_IN = (
    "Amazon Rekognition's answers are scripted for each sample picture: nothing looked at the"
    " pictures. Its limits on format and size, its quota and its errors are those documented.",
)

OPERATION = "DetectModerationLabels"
FLOW = Flow("The way of an image", drawing="flow")
OWN_TAGS = {"album": "holiday 2026"}
OVERWRITTEN_KEY = "incoming/profile picture.jpg"
EVENT_SECONDS = 20
_OVERWRITING = ("reject", "accept")


def run(context: Context) -> Outcome:
    """Upload the samples, wait for what is decided, and try what must not work.

    Raises:
        NotInTime: a decision did not come.
    """
    bucket = ImagesBucket(context)
    created = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket.name]}}}
    bus = context.outputs["EventBusName"]
    with (
        watching(context, "default", created) as arrived,
        watching(context, bus, {"source": ["sagelens.vision"]}) as announced,
    ):
        return _tell(context, bucket, arrived, announced)


def _tell(context: Context, bucket: ImagesBucket, arrived: Watch, announced: Watch) -> Outcome:
    settings = bucket.settings()
    rules = Rules.of(settings)
    calls_before = context.calls(OPERATION)
    uploads = _upload_all(bucket)
    bucket.wait_for_records(uploads)
    cards = [card_of(each.sample, each.record or {}, rules, each.milliseconds) for each in uploads]
    checks = [_check_decisions(uploads), _check_events(uploads, announced)]
    context.say("reading rejected images as different roles")
    checks += check_quarantine(bucket, uploads, OWN_TAGS)
    context.say("overwriting a key")
    overwritten, table = _check_overwriting(bucket, uploads)
    context.say("delivering an event again")
    checks += [overwritten, _check_duplicate(bucket, uploads, arrived, announced)]
    facts = _facts(cards, checks)
    facts["rekognition_calls"] = context.calls(OPERATION) - calls_before
    facts["events"] = len(announced.events())
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    shown = [*cards, table, ChecksCard("What was checked", checks)]
    note = _note(uploads, settings["pace"][OPERATION])
    return Outcome(facts, shown, problems, note, _numbers(facts), FLOW)


def _numbers(facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    decided = [(word, str(facts["decisions"].get(name, 0)), "") for name, word in WORDS.items()]
    median = ("Upload to decision, median", f"{facts['upload_to_decision_ms']['p50']:,.0f}", "ms")
    return [("Files uploaded", str(facts["files"]), ""), *decided, median]


def _note(uploads: Sequence[Upload], pace: float) -> str:
    """Say why later files take longer than the first."""
    seconds = uploads[-1].started - uploads[0].started
    return (
        f"{len(uploads)} files were uploaded within {seconds:.1f} s. To stay inside the account's"
        f" quota, each running copy of the function makes at most {pace:g} Rekognition calls a"
        " second, so some files wait for their turn."
    )


def _upload_all(bucket: ImagesBucket) -> list[Upload]:
    samples = load(NAME)
    uploads: list[Upload] = []
    for number, sample in enumerate(samples, start=1):
        bucket.context.say(f"uploading {number} of {len(samples)}: {sample.path.name}")
        uploads.append(bucket.upload(sample, sample.key, OWN_TAGS))
    return uploads


def _check_decisions(uploads: Sequence[Upload]) -> Check:
    wrong = [mismatch(each.sample, each.record or {}) for each in uploads]
    found = "; ".join(text for text in wrong if text)
    checked = sum(each.sample.decision is not None for each in uploads)
    return Check("Each file is decided as expected", not found, found or f"{checked} of {checked}")


def _check_events(uploads: Sequence[Upload], announced: Watch) -> Check:
    promise = "Each decision is announced on the platform's event bus"
    wanted = {each.version: each for each in uploads}
    try:
        until(lambda: wanted.keys() <= _details(announced).keys(), "every event", EVENT_SECONDS)
    except NotInTime:
        missing = ", ".join(wanted[each].key for each in wanted.keys() - _details(announced).keys())
        return Check(promise, False, f"no event within {EVENT_SECONDS} s for {missing}")
    details = _details(announced)
    wrong = [
        f"{each.key}: the event says {details[version]['decision']!r}, the record {each.decision!r}"
        for version, each in wanted.items()
        if details[version]["decision"] != each.decision
    ]
    return Check(promise, not wrong, "; ".join(wrong) or f"{len(wanted)} of {len(wanted)}")


def _details(watch: Watch) -> dict[str, Mapping[str, Any]]:
    """Return the details of announcements by version id."""
    return {event["detail"]["object"]["version_id"]: event["detail"] for event in watch.events()}


def _check_overwriting(bucket: ImagesBucket, uploads: Sequence[Upload]) -> tuple[Check, TableCard]:
    """Upload a rejected and then an accepted picture under one key."""
    pair = [next(each for each in uploads if each.decision == word) for word in _OVERWRITING]
    older, newer = (bucket.upload(each.sample, OVERWRITTEN_KEY) for each in pair)
    bucket.wait_for_records([older, newer])

    def current() -> Mapping[str, Any] | None:
        item = bucket.item(OVERWRITTEN_KEY, "current")
        return item if item and item["version_id"] == newer.version else None

    try:
        newest = until(current, "the newer version to be current", EVENT_SECONDS)["decision"]
    except NotInTime:
        newest = "the older version"
    found = (older.decision, newer.decision, newest)
    check = Check(
        "An overwritten key has a decision for each version, and the newer one is current",
        found == (*_OVERWRITING, _OVERWRITING[1]),
        f"older: {found[0]}, newer: {found[1]}, current: {found[2]}",
    )
    is_current = ("no", "yes") if newest == newer.decision else ("yes", "no")
    rows = [
        (word, each.sample.title, Badge(each.decision), now)
        for word, each, now in zip(("Older", "Newer"), (older, newer), is_current, strict=True)
    ]
    table = TableCard(
        f"One key with two versions: {OVERWRITTEN_KEY}",
        ("Version", "Picture", "Decision", "Current"),
        rows,
        "Each version has a record of its own, since each can be read by its version id.",
    )
    return check, table


def _check_duplicate(
    bucket: ImagesBucket, uploads: Sequence[Upload], arrived: Watch, announced: Watch
) -> Check:
    """Deliver the S3 event of a decided version twice more."""
    promise = "An event that is delivered again leads to no second Rekognition call"
    context = bucket.context
    upload = next(each for each in uploads if each.decision == "accept")
    event = next(
        each
        for each in arrived.events()
        if each["detail"]["object"].get("version-id") == upload.version
    )
    calls, events = context.calls(OPERATION), len(announced.events())
    queue = context.outputs["ImageQueueUrl"]
    for _ in range(2):
        context.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
    try:
        until(bucket.queue_is_empty, "the image queue to be empty", 60)
    except NotInTime as error:
        return Check(promise, False, str(error))
    calls, events = context.calls(OPERATION) - calls, len(announced.events()) - events
    found = f"{calls} further calls and {events} further events after two more deliveries"
    return Check(promise, calls == events == 0, found)


def _facts(cards: Sequence[ImageCard], checks: Sequence[Check]) -> dict[str, Any]:
    times = [card.milliseconds for card in cards if card.milliseconds is not None]
    return {
        "files": len(cards),
        "decisions": dict(sorted(Counter(card.decision for card in cards).items())),
        "upload_to_decision_ms": {
            "p50": round(statistics.median(times), 1),
            "max": round(max(times), 1),
        },
        "checks": {check.promise: check.passed for check in checks},
        "results": [
            {
                "key": card.key,
                "decision": card.decision,
                "reason": card.reason,
                "milliseconds": round(card.milliseconds or 0, 1),
            }
            for card in cards
        ],
    }
