"""Whether predictions select groups of people at different rates, in the words of AWS Clarify.

A facet is a feature, facet d the group watched, facet a all others with a value. Of "Fairness,
model explainability and bias detection with SageMaker Clarify", post-training metrics:

* selection rate: share of the rows of a group whose prediction selects, q'd and q'a;
* difference in positive proportions in predicted labels (DPPL): q'a - q'd;
* disparate impact (DI): q'd / q'a.

A model may select groups at different rates from the start, and whether that is fair is for
people to judge when they approve it. Drift is a change since then: of DPPL, by more than a
threshold and more than chance. A group that evaluation did not know is held to its DI instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from ml_src.shared.drift.baseline import Predictions
from ml_src.shared.drift.measures import Estimate, rate
from ml_src.shared.drift.thresholds import Thresholds

Pair = tuple[int, int]  # rows, and those of them selected


@dataclass
class Facet:
    """One group against the others, now and, where known, at evaluation.

    group, others: rows and selected rows. before: the same at evaluation.
    judged: whether both have rows enough.
    """

    feature: str
    value: str
    group: Pair
    others: Pair
    before: tuple[Pair, Pair] | None
    judged: bool
    reasons: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """Name the group, such as `gender=Female`."""
        return f"{self.feature}={self.value}"

    def judge(self, level: float, limits: Thresholds) -> None:
        """Add a reason when the group has drifted; `level` is the test's chance of a false one."""
        if not self.judged:
            return
        now = difference(self.group, self.others)
        if self.before:
            then = difference(*self.before)
            # To both sides, so half the level to each.
            if abs(now.value - then.value) >= limits.bias and now.differs(then, level / 2):
                self.reasons.append(
                    f"{self.name}: difference in positive proportions (DPPL) {now.value:+.2f}, at "
                    f"evaluation {then.value:+.2f}; allowed is a change of {limits.bias:g}"
                )
            return
        low, high = impact_between(self.group, self.others, level)
        if high < limits.impact or low > 1 / limits.impact:
            self.reasons.append(
                f"{self.name}: disparate impact {_shown(impact(self.group, self.others))}; allowed "
                f"is {limits.impact:g} to {1 / limits.impact:g}"
            )

    def document(self) -> dict[str, Any]:
        """Give the figures for JSON; those of an empty group are null."""
        found: dict[str, Any] = {
            "facet": self.feature,
            "value": self.value,
            "judged": self.judged,
            **_figures(self.group, self.others),
        }
        if self.before:
            found["baseline"] = _figures(*self.before)
        return {**found, "drifted": bool(self.reasons), "reasons": self.reasons}


def difference(group: Pair, others: Pair) -> Estimate:
    """Give DPPL with its standard error."""
    left, right = rate(others[1], others[0]), rate(group[1], group[0])
    return Estimate(left.value - right.value, float(np.hypot(left.error, right.error)))


def impact(group: Pair, others: Pair) -> float | None:
    """Give DI; None where nothing can be divided."""
    if not group[0] or not others[0] or not others[1]:
        return None
    return (group[1] / group[0]) / (others[1] / others[0])


def impact_between(group: Pair, others: Pair, level: float) -> tuple[float, float]:
    """Give bounds of DI, both right but for a chance of `level`: Katz's, with half a row added."""
    (rows, chosen), (more, picked) = group, others
    middle = np.log((chosen + 0.5) / (rows + 0.5)) - np.log((picked + 0.5) / (more + 0.5))
    parts = 1 / (chosen + 0.5) - 1 / (rows + 0.5) + 1 / (picked + 0.5) - 1 / (more + 0.5)
    reach = stats.norm.isf(level / 2) * np.sqrt(parts)
    return float(np.exp(middle - reach)), float(np.exp(middle + reach))


def facets(
    found: Mapping[str, Mapping[str, list[int]]],
    asked: Mapping[str, str | None],
    known: Predictions | None,
    limits: Thresholds,
) -> list[Facet]:
    """Pair each watched group with the others of its feature.

    Args:
        found: by feature and value the rows with a prediction, and those selected.
        asked: by feature the value watched, None for each in turn.
        known: the predictions at evaluation.
        limits: how many rows a group needs.
    """
    listed: list[Facet] = []
    for feature, values in found.items():
        now = {value: (counts[0], counts[1]) for value, counts in values.items()}
        before = dict(known.groups.get(feature, {})) if known else {}
        value = asked.get(feature)
        for watched in [value] if value is not None else _each(now, before):
            group, others = _split(now, watched)
            then = _split(before, watched)
            enough = min(group[0], others[0]) >= limits.least_group_rows
            past = min(then[0][0], then[1][0]) >= limits.least_group_rows
            listed.append(Facet(feature, watched, group, others, then if past else None, enough))
    return listed


def _each(now: Mapping[str, Pair], before: Mapping[str, Pair]) -> list[str]:
    """List the values in turn; of two only one, as each is the other's mirror image."""
    values = sorted({*now, *before})
    return values[:1] if len(values) == 2 else values


def _split(values: Mapping[str, Pair], watched: str) -> tuple[Pair, Pair]:
    others = [counts for value, counts in values.items() if value != watched]
    rest = (sum(rows for rows, _ in others), sum(chosen for _, chosen in others))
    return values.get(watched, (0, 0)), rest


def _figures(group: Pair, others: Pair) -> dict[str, Any]:
    both = bool(group[0] and others[0])
    return {
        "rows": group[0],
        "other_rows": others[0],
        "selection_rate": group[1] / group[0] if group[0] else None,
        "other_selection_rate": others[1] / others[0] if others[0] else None,
        "disparate_impact": impact(group, others),
        "difference_in_positive_proportions": difference(group, others).value if both else None,
    }


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
