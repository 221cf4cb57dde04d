"""Stretches of time in which something is seen.

Labels and moderation come by segment from the service. Faces, text and celebrities come by moments,
about two a second; moments of the same thing that lie close together are one stretch here.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.dynamodb import Fields
from shared.policy import Finding

# Two sightings that are further apart are two stretches.
GAP_MS = 2_000
# A moment stands for this long: how far apart the frames are that the service looks at, about.
MOMENT_MS = 500
# What the results of one analysis list at most; beyond it they are counted only.
MOST_DETAILS = 20_000


@dataclass(frozen=True)
class Sighting:
    """A finding with its stretch of time, in milliseconds from the video's start."""

    finding: Finding
    start: int
    end: int


@dataclass
class Span:
    """A stretch of time, the greatest confidence in it, what its first moment told, and how many
    there are of it at one moment at most."""

    start: int
    end: int
    confidence: float
    told: Mapping[str, Any] = field(default_factory=dict[str, Any])
    most: int = 1

    @property
    def until(self) -> int:
        """Where it ends, in milliseconds; a single moment lasts a little too."""
        return max(self.end, self.start + MOMENT_MS)


class Spans:
    """Joins moments of the same thing to stretches. Moments come in the order of time."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Span] = {}
        self._all: list[tuple[Hashable, Span]] = []

    def add(
        self, key: Hashable, at: int, confidence: float, told: Mapping[str, Any] | None = None
    ) -> Span:
        """Add a moment; return the stretch that it belongs to."""
        last = self._last.get(key)
        if last is not None and at - last.end <= GAP_MS:
            last.end = max(last.end, at)
            last.confidence = max(last.confidence, confidence)
            return last
        span = Span(at, at, confidence, told or {})
        self._last[key] = span
        self._all.append((key, span))
        return span

    def __iter__(self) -> Iterator[tuple[Any, Span]]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class Details:
    """The list of what an analysis found, as its results in S3 hold it: bounded, and counted."""

    def __init__(self) -> None:
        self.kept: list[Fields] = []
        self.count = 0

    def add(self, detail: Fields) -> None:
        """List one thing, unless there are too many."""
        self.count += 1
        if len(self.kept) < MOST_DETAILS:
            self.kept.append(detail)


def times(span: Span) -> Fields:
    """Return a stretch as results hold it."""
    return {"start_ms": span.start, "end_ms": span.until}


def segment_of(found: Mapping[str, Any]) -> Span:
    """Return the stretch of an element that comes by segment (AggregateBy: SEGMENTS)."""
    start = int(found.get("StartTimestampMillis") or found.get("Timestamp") or 0)
    return Span(start, max(start, int(found.get("EndTimestampMillis") or start)), 0.0)
