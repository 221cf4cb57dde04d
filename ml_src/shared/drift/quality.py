"""How well predictions foretold labels, each figure with its standard error.

Used twice: at evaluation, for the baseline, and later on requests whose labels have arrived.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ml_src.shared.drift.measures import Estimate, rate

Numbers = npt.NDArray[Any]
SHARES = ("auc", "precision", "recall")  # figures from 0 to 1

# Each figure: is a change for the worse downwards (-1), upwards (1), or either way (0)?
WORSE = {"auc": -1, "log_loss": 1, "calibration_gap": 0, "precision": -1, "recall": -1}


def figures(labels: Numbers, probabilities: Numbers, threshold: float | None) -> dict[str, Any]:
    """Give the figures of `WORSE` that these rows allow, as `Estimate` by name.

    `calibration_gap` is the mean prediction minus the rate of positives. Without a positive or
    a negative there is no AUC; without a threshold neither precision nor recall.
    """
    if not len(labels):
        return {}
    values = probabilities.astype(np.float64)
    found: dict[str, Estimate] = {}
    if 0 < labels.sum() < len(labels):
        found["auc"] = auc(labels, values)
    safe = np.clip(values, 1e-7, 1 - 1e-7)
    found["log_loss"] = _mean(np.where(labels == 1, -np.log(safe), -np.log1p(-safe)))
    found["calibration_gap"] = _mean(values - labels)
    if threshold is not None:
        called = values >= threshold
        hits = int(np.count_nonzero(called & (labels == 1)))
        for name, total in (("precision", np.count_nonzero(called)), ("recall", labels.sum())):
            if total:
                found[name] = rate(hits, int(total))
    return found


def auc(labels: Numbers, probabilities: Numbers) -> Estimate:
    """Give the area under the ROC curve, with DeLong's standard error; equals count half."""
    positive = labels == 1
    ranks = stats.rankdata(probabilities)
    hits, others = int(positive.sum()), int((~positive).sum())
    # How many negatives each positive outranks, as a share, and the other way round.
    above = (ranks[positive] - stats.rankdata(probabilities[positive])) / others
    below = 1 - (ranks[~positive] - stats.rankdata(probabilities[~positive])) / hits
    variance = _variance(above) / hits + _variance(below) / others
    # A sample in which all are told apart shows no spread; it is not sure for that.
    return Estimate(float(above.mean()), max(float(np.sqrt(variance)), 1 / (min(hits, others) + 2)))


def _mean(values: Numbers) -> Estimate:
    return Estimate(float(values.mean()), float(np.sqrt(_variance(values) / len(values))))


def _variance(values: Numbers) -> float:
    # With one row nothing is known of the spread: take the widest that a share can have.
    return float(values.var(ddof=1)) if len(values) > 1 else 0.25
