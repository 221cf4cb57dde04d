"""How far two distributions lie apart, and whether chance alone may have put them there.

Distances say how large a drift is; tests say whether it is more than the noise of two samples.
Only both together make an alarm, because either alone misleads: with 50 rows a PSI above 0.2 is
common among equals, and with a million rows the smallest difference is significant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

Numbers = npt.NDArray[Any]
LEAST_EXPECTED = 5  # Pearson's test holds where each cell is expected to have so many


def shares(counts: Numbers) -> npt.NDArray[np.float64]:
    """Give counts as shares from 0 to 1; all 0 where nothing was counted."""
    total = counts.sum()
    return counts / total if total else np.zeros(len(counts))


def psi(expected: Numbers, actual: Numbers, floor: float = 1e-4) -> float:
    """Give the population stability index of two lists of shares.

    It is the sum of (actual - expected) * ln(actual / expected): 0 for equal shares, never less,
    the same both ways. A share below `floor` counts as `floor`, or one empty bin would make it
    infinite. Below 0.1 little has changed, from 0.2 or 0.25 on much: the usual reading.
    """
    left, right = np.maximum(expected, floor), np.maximum(actual, floor)
    return float(np.sum((right - left) * np.log(right / left)))


def psi_of_counts(expected: Numbers, actual: Numbers) -> float:
    """Give the PSI of two lists of counts; half a row of the smaller sample is the floor."""
    smaller = min(expected.sum(), actual.sum())
    return psi(shares(expected), shares(actual), 0.5 / smaller) if smaller else 0.0


def psi_by_chance(expected: Numbers, actual: Numbers) -> float:
    """Give the PSI that two samples of one distribution have on average.

    It is (cells - 1) * (1 / rows + 1 / other rows), because the PSI of equals follows that factor
    times a chi-square distribution (B. Yurdakul, "Statistical Properties of Population Stability
    Index", 2018). Cells that are empty on both sides do not count.
    """
    cells = int(np.count_nonzero(expected + actual))
    rows, others = expected.sum(), actual.sum()
    return float(max(0, cells - 1) * (1 / rows + 1 / others)) if rows and others else 0.0


def jensen_shannon(expected: Numbers, actual: Numbers) -> float:
    """Give the Jensen-Shannon distance (base 2) of two lists of shares: 0 equal, 1 disjoint.

    It is the square root of the divergence, as `scipy.spatial.distance.jensenshannon` gives it.
    """
    middle = (expected + actual) / 2
    divergence = 0.0
    for side in (expected, actual):
        some = side > 0
        divergence += float(np.sum(side[some] * np.log2(side[some] / middle[some]))) / 2
    return float(np.sqrt(min(1.0, max(0.0, divergence))))


def kolmogorov_smirnov(expected: Numbers, actual: Numbers) -> float:
    """Give the largest distance of two cumulative distributions from counts in the same bins."""
    return float(np.max(np.abs(np.cumsum(shares(expected)) - np.cumsum(shares(actual)))))


def kolmogorov_smirnov_chance(distance: float, rows: int, others: int) -> float:
    """Give the chance (0 to 1) that samples of one distribution lie so far apart or farther.

    Kolmogorov's limit; ties and bins only make the true chance smaller, so it errs towards quiet.
    """
    return float(stats.kstwobign.sf(distance * np.sqrt(rows * others / (rows + others))))


def homogeneity(expected: Numbers, actual: Numbers) -> float:
    """Give the chance (0 to 1) that both counts come from one distribution: Pearson's test.

    Cells too rare for the test are pooled. 1.0 where too little is left to tell.
    """
    rows, others = int(expected.sum()), int(actual.sum())
    if not rows or not others:
        return 1.0
    together = expected + actual
    needed = LEAST_EXPECTED * (rows + others) / min(rows, others)
    rare = together < needed
    table = np.array([[*side[~rare], side[rare].sum()] for side in (expected, actual)], np.float64)
    if 0 < table[:, -1].sum() < needed and table.shape[1] > 1:  # the pool itself is too rare
        table[:, np.argmin(table[:, :-1].sum(axis=0))] += table[:, -1]
        table[:, -1] = 0
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def at_least(count: int, rows: int, level: float) -> float:
    """Give what a rate is at least, wrong with a chance of `level`: Clopper and Pearson's bound."""
    return float(stats.beta.ppf(level, count, rows - count + 1)) if count and rows else 0.0


@dataclass(frozen=True)
class Estimate:
    """A figure from a sample.

    error: its standard error, in the figure's own unit.
    """

    value: float
    error: float

    def at(self, value: float) -> Estimate:
        """Give this sample's estimate of a share as unsure as it would be at another value.

        A share near 0 or 1 seems surer than it is: 38 of 38 says little against 0.92, where the
        same 38 rows would scatter widely.
        """
        spread, other = (max(part * (1 - part), self.error) for part in (self.value, value))
        return Estimate(self.value, self.error * max(1.0, float(np.sqrt(other / spread))))

    def differs(self, other: Estimate, level: float) -> bool:
        """Say whether chance (`level`, 0 to 1, to one side) cannot explain the difference."""
        spread = np.hypot(self.error, other.error)
        return bool(abs(self.value - other.value) > stats.norm.isf(level) * spread)

    def document(self) -> dict[str, float]:
        """Give both for JSON."""
        return {"value": self.value, "standard_error": self.error}


def rate(count: int, rows: int) -> Estimate:
    """Estimate a rate; its error is Agresti and Coull's, so that 0 of 20 is not taken as sure."""
    softened = (count + 1) / (rows + 2)
    return Estimate(count / rows, float(np.sqrt(softened * (1 - softened) / (rows + 2))))
