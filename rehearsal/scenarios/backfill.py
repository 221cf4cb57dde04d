"""Scenario `backfill`: what lies in the bucket already is counted first, then worked off."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from rehearsal.report.model import Check, ChecksCard, Outcome, TableCard
from rehearsal.samples.catalogue import Sample, load
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.uploads import ImagesBucket
from rehearsal.scenarios.support.waiting import until

NAME = "backfill"
TITLE = "A folder of 500 objects is worked off at the pace of the quota"
ORDER = 3
REAL = (
    "A Distributed Map listed the folder, looked up each object's version and record, and filled"
    " a queue of its own; the same function worked it off beside what arrived anew.",
    "Each right of the state machine and of its function was asked of IAM.",
)
STOOD_IN = (
    "Amazon Rekognition's answers are scripted for each sample picture, and most of the 500 are"
    " copies of a few, as in many an archive: the same bytes are paid for once.",
    "Step Functions is emulated, and its waits are shortened.",
)

OBJECTS = 500
FOLDER = "archive/"
WAITS = 0.01
RUN_SECONDS = 120
LIVE_SECONDS = 30


@dataclass(frozen=True)
class Backfills:
    """The backfills of the environment, by the API."""

    context: Context

    def run(self, **given: Any) -> tuple[dict[str, Any], float]:
        """Run one to its end; return its report and how many seconds it took."""
        started = time.monotonic()
        report = self.report(self.start(**given))
        return report, time.monotonic() - started

    def start(self, **given: Any) -> str:
        """Start one; return the execution's ARN."""
        return self.context.client("stepfunctions").start_execution(
            stateMachineArn=self.context.outputs["BackfillMachineArn"], input=json.dumps(given)
        )["executionArn"]

    def report(self, execution: str) -> dict[str, Any]:
        """The report of an execution when it has ended; what went wrong where it failed.

        Raises:
            NotInTime: it has not ended in time.
        """
        client = self.context.client("stepfunctions")

        def look() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        ended = until(look, "the end of the backfill", RUN_SECONDS)
        if ended["status"] != "SUCCEEDED":
            return {"failed_because": f"{ended.get('error')}: {ended.get('cause')}"}
        return json.loads(ended["output"])


def run(context: Context) -> Outcome:
    """Fill a folder that nobody listens to, count, work it off, and do it all once more.

    Raises:
        NotInTime: a run or a decision did not come.
    """
    context.aws.scale_waits(WAITS)
    try:
        return _tell(context)
    finally:
        context.aws.scale_waits(1)


def _tell(context: Context) -> Outcome:
    bucket, backfills = ImagesBucket(context), Backfills(context)
    samples = [each for each in (*load("moderation"), *load("vision")) if each.answers]
    keys = _fill(bucket, samples)
    context.say("counting what there is to do")
    dry, _ = backfills.run(prefix=FOLDER, dry_run=True)
    context.say(f"working off {OBJECTS} objects")
    operations = sorted(bucket.settings()["pace"])
    before = sum(context.calls(each) for each in operations)
    started = time.monotonic()
    execution = backfills.start(prefix=FOLDER)
    live = bucket.upload(samples[0], "incoming/meanwhile.jpg")
    bucket.wait_for_records([live], LIVE_SECONDS)
    report = backfills.report(execution)
    seconds = time.monotonic() - started
    calls = sum(context.calls(each) for each in operations) - before
    context.say("asking for the same again")
    again, _ = backfills.run(prefix=FOLDER)
    checks = [
        _check_dry(dry),
        _check_done(report),
        _check_records(bucket, keys, samples),
        _check_again(again),
        Check(
            "What arrives meanwhile does not wait for the backlog",
            live.record is not None,
            f"decided {live.milliseconds:,.0f} ms after its upload",
        ),
    ]
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    facts: dict[str, Any] = {
        "objects": OBJECTS,
        "seconds": round(seconds, 1),
        "calls": calls,
        "dry_run": dry,
        "report": report,
        "again": again,
        "checks": {check.promise: check.passed for check in checks},
    }
    numbers = [
        ("Objects worked off", f"{report.get('done', 0):,}", ""),
        ("Rekognition calls", f"{calls:,}", ""),
        ("Objects a second", f"{OBJECTS / seconds:,.0f}", ""),
    ]
    cards = [_table(dry, report, again), ChecksCard("What was checked", checks)]
    return Outcome(facts, cards, problems, _note(samples), numbers)


