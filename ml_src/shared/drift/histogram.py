"""A column of numbers in at most 201 bins, fine enough for PSI and the Kolmogorov-Smirnov distance.

Every edge is a value that occurs, so a column of few different values (months, 0 and 1) is kept
exactly, and of any other no bin but one of equal values holds much more than 0.5 % of the rows.
Shares up to an edge are then exact on both sides of a comparison; between edges the KS distance
can hide at most a bin, 0.5 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

FINE = 200  # bins, about
COARSE = 10  # bins of PSI: deciles are its usual form, and its thresholds are made for them


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each bin.

    edges: ascending, each once; empty for a column that was missing throughout.
    counts: `counts[i]` values above `edges[i - 1]` and up to `edges[i]`; the first bin has no lower
        end, and one more at the end holds the values above the last edge.
    """

    edges: Floats
    counts: Counts

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> Histogram:
        """Describe values, none of them NaN, in bins of about equal counts."""
        edges = np.unique(values.astype(np.float64))
        if len(edges) > FINE:
            levels = np.linspace(0, 1, FINE + 1)
            edges = np.unique(np.quantile(values, levels, method="inverted_cdf"))
        edges = edges.astype(np.float64)
        return cls(edges, count(edges, values))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Histogram:
        """Read what `document` wrote; raises `ValueError` when it is none."""
        edges = np.array(document["edges"], np.float64)
        counts = np.array(document["counts"], np.int64)
        if len(edges) != len(counts) or (np.diff(edges) <= 0).any() or (counts < 0).any():
            raise ValueError("edges must ascend, with one count of at least 0 for each")
        return cls(edges, np.append(counts, 0))

    def document(self) -> dict[str, list[Any]]:
        """Give `edges` and `counts` for JSON, one count an edge: nothing lies above the last."""
        return {"edges": self.edges.tolist(), "counts": self.counts[:-1].tolist()}

    @property
    def rows(self) -> int:
        """Give the number of values."""
        return int(self.counts.sum())


def count(edges: Floats, values: npt.NDArray[Any]) -> Counts:
    """Count values (none of them NaN) in the bins of these edges, as `Histogram.counts` does."""
    places = np.searchsorted(edges, values, side="left")
    return np.bincount(places, minlength=len(edges) + 1)


def coarse(counts: Counts, most: int = COARSE) -> npt.NDArray[np.int64]:
    """Merge neighbouring bins into at most about `most` of like weight.

    A value as frequent as such a bin or more stays alone where its neighbours allow it.

    Returns:
        For each bin the number of its merged bin, from 0 up; never decreasing.
    """
    target = counts.sum() / most
    groups = np.zeros(len(counts), np.int64)
    group, held = 0, 0
    for place, weight in enumerate(counts.tolist()):
        full = held >= target or (held >= target / 2 and held + weight > 1.5 * target)
        if place and full:
            group, held = group + 1, 0
        groups[place] = group
        held += weight
    if group and held < target / 2:  # the rest joins the last full bin
        groups[groups == group] = group - 1
    return groups
