"""How well probabilities foretell labels: curves, errors at a threshold, calibration, costs.

Written on numpy alone: importing scikit-learn takes longer than computing all of it. The tests
hold each score against scikit-learn's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """Hits and false alarms at each distinct probability, from the highest down.

    thresholds: the probabilities; a customer is called a churner from there on.
    hits, alarms: churners and others with at least that probability.
    """

    thresholds: Floats
    hits: Floats
    alarms: Floats

    @property
    def positives(self) -> float:
        """Give the number of churners."""
        return float(self.hits[-1])

    @property
    def negatives(self) -> float:
        """Give the number of others."""
        return float(self.alarms[-1])

    def rates(self) -> tuple[Floats, Floats]:
        """Give the ROC curve from (0, 0): false positive rates, true positive rates."""
        alarms = np.concatenate([[0.0], self.alarms / self.negatives])
        return alarms, np.concatenate([[0.0], self.hits / self.positives])

    def precision_recall(self) -> tuple[Floats, Floats]:
        """Give the precision-recall curve: precisions, recalls, by falling threshold."""
        return self.hits / (self.hits + self.alarms), self.hits / self.positives


def steps(labels: Numbers, probabilities: Numbers) -> Steps:
    """Count hits and false alarms by threshold. Labels are 0 and 1, and both occur."""
    order = np.argsort(-probabilities)
    sorted_labels, ranked = labels[order], probabilities[order]
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))  # of each group of equals
    hits = np.cumsum(sorted_labels, dtype=np.float64)[last]
    return Steps(ranked[last].astype(np.float64), hits, last + 1 - hits)


def auc(labels: Numbers, probabilities: Numbers) -> float:
    """Give the area under the ROC curve; equal probabilities count half."""
    alarms, hits = steps(labels, probabilities).rates()
    return float(np.trapezoid(hits, alarms))


def average_precision(found: Steps) -> float:
    """Give the area under the precision-recall curve, as a sum of steps."""
    precision, recall = found.precision_recall()
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def log_loss(labels: Numbers, probabilities: Numbers) -> float:
    """Give the mean negative log likelihood; probabilities are kept off 0 and 1 by 1e-7."""
    safe = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(labels == 1, np.log(safe), np.log1p(-safe))))


def brier(labels: Numbers, probabilities: Numbers) -> float:
    """Give the mean squared distance of probability and label."""
    return float(np.mean((probabilities.astype(np.float64) - labels) ** 2))


def calibration_error(table: list[dict[str, float]]) -> float:
    """Give the mean distance of probability and rate, bins weighted by their customers."""
    total = sum(line["count"] for line in table)
    return (
        sum(line["count"] * abs(line["mean_probability"] - line["positive_rate"]) for line in table)
        / total
    )


@dataclass(frozen=True)
class Costs:
    """What mistakes cost, in any one currency.

    missed: a churner to whom no offer was made.
    needless: an offer to a customer who would have stayed.
    """

    missed: float
    needless: float

    def total(self, missed: Any, needless: Any) -> Any:
        """Add up the costs of so many mistakes of each kind."""
        return self.missed * missed + self.needless * needless


def cheapest(found: Steps, costs: Costs) -> float:
    """Choose the threshold at which mistakes cost least: make the offer from there on.

    Offering to nobody is a choice too: then the threshold is 1, or just above the highest
    probability should that be 1.
    """
    totals = costs.total(found.positives - found.hits, found.alarms)
    best = int(np.argmin(totals))
    if costs.total(found.positives, 0) < totals[best]:
        return max(1.0, float(np.nextafter(found.thresholds[0], np.inf)))
    return float(found.thresholds[best])


@dataclass(frozen=True)
class Confusion:
    """Counts of customers by what they did and what was said of them at a threshold."""

    hits: int
    alarms: int
    missed: int
    quiet: int

    @classmethod
    def at(cls, threshold: float, labels: Numbers, probabilities: Numbers) -> Confusion:
        """Count, calling a customer a churner from the threshold on."""
        called, churned = probabilities >= threshold, labels == 1
        return cls(
            int((called & churned).sum()),
            int((called & ~churned).sum()),
            int((~called & churned).sum()),
            int((~called & ~churned).sum()),
        )

    @property
    def precision(self) -> float:
        """Give the share of churners among those called so; 0 when nobody is."""
        return self.hits / max(self.hits + self.alarms, 1)

    @property
    def recall(self) -> float:
        """Give the share of churners that were called so."""
        return self.hits / max(self.hits + self.missed, 1)

    @property
    def f1(self) -> float:
        """Give the harmonic mean of precision and recall; 0 when both are 0."""
        return 2 * self.hits / max(2 * self.hits + self.alarms + self.missed, 1)

    @property
    def accuracy(self) -> float:
        """Give the share of customers of whom the truth was said."""
        return (self.hits + self.quiet) / (self.hits + self.alarms + self.missed + self.quiet)

    @property
    def false_alarm_rate(self) -> float:
        """Give the share of those who stayed that were called churners."""
        return self.alarms / max(self.alarms + self.quiet, 1)