def _fill(bucket: ImagesBucket, samples: Sequence[Sample]) -> list[str]:
    """Put 500 objects, copies of the samples, where no event makes anything of them."""
    bucket.context.say(f"putting {OBJECTS} objects under {FOLDER}")
    copies = list(islice(cycle(samples), OBJECTS))
    keys = [f"{FOLDER}{n // 100}/{n:03}{each.path.suffix}" for n, each in enumerate(copies)]

    def put(number: int) -> None:
        sample = copies[number]
        bucket.s3.put_object(
            Bucket=bucket.name,
            Key=keys[number],
            Body=sample.content,
            ContentType=sample.media_type,
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(OBJECTS)))
    return keys


def _check_dry(dry: Mapping[str, Any]) -> Check:
    promise = f"A dry run counts {OBJECTS} objects and says what they will cost at most"
    cost = dry.get("usd", {}).get("rekognition", 0)
    fine = dry.get("queued") == OBJECTS and cost > 0
    return Check(promise, fine, _said(dry) or f"{OBJECTS} to analyse, at most {cost:.2f} USD")


def _check_done(report: Mapping[str, Any]) -> Check:
    promise = "Every object is done, none failed and none was lost"
    fine = report.get("done") == OBJECTS and report.get("failed") == 0
    told = ", ".join(f"{n} {name}" for name, n in sorted(report.get("decisions", {}).items()))
    return Check(promise, fine, _said(report) or told)


def _check_records(bucket: ImagesBucket, keys: Sequence[str], samples: Sequence[Sample]) -> Check:
    """A record for each, and the decision is that of its picture."""
    wrong: list[str] = []
    for key, sample in zip(keys, cycle(samples), strict=False):
        current = bucket.item(key, "current") or {}
        if not current or sample.decision not in (None, current["decision"]):
            wrong.append(f"{key}: {current.get('decision', 'no record')}")
    promise = "Each object has a record with the decision of its picture"
    return Check(promise, not wrong, "; ".join(wrong[:3]) or f"{len(keys)} of {len(keys)}")


def _check_again(again: Mapping[str, Any]) -> Check:
    promise = "The same again finds everything done and pays for nothing"
    skipped = sum(again.get("skipped", {}).values())
    fine = skipped == OBJECTS and again.get("queued") == 0
    return Check(promise, fine, _said(again) or f"{skipped} skipped, 0 analysed")


def _said(report: Mapping[str, Any]) -> str:
    return str(report.get("failed_because", ""))


def _table(*reports: Mapping[str, Any]) -> TableCard:
    def row(name: str, *path: str) -> tuple[str, ...]:
        return (name, *(_cell(report, path) for report in reports))

    rows = [
        row("Objects listed", "objects"),
        row("To analyse", "queued"),
        row("Done before, skipped", "skipped", "done"),
        row("In quarantine, skipped", "skipped", "quarantined"),
        row("Done", "done"),
        row("Answered by the same bytes", "reused"),
        row("Failed", "failed"),
        row("USD, Amazon Rekognition", "usd", "rekognition"),
        row("USD, this backfill", "usd", "orchestration"),
    ]
    return TableCard("The reports", ("", "Dry run", "Backfill", "Once more"), rows)


def _cell(report: Mapping[str, Any], path: Sequence[str]) -> str:
    value: Any = report
    for part in path:
        value = value.get(part, {})
    return f"{value:,}" if isinstance(value, int | float) else "-"


def _note(samples: Sequence[Sample]) -> str:
    return (
        f"The folder holds {OBJECTS} objects, copies of {len(samples)} pictures. A backfill has its"
        " own queue and its share of the quota; what arrives anew has the rest."
    )
