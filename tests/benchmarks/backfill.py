"""Ten thousand images that lie in a bucket, worked off against a Rekognition that has a quota."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from rehearsal.process import Rehearsal
from tests.benchmarks.backlog import recorded_in
from tests.benchmarks.measure import Figure
from tests.rehearsal.backfills import Backfills
from tests.rehearsal.platform import ACCEPTED, OPERATION

IMAGES = 10_000
QUOTA = 25
SHARE = 0.8
CALL_SECONDS = 0.3
RUN_SECONDS = 3_600
# Waits of a minute are shortened to 3 s: the look at the queue, not the pace of the work.
WAITS = 0.05
SETTINGS = f"""
name: backfill
vision:
  quotas: {{DetectModerationLabels: {QUOTA}}}
  backfill: {{quota_share: {SHARE}, prefixes: [archive/]}}
"""


@dataclass
class Memory:
    """How much memory the Lambda workers hold, looked at every two seconds, in MB."""

    seen: list[float] = field(default_factory=list[float])
    _stop: Event = field(default_factory=Event)

    def watch(self) -> Thread:
        """Begin to look."""
        thread = Thread(target=self._look, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def _look(self) -> None:
        while not self._stop.wait(2.0):
            found = [_resident(path) for path in Path("/proc").glob("[0-9]*")]
            workers = [size for size in found if size]
            if workers:
                self.seen.append(max(workers))

    @property
    def growth(self) -> float:
        """The largest worker's memory in the last quarter, over that in the second."""
        quarter = len(self.seen) // 4
        early, late = self.seen[quarter : 2 * quarter], self.seen[3 * quarter :]
        return (sum(late) / len(late)) / (sum(early) / len(early))


def _resident(process: Path) -> float | None:
    """Memory of a Lambda worker's process in MB; None for any other process."""
    try:
        if b"RESULTS_TABLE=" not in (process / "environ").read_bytes():
            return None
        fields = (process / "statm").read_text().split()
    except OSError:
        return None
    return int(fields[1]) * 4_096 / 1_048_576


def figures() -> list[Figure]:
    """The share of the quota in use, images lost, memory, and what a thousand images cost."""
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder, Rehearsal.start(samples=()) as aws:
        settings = Path(folder, "settings.yaml")
        settings.write_text(SETTINGS)
        backfills = Backfills.deploy(aws, Path(folder, "assembly"), settings)
        aws.scale_waits(WAITS)
        aws.rekognition.latency(OPERATION, CALL_SECONDS)
        aws.rekognition.quota(OPERATION, QUOTA)
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(lambda n: backfills.put(f"archive/{n:05}.png", n, ACCEPTED), range(IMAGES))
            )
        memory.watch()
        started = time.monotonic()
        execution = backfills.start(prefix="archive/")
        report = _report(backfills, execution)
        seconds = time.monotonic() - started
        memory.stop()
        usage = aws.rekognition.usage()[OPERATION]
        recorded = recorded_in(backfills.platform)
    return _figures(report, usage, recorded, memory, seconds)


def _report(backfills: Backfills, execution: str) -> dict[str, Any]:
    ended = backfills.end(execution, seconds=RUN_SECONDS)
    assert ended["status"] == "SUCCEEDED", ended
    return backfills.report(execution)


def _figures(
    report: dict[str, Any], usage: Any, recorded: int, memory: Memory, seconds: float
) -> list[Figure]:
    calls = sum(usage.counts.values())
    refused = calls - usage.counts["ok"]
    mine = QUOTA * SHARE
    orchestration = 1_000 * report["usd"]["orchestration"] / IMAGES
    rekognition = 1_000 * report["usd"]["rekognition"] / IMAGES
    how = f"{IMAGES:,} images in {seconds:.0f} s, {mine:g} of {QUOTA} calls/s are the backfill's"
    return [
        Figure(
            "backfill: share of its quota", usage.rate() / mine, aim=0.9, at_least=True, detail=how
        ),
        Figure(
            "backfill: share throttled", refused / calls, aim=0.01, detail=f"{refused} of {calls}"
        ),
        Figure("backfill: lost", IMAGES - recorded, aim=0, detail=f"{recorded:,} recorded"),
        Figure(
            "backfill: reported otherwise",
            abs(recorded - report["done"]) + report["failed"],
            aim=0,
            detail=f"{report['done']:,} done, {report['failed']:,} failed",
        ),
        Figure(
            "backfill: memory of a worker, end over beginning",
            memory.growth,
            aim=1.1,
            detail=f"{memory.seen[len(memory.seen) // 4]:.0f} MB, then {memory.seen[-1]:.0f} MB",
        ),
        Figure(
            "backfill: orchestration of 1,000 images",
            orchestration,
            unit="USD",
            detail=f"beside {rekognition:.2f} USD for Amazon Rekognition",
        ),
    ]
