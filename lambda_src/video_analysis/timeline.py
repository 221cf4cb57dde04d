"""From sightings to a decision, at each time and on the whole. Pure: no AWS, no clock.

The policy judges each sighting as it judges a finding in an image. At each moment the strictest of
what is seen then holds; the strictest of all moments is the video's decision.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared import policy
from shared.dynamodb import Fields
from shared.policy import STRICTNESS, Policy
from video_analysis.spans import Sighting

# What a record holds at most; the results in S3 hold every piece.
MOST_REASONS = 50
MOST_PIECES = 100
# Labels behind one piece.
MOST_LABELS = 10


@dataclass(frozen=True)
class Verdict:
    """The decision on a video.

    reasons: for each label that is as strict as the decision, its surest sighting and how many
    there are. timeline: pieces from the start to the end of the video, each with its decision and
    the labels behind it.
    """

    decision: str
    reasons: tuple[Fields, ...]
    timeline: tuple[Fields, ...]


@dataclass(frozen=True)
class _Judged:
    decision: str
    start: int
    end: int
    reason: Fields


def decide(sightings: Mapping[str, Sequence[Sighting]], rules: Policy, duration: int) -> Verdict:
    """Return the verdict on the sightings of each analysis.

    duration: of the video in milliseconds; 0 where nothing told it.
    """
    judged = list(_judged(sightings, rules))
    decision = max((each.decision for each in judged), key=STRICTNESS.index, default=STRICTNESS[0])
    reasons = _reasons([each for each in judged if each.decision == decision])
    return Verdict(decision, reasons, tuple(_pieces(judged, duration)))


def _judged(sightings: Mapping[str, Sequence[Sighting]], rules: Policy) -> Iterator[_Judged]:
    """Everything that is not simply accepted."""
    for analysis, found in sightings.items():
        for each in found:
            decision, reason = policy.judge(analysis, each.finding, rules[analysis])
            if decision != STRICTNESS[0]:
                yield _Judged(decision, each.start, each.end, reason)


def _reasons(judged: Sequence[_Judged]) -> tuple[Fields, ...]:
    """One reason for each label, by its surest sighting; the surest labels first."""
    groups: dict[tuple[str, str, str], list[_Judged]] = {}
    for each in judged:
        reason = each.reason
        groups.setdefault((reason["analysis"], reason["label"], reason["rule"]), []).append(each)
    told = [_told(group) for group in groups.values()]
    return tuple(sorted(told, key=lambda each: -each["confidence"])[:MOST_REASONS])


def _told(group: Sequence[_Judged]) -> Fields:
    surest = max(group, key=lambda each: each.reason["confidence"])
    times = {"start_ms": surest.start, "end_ms": surest.end, "times": len(group)}
    return {**surest.reason, **times}


def _pieces(judged: Sequence[_Judged], duration: int) -> Iterator[Fields]:
    """The video cut where the decision changes."""
    whole = max([duration, *(each.end for each in judged)], default=0)
    open_piece: Fields | None = None
    for start, end, decision, labels in _moments(judged, whole):
        if open_piece and open_piece["decision"] == decision:
            open_piece["end_ms"] = end
            open_piece["labels"] = sorted({*open_piece["labels"], *labels})[:MOST_LABELS]
            continue
        if open_piece:
            yield open_piece
        open_piece = {
            "start_ms": start,
            "end_ms": end,
            "decision": decision,
            "labels": sorted(labels)[:MOST_LABELS],
        }
    if open_piece:
        yield open_piece


def _moments(judged: Sequence[_Judged], whole: int) -> Iterator[tuple[int, int, str, set[str]]]:
    """The stretches between all starts and ends, with the strictest decision in each."""
    changes: dict[int, list[tuple[int, tuple[str, str]]]] = {0: [], whole: []}
    for each in judged:
        what = (each.decision, f"{each.reason['analysis']}: {each.reason['label']}")
        changes.setdefault(each.start, []).append((1, what))
        changes.setdefault(each.end, []).append((-1, what))
    active: Counter[tuple[str, str]] = Counter()
    places = sorted(changes)
    for start, end in itertools.pairwise(places):
        for step, what in changes[start]:
            active[what] += step
        seen = [what for what, count in active.items() if count > 0]
        decision = max((each for each, _ in seen), key=STRICTNESS.index, default=STRICTNESS[0])
        yield start, end, decision, {label for each, label in seen if each == decision}
