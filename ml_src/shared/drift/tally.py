"""Count captured requests in the baseline's bins, batch by batch: memory does not grow with them.

Only rows with a label are kept one by one, 5 bytes each, because an AUC needs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.shared.drift import baseline as base
from ml_src.shared.drift.batches import Batch
from ml_src.shared.drift.histogram import count
from ml_src.shared.drift.labels import Labels, wanted
from ml_src.shared.failure import JobError

MOST_UNSEEN = 1000  # different unseen categories kept by name; more are counted together
MOST_GROUPS = 100  # different values of a group's feature

Counts = npt.NDArray[np.int64]


@dataclass
class NumberTally:
    """A numeric feature of the requests.

    counts: in the baseline's bins. beyond: values outside the range of the training rows.
    outside: values outside the constraints' bounds.
    """

    baseline: base.Number
    rows: int = 0
    missing: int = 0
    beyond: int = 0
    outside: int = 0
    total: float = 0.0
    least: float = np.inf
    most: float = -np.inf
    counts: Counts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.baseline.histogram.edges) + 1, np.int64)

    @property
    def known(self) -> int:
        """Give the number of rows with a value."""
        return self.rows - self.missing

    def add(self, column: Any) -> None:
        """Count a column of numbers, NaN where nothing stands."""
        values = column[~np.isnan(column)]
        self.rows += len(column)
        self.missing += len(column) - len(values)
        if not len(values):
            return
        edges = self.baseline.histogram.edges
        self.counts += count(edges, values)
        if len(edges):
            self.beyond += int(np.count_nonzero((values < edges[0]) | (values > edges[-1])))
        low, high = self.baseline.minimum, self.baseline.maximum
        self.outside += int(np.count_nonzero((values < low) | (values > high)))
        self.total += float(values.sum())
        self.least = min(self.least, float(values.min()))
        self.most = max(self.most, float(values.max()))


@dataclass
class CategoryTally:
    """A feature of categories; `counts` are the rows of each of the baseline's values."""

    baseline: base.Category
    rows: int = 0
    missing: int = 0
    unseen: int = 0
    new: Counter[str] = field(default_factory=Counter[str])
    counts: Counts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.baseline.values), np.int64)
        self._places = {value: place for place, value in enumerate(self.baseline.values)}

    @property
    def known(self) -> int:
        """Give the number of rows with a value."""
        return self.rows - self.missing

    def add(self, column: Any) -> None:
        """Count a column of categories."""
        found = np.bincount(column.codes + 1, minlength=len(column.values) + 1)
        self.rows += len(column.codes)
        self.missing += int(found[0])
        for value, number in zip(column.values, found[1:].tolist(), strict=True):
            place = self._places.get(value)
            if place is not None:
                self.counts[place] += number
            elif number:
                self.unseen += number
                if value in self.new or len(self.new) < MOST_UNSEEN:
                    self.new[value] += number


@dataclass
class PredictionTally:
    """The endpoint's predictions, and how many of them select."""

    edges: npt.NDArray[np.float64]
    threshold: float | None
    rows: int = 0
    selected: int = 0
    total: float = 0.0
    counts: Counts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.edges) + 1, np.int64)

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Count predictions, none of them NaN."""
        self.rows += len(values)
        self.counts += count(self.edges, values)
        self.total += float(values.sum(dtype=np.float64))
        if self.threshold is not None:
            self.selected += int(np.count_nonzero(values >= self.threshold))


class Tally:
    """All that is counted.

    groups: by feature and value the rows with a prediction, and those of them selected.
    labelled: labels and predictions of the rows that have both.
    """

    def __init__(
        self, baseline: base.Baseline, groups: Sequence[str] = (), labels: Labels | None = None
    ) -> None:
        """Start with nothing counted.

        Args:
            baseline: what to compare with.
            groups: features whose values are watched for bias.
            labels: those that have arrived.

        Raises:
            JobError: a group is no feature of the baseline.
        """
        self.features: dict[str, NumberTally | CategoryTally] = {
            feature.name: NumberTally(feature)
            if isinstance(feature, base.Number)
            else CategoryTally(feature)
            for feature in baseline.features
        }
        known = baseline.predictions
        edges = known.histogram.edges if known else np.linspace(0, 1, 21)
        self.predictions = PredictionTally(edges, known.threshold if known else None)
        foreign = [name for name in groups if name not in self.features]
        if foreign:
            raise JobError(
                f"--groups: {', '.join(map(repr, foreign))} is no feature of the baseline; "
                f"its features are {', '.join(self.features)}"
            )
        self.groups: dict[str, dict[str, list[int]]] = {name: {} for name in groups}
        self._labels = labels
        self._labelled: list[npt.NDArray[np.int8]] = []
        self._foretold: list[npt.NDArray[np.float32]] = []

    def add(self, batch: Batch) -> None:
        """Count a batch.

        Raises:
            JobError: the adapter gives other features than the baseline has.
        """
        if batch.columns:
            self._check(batch.columns)
        for name, column in batch.columns.items():
            self.features[name].add(column)
        # As the model gave them: an answer writes a float32 with nine digits.
        predictions = batch.predictions.astype(np.float32)
        known = ~np.isnan(predictions)
        self.predictions.add(predictions[known])
        if self.predictions.threshold is not None:
            selected = predictions[batch.asked] >= self.predictions.threshold
            for name, group in self.groups.items():
                _add_group(group, name, batch.columns, known[batch.asked], selected)
        if self._labels is not None:
            labels = self._labels.of(batch)
            both = known & wanted(labels)
            self._labelled.append(labels[both])
            self._foretold.append(predictions[both])

    def labelled(self) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """Give labels and predictions of the rows that have both."""
        if not self._labelled:
            return np.empty(0, np.int8), np.empty(0, np.float32)
        return np.concatenate(self._labelled), np.concatenate(self._foretold)

    def _check(self, columns: Mapping[str, Any]) -> None:
        if set(columns) != set(self.features):
            odd = sorted(set(columns) ^ set(self.features))
            raise JobError(
                f"the adapter and the baseline differ in features {', '.join(odd)}: they belong "
                "to different versions or models"
            )
        for name, column in columns.items():
            number = isinstance(column, np.ndarray)
            if number != isinstance(self.features[name], NumberTally):
                raise JobError(
                    f"feature {name!r} is {'numbers' if number else 'categories'} in requests, "
                    "but not in the baseline"
                )


def _add_group(
    group: dict[str, list[int]],
    name: str,
    columns: Mapping[str, Any],
    known: npt.NDArray[np.bool_],
    selected: npt.NDArray[np.bool_],
) -> None:
    if name not in columns:  # only answers were captured
        return
    column = columns[name]
    if isinstance(column, np.ndarray):
        numbers, codes = np.unique(column, return_inverse=True)
        values = [f"{number:g}" for number in numbers]
        codes = np.where(np.isnan(column), -1, codes)
    else:
        values, codes = list(column.values), column.codes
    places = codes[known] + 1
    rows = np.bincount(places, minlength=len(values) + 1)[1:]
    chosen = np.bincount(places, selected[known], minlength=len(values) + 1)[1:]
    for value, found, picked in zip(values, rows.tolist(), chosen.tolist(), strict=True):
        if not found:
            continue
        if value not in group and len(group) >= MOST_GROUPS:
            raise JobError(
                f"--groups: feature {name!r} has more than {MOST_GROUPS} different values; a "
                "group is a feature of few values"
            )
        counts = group.setdefault(value, [0, 0])
        counts[0] += found
        counts[1] += round(picked)
