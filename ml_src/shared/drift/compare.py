"""Compare what was counted with the baseline, and say in words what has drifted.

Each difference is an alarm only if it is large (a threshold) and more than chance (a test). So
many tests would raise false alarms now and then, each at its own level; therefore each is held to
the wanted chance of any false alarm divided by the number of tests (Bonferroni's bound, which
holds however the features depend on each other).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ml_src.shared.drift import measures
from ml_src.shared.drift.baseline import Baseline, Predictions
from ml_src.shared.drift.bias import Facet, facets
from ml_src.shared.drift.histogram import coarse
from ml_src.shared.drift.measures import Estimate
from ml_src.shared.drift.quality import SHARES, WORSE, figures
from ml_src.shared.drift.tally import CategoryTally, NumberTally, PredictionTally, Tally
from ml_src.shared.drift.thresholds import Thresholds
from ml_src.shared.reliability import reliability

TESTS = {NumberTally: 5, CategoryTally: 3}  # of one feature
# Of the largest of m training rows, a share of about 2 / m of later rows lies beyond; rarely ten.
BEYOND_BY_CHANCE = 10
MOST_NEW = 10  # unseen categories named

CONTEXT = {
    "auc": "AUC",
    "log_loss": "log loss",
    "calibration_gap": "mean prediction minus rate of positives",
    "precision": "precision",
    "recall": "recall",
}


@dataclass
class Comparison:
    """One feature's, or the predictions', figures and the reasons why they have drifted."""

    figures: dict[str, Any]
    reasons: list[str] = field(default_factory=list[str])
    bars: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def drifted(self) -> bool:
        """Say whether there is any reason."""
        return bool(self.reasons)

    @property
    def worst(self) -> tuple[bool, float]:
        """Give a key that sorts the most drifted last."""
        return self.drifted, float(self.figures["psi_beyond_chance"])


@dataclass(frozen=True)
class Result:
    """All comparisons.

    level: the chance of a false alarm that each of `tests` tests is held to.
    features: the most drifted first. predictions, quality: None where there is nothing to compare.
    """

    level: float
    tests: int
    features: list[Comparison]
    predictions: Comparison | None
    quality: Comparison | None
    groups: list[Facet]
    reasons: list[str]


def compare(
    tally: Tally, baseline: Baseline, limits: Thresholds, facets_asked: Mapping[str, str | None]
) -> Result:
    """Compare everything.

    Args:
        tally: what was counted.
        baseline: what to compare with.
        limits: how large a difference must be.
        facets_asked: by feature the value whose group is watched, None for each in turn.
    """
    known = baseline.predictions
    groups = facets(tally.groups, facets_asked, known, limits)
    tests = sum(TESTS[type(found)] for found in tally.features.values())
    tests += len([group for group in groups if group.judged])
    tests += (2 if known else 0) + (len(known.quality) if known else 0)
    level = limits.false_alarms / max(1, tests)
    features = [_feature(found, limits, level) for found in tally.features.values() if found.rows]
    features.sort(key=lambda found: found.worst, reverse=True)
    predictions = None
    if known and tally.predictions.rows:
        predictions = _predictions(tally.predictions, known, limits, level)
    quality = _quality(tally, known, limits, level)
    for group in groups:
        group.judge(level, limits)
    reasons = [
        *[reason for found in features for reason in found.reasons],
        *(predictions.reasons if predictions else []),
        *(quality.reasons if quality else []),
        *[reason for group in groups for reason in group.reasons],
    ]
    return Result(level, tests, features, predictions, quality, groups, reasons)


def _feature(found: NumberTally | CategoryTally, limits: Thresholds, level: float) -> Comparison:
    if isinstance(found, NumberTally):
        comparison = _number(found, limits, level)
    else:
        comparison = _category(found, limits, level)
    return _with_missing(comparison, found, level)


def _number(found: NumberTally, limits: Thresholds, level: float) -> Comparison:
    base, name = found.baseline, found.baseline.name
    comparison = _distribution(name, base.histogram.counts, found.counts, limits, level)
    facts = comparison.figures
    facts["type"] = "number"
    comparison.bars["edges"] = base.histogram.edges
    if found.known:
        facts |= {"mean": found.total / found.known, "minimum": found.least, "maximum": found.most}
    least = max(limits.outside, BEYOND_BY_CHANCE / max(1, base.histogram.rows))
    edges = base.histogram.edges
    allowed = f"{edges[0]:g} to {edges[-1]:g}" if len(edges) else "nothing"
    for key, number, limit, what in (
        ("beyond_training", found.beyond, least, f"the training rows' range {allowed}"),
        ("out_of_bounds", found.outside, limits.outside, f"{base.minimum:g} to {base.maximum:g}"),
    ):
        share = number / found.known if found.known else 0.0
        facts[key] = {"rows": number, "rate": share, "limit": limit}
        if measures.at_least(number, found.known, level) > limit:
            comparison.reasons.append(
                f"{name}: {share:.1%} of the values lie outside {what} "
                f"(from {found.least:g} to {found.most:g}); allowed {limit:.1%}"
            )
    return comparison


def _category(found: CategoryTally, limits: Thresholds, level: float) -> Comparison:
    base, name = found.baseline, found.baseline.name
    expected, actual = np.append(base.counts, 0), np.append(found.counts, found.unseen)
    comparison = Comparison({"name": name, "type": "category"})
    facts = comparison.figures
    facts |= _psi(expected, actual)
    distance = measures.jensen_shannon(measures.shares(expected), measures.shares(actual))
    facts["jensen_shannon"] = distance = distance if found.known and expected.any() else 0.0
    sure = facts["chance"] <= level
    if sure and facts["psi_beyond_chance"] >= limits.psi:
        comparison.reasons.append(f"{name}: {_psi_told(facts, limits)}")
    elif sure and distance >= limits.jensen_shannon:
        comparison.reasons.append(
            f"{name}: the Jensen-Shannon distance of its categories is {distance:.2f}; "
            f"allowed {limits.jensen_shannon:g}"
        )
    share = found.unseen / found.known if found.known else 0.0
    limit = max(limits.unseen, BEYOND_BY_CHANCE / max(1, int(base.counts.sum())))
    new = found.new.most_common(MOST_NEW)
    facts["unseen"] = {"rows": found.unseen, "rate": share, "limit": limit, "values": dict(new)}
    if measures.at_least(found.unseen, found.known, level) > limit:
        named = ", ".join(repr(value[:40]) for value, _ in new[:3])
        comparison.reasons.append(
            f"{name}: {share:.1%} of the values are a category that training never saw "
            f"({named}); allowed {limit:.1%}"
        )
    comparison.bars |= {"names": [*base.values, "unseen"], "expected": expected, "actual": actual}
    return comparison


def _distribution(
    name: str, expected: Any, actual: Any, limits: Thresholds, level: float
) -> Comparison:
    """Compare numbers: PSI on about ten bins, KS on all of them."""
    merged = coarse(expected)
    bins = int(merged[-1]) + 1
    few = [np.bincount(merged, side, bins).astype(np.int64) for side in (expected, actual)]
    comparison = Comparison({"name": name})
    facts = comparison.figures
    facts |= _psi(*few)
    rows, others = int(expected.sum()), int(actual.sum())
    distance = measures.kolmogorov_smirnov(expected, actual) if rows and others else 0.0
    chance = measures.kolmogorov_smirnov_chance(distance, rows, others) if rows and others else 1.0
    facts |= {"ks": distance, "ks_chance": chance}
    if facts["chance"] <= level and facts["psi_beyond_chance"] >= limits.psi:
        comparison.reasons.append(f"{name}: {_psi_told(facts, limits)}")
    elif chance <= level and distance >= limits.ks:
        comparison.reasons.append(
            f"{name}: the Kolmogorov-Smirnov distance is {distance:.2f}; allowed {limits.ks:g}"
        )
    comparison.bars |= {"merged": merged, "expected": few[0], "actual": few[1]}
    return comparison


def _psi(expected: Any, actual: Any) -> dict[str, Any]:
    found = measures.psi_of_counts(expected, actual)
    by_chance = measures.psi_by_chance(expected, actual)
    return {
        "rows": int(actual.sum()),
        "psi": found,
        "psi_by_chance": by_chance,
        "psi_beyond_chance": max(0.0, found - by_chance),
        "chance": measures.homogeneity(expected, actual),
    }


def _psi_told(facts: Mapping[str, Any], limits: Thresholds) -> str:
    by_chance = facts["psi_by_chance"]
    part = f", of which chance explains {by_chance:.2f}" if by_chance >= 0.01 else ""
    return f"PSI {facts['psi']:.2f}{part}; allowed {limits.psi:g}"


def _with_missing(
    comparison: Comparison, found: NumberTally | CategoryTally, level: float
) -> Comparison:
    """Add the share of missing values: an alarm when above the constraint and above the past."""
    base = found.baseline
    share = found.missing / found.rows
    before = round(base.rows * base.missing)
    comparison.figures["missing"] = {
        "rows": found.missing,
        "rate": share,
        "baseline": base.missing,
        "limit": base.most_missing,
    }
    table = (np.array([before, base.rows - before]), np.array([found.missing, found.known]))
    above = measures.at_least(found.missing, found.rows, level) > base.most_missing
    if above and measures.homogeneity(*table) <= level:
        comparison.reasons.append(
            f"{base.name}: missing in {share:.1%} of the rows, in training in {base.missing:.1%}; "
            f"allowed {base.most_missing:.1%}"
        )
    return comparison


def _predictions(
    found: PredictionTally, known: Predictions, limits: Thresholds, level: float
) -> Comparison:
    comparison = _distribution("predictions", known.histogram.counts, found.counts, limits, level)
    comparison.figures |= {"mean": found.total / found.rows, "threshold": known.threshold}
    if known.threshold is not None:
        comparison.figures["selection_rate"] = {
            "rate": found.selected / found.rows,
            "baseline": known.selected / known.histogram.rows,
        }
    comparison.bars["edges"] = known.histogram.edges
    return comparison


def _quality(
    tally: Tally, known: Predictions | None, limits: Thresholds, level: float
) -> Comparison | None:
    labels, predictions = tally.labelled()
    if not len(labels):
        return None
    found: dict[str, Estimate] = figures(labels, predictions, known.threshold if known else None)
    comparison = Comparison({"rows": len(labels), "positive_rate": float(labels.mean())})
    judged = known is not None and len(labels) >= limits.least_rows
    for name, figure in found.items():
        facts: dict[str, Any] = figure.document()
        before = known.quality.get(name) if known else None
        if before:
            change = figure.value - before.value
            worse = abs(change) if WORSE[name] == 0 else change * WORSE[name]
            limit = float(getattr(limits, name))
            facts |= {"baseline": before.value, "worse_by": worse, "limit": limit}
            # A change either way is tested to both sides: half the level to each.
            side = level / 2 if WORSE[name] == 0 else level
            if name in SHARES:
                before, figure = before.at(figure.value), figure.at(before.value)
            if judged and worse >= limit and figure.differs(before, side):
                comparison.reasons.append(
                    f"{CONTEXT[name]} is {figure.value:.3f}, at evaluation {before.value:.3f}; "
                    f"allowed is a change for the worse of {limit:g}"
                )
        comparison.figures[name] = facts
    comparison.figures["reliability"] = reliability(labels, predictions)
    return comparison
