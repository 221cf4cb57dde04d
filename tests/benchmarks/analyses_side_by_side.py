"""Several analyses of one image beside the slowest single call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

from image_analysis import analyses, planning
from image_analysis.detection import Detector, method_name
from image_analysis.pacing import Pacer
from shared.clock import Clock
from shared.s3_events import ObjectVersion
from tests.benchmarks.measure import Figure
from tests.unit.lambda_src.seen import OPTIONS

# Seconds of each call, scripted: the slowest alone sets the least that k calls can take.
LATENCIES = {
    "DetectModerationLabels": 0.30,
    "DetectLabels": 0.25,
    "DetectFaces": 0.20,
    "DetectText": 0.28,
    "RecognizeCelebrities": 0.22,
    "DetectCustomLabels": 0.26,
}
ONE, SOME = ["moderation"], ["moderation", "labels", "faces"]
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
    return [_figure(names, version) for names in (ONE, SOME, analyses.names())]


def _figure(names: list[str], version: ObjectVersion) -> Figure:
    chosen = analyses.load({name: OPTIONS[name] for name in names})
    operations = planning.operations(chosen)
    pacers = {operation: Pacer(1000, Clock()) for operation in operations}
    detector = Detector(Scripted(), chosen, pacers)
    taken: list[float] = []
    for _ in range(RUNS):
        started = time.perf_counter()
        detection = detector.detect(version, lambda: 60.0)
        taken.append(time.perf_counter() - started)
        assert detection.failure is None and len(detection.answers) == len(names)
    slowest = max(LATENCIES[operation] for operation in operations)
    calls = len(planning.plan(chosen).calls)
    return Figure(
        f"one image with {len(names)} analyses / its slowest call",
        statistics.median(taken) / slowest,
        aim=1.25,
        detail=f"{calls} calls, {statistics.median(taken):.3f} s / {slowest:.3f} s, "
        f"median of {RUNS}",
    )
