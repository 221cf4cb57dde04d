"""Several analyses of one image beside the slowest single call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

from image_analysis.analyses import Analysis, Answer
from image_analysis.detection import Detector, method_name
from image_analysis.pacing import Pacer
from shared.clock import Clock
from shared.s3_events import ObjectVersion
from tests.benchmarks.measure import Figure

# Seconds of each call, scripted: the slowest alone sets the least that k calls can take.
LATENCIES = {
    "DetectModerationLabels": 0.30,
    "DetectLabels": 0.25,
    "DetectFaces": 0.20,
    "DetectText": 0.28,
    "RecognizeCelebrities": 0.22,
    "DetectCustomLabels": 0.26,
    "DetectProtectiveEquipment": 0.18,
}
RUNS = 7


class Scripted:
    """A Rekognition client whose calls only take their time."""

    def __getattr__(self, name: str) -> Any:
        seconds = next(s for operation, s in LATENCIES.items() if method_name(operation) == name)

        def call(**arguments: Any) -> Mapping[str, Any]:
            time.sleep(seconds)
            return {}

        return call


def figures() -> list[Figure]:
    """The ratio for one, three and all analyses, by the function's own detector."""
    version = ObjectVersion(
        bucket="images",
        key="incoming/a.jpg",
        version_id="1",
        sequencer="0",
        etag=None,
        size=None,
        created_at="2026-01-01T00:00:00Z",
    )
    return [_figure(count, version) for count in (1, 3, len(LATENCIES))]


def _figure(count: int, version: ObjectVersion) -> Figure:
    operations = list(LATENCIES)[:count]
    analyses = tuple(
        Analysis(operation, operation, 1, {}, lambda response: Answer({}, ()))
        for operation in operations
    )
    pacers = {operation: Pacer(1000, Clock()) for operation in operations}
    detector = Detector(Scripted(), analyses, pacers)
    taken: list[float] = []
    for _ in range(RUNS):
        started = time.perf_counter()
        detector.detect(version, lambda: 60.0)
        taken.append(time.perf_counter() - started)
    slowest = max(LATENCIES[operation] for operation in operations)
    return Figure(
        f"one image with {count} analyses / its slowest call",
        statistics.median(taken) / slowest,
        aim=1.25,
        detail=f"{statistics.median(taken):.3f} s / {slowest:.3f} s, median of {RUNS}",
    )
