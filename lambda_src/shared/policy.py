"""From findings to a decision. Pure: no AWS, no clock.

A policy gives each analysis rules, and each rule bands of confidence:

    {"*": (Band("accept", 0, 60), Band("reject", 60, 100)), "Alcohol": (Band("accept", 0, 100),)}

A finding is judged by the rule of its exact label, else of its nearest parent category that has
one, else by "*". A band holds its lower end and not its upper, but for the top band, which
holds 100. The strictest decision of all findings is the image's; no findings: accept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from shared.dynamodb import Fields

STRICTNESS = ("accept", "review", "reject")
ANY = "*"
TOP = 100.0


@dataclass(frozen=True)
class Finding:
    """Something that an analysis saw: a label, its confidence (0 to 100), its parent
    categories, nearest first; advice: what whoever sent the image could do better."""

    label: str
    confidence: float
    parents: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class Band:
    """A stretch of confidence, from `low` up to `high`, and what it decides."""

    decision: str
    low: float
    high: float


Rules = Mapping[str, tuple[Band, ...]]
Policy = Mapping[str, Rules]


@dataclass(frozen=True)
class Verdict:
    """The decision (accept, review, reject) and the findings that led to it.

    reasons: one entry for each finding as strict as the decision; none if it is accept.
    """

    decision: str
    reasons: tuple[Fields, ...]


def read(policy: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> Policy:
    """Return a policy from plain data, as the function's settings hold it.

    Raises ValueError where "*" is missing, a decision is unknown, or bands leave out or cover
    twice a part of 0 to 100: such a policy could let an image pass unjudged.
    """
    return {
        analysis: {rule: _bands(f"{analysis}.{rule}", bands) for rule, bands in rules.items()}
        for analysis, rules in policy.items()
        if _has_default(analysis, rules)
    }


def decide(findings: Mapping[str, Sequence[Finding]], policy: Policy) -> Verdict:
    """Return the verdict on the findings of each analysis under `policy`."""
    judged = [
        judge(analysis, finding, policy[analysis])
        for analysis, found in findings.items()
        for finding in found
    ]
    decision = max((each for each, _ in judged), key=STRICTNESS.index, default=STRICTNESS[0])
    if decision == STRICTNESS[0]:
        return Verdict(decision, ())
    return Verdict(decision, tuple(reason for each, reason in judged if each == decision))


def judge(analysis: str, finding: Finding, rules: Rules) -> tuple[str, Fields]:
    """Return the decision on one finding of an analysis, and the reason to record."""
    rule = _rule(finding, rules)
    band = _band(finding.confidence, rules[rule])
    reason: Fields = {
        "analysis": analysis,
        "label": finding.label,
        "confidence": finding.confidence,
        "band": [band.low, band.high],
        "rule": rule,
    }
    if finding.advice:
        reason["advice"] = finding.advice
    return band.decision, reason


def _rule(finding: Finding, rules: Rules) -> str:
    names = (finding.label, *finding.parents)
    return next((name for name in names if name in rules), ANY)


def _band(confidence: float, bands: tuple[Band, ...]) -> Band:
    # Whatever the service answers, a confidence above 100 counts as 100 and below 0 as 0.
    return next((band for band in bands if confidence < band.high), bands[-1])


def _has_default(analysis: str, rules: Mapping[str, object]) -> bool:
    if ANY not in rules:
        raise ValueError(f"policy of {analysis}: the rule {ANY!r} is missing")
    return True


def _bands(where: str, bands: Mapping[str, Sequence[float]]) -> tuple[Band, ...]:
    unknown = [name for name in bands if name not in STRICTNESS]
    if unknown:
        raise ValueError(
            f"policy {where}: unknown decision {unknown[0]!r}; allowed are {', '.join(STRICTNESS)}"
        )
    chosen = tuple(Band(name, *_ends(where, bands[name])) for name in STRICTNESS if name in bands)
    edges = [0.0, *(band.high for band in chosen)]
    lows = [band.low for band in chosen]
    if not chosen or lows != edges[:-1] or edges[-1] != TOP or edges != sorted(edges):
        raise ValueError(
            f"policy {where}: the bands {dict(bands)} must cover 0 to 100 with no gap and no "
            "overlap, the stricter one higher"
        )
    return chosen


def _ends(where: str, band: object) -> tuple[float, float]:
    if not isinstance(band, (list, tuple)) or len(cast("Sequence[Any]", band)) != 2:
        raise ValueError(f"policy {where}: a band is [from, to], not {band!r}")
    low, high = cast("Sequence[float]", band)
    return float(low), float(high)
