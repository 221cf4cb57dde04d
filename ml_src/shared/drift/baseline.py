"""The live version's baseline: what its training rows, and its predictions at evaluation, were.

`statistics.json` (version 2) and `constraints.json` come from the model's preparation,
`predictions.json` (version 1) from its evaluation. All three are looked for anywhere below one
folder, so that a job may get them as inputs from several places. Without predictions.json features
are watched all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.shared.drift.histogram import Histogram
from ml_src.shared.drift.measures import Estimate
from ml_src.shared.failure import JobError

STATISTICS, CONSTRAINTS, PREDICTIONS = "statistics.json", "constraints.json", "predictions.json"
VERSIONS = {STATISTICS: 2, CONSTRAINTS: 1, PREDICTIONS: 1}


@dataclass(frozen=True)
class Number:
    """A numeric feature.

    rows: all training rows. missing: share of them without a value, 0 to 1; most_missing: what
    the constraints allow. minimum, maximum: the constraints' bounds.
    """

    name: str
    rows: int
    missing: float
    most_missing: float
    histogram: Histogram
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Category:
    """A feature of categories; `counts` are the training rows of each of `values`."""

    name: str
    rows: int
    missing: float
    most_missing: float
    values: tuple[str, ...]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Predictions:
    """The model's predictions at evaluation.

    threshold: from there on a prediction selects; None: none does. selected: rows that it selected.
    quality: figures by name, such as `auc`.
    groups: by feature and value the rows, and those of them that were selected.
    """

    histogram: Histogram
    threshold: float | None
    selected: int
    quality: Mapping[str, Estimate]
    groups: Mapping[str, Mapping[str, tuple[int, int]]]


@dataclass(frozen=True)
class Baseline:
    """What requests are compared with."""

    rows: int
    features: tuple[Number | Category, ...]
    predictions: Predictions | None


def read(folder: Path) -> Baseline:
    """Read a baseline.

    Raises:
        JobError: a file is missing, stands there twice, is of another version or not whole.
    """
    if not folder.is_dir():
        raise JobError(f"{folder}: no such folder; --baseline takes the live version's baseline")
    statistics, constraints = _document(folder, STATISTICS), _document(folder, CONSTRAINTS)
    predictions = _document(folder, PREDICTIONS)
    for name, document in ((STATISTICS, statistics), (CONSTRAINTS, constraints)):
        if document is None:
            raise JobError(f"{folder}: {name} missing; the model's preparation writes it")
    assert statistics is not None and constraints is not None
    try:
        rows = int(statistics["rows"])
        limits = constraints["features"]
        features = tuple(
            _feature(name, rows, feature, limits[name])
            for name, feature in statistics["features"].items()
        )
        known = None if predictions is None else _predictions(predictions)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JobError(f"{folder}: the baseline is not whole: {error!r}") from error
    return Baseline(rows, features, known)


def _document(folder: Path, name: str) -> dict[str, Any] | None:
    found = sorted(folder.rglob(name))
    if not found:
        return None
    if len(found) > 1:
        raise JobError(f"{folder}: {name} stands there {len(found)} times: {found[0]}, {found[1]}")
    try:
        document = json.loads(found[0].read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{found[0]}: not readable as JSON: {error}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSIONS[name]:
        raise JobError(
            f"{found[0]}: version {version!r}, this code reads {VERSIONS[name]}; "
            "a version of the model trained by today's code has it"
        )
    return document


def _feature(
    name: str, rows: int, feature: Mapping[str, Any], limits: Mapping[str, Any]
) -> Number | Category:
    missing, most = float(feature["missing_rate"]), float(limits["highest_missing_rate"])
    if feature["type"] == "number":
        histogram = Histogram.from_document(feature["histogram"])
        low, high = float(limits["minimum"]), float(limits["maximum"])
        return Number(name, rows, missing, most, histogram, low, high)
    if feature["type"] != "category":
        raise ValueError(f"feature {name!r} is of type {feature['type']!r}")
    known = round(rows * (1 - missing))
    shares = feature["frequencies"]
    counts = np.rint(np.array(list(shares.values()), np.float64) * known).astype(np.int64)
    return Category(name, rows, missing, most, tuple(shares), counts)


def _predictions(document: Mapping[str, Any]) -> Predictions:
    histogram = Histogram.from_document(document["histogram"])
    if not histogram.rows:
        raise ValueError("predictions.json holds no prediction")
    selects = document["threshold"] is not None
    return Predictions(
        histogram,
        float(document["threshold"]) if selects else None,
        int(document["selected"]) if selects else 0,
        {
            name: Estimate(float(figure["value"]), float(figure["standard_error"]))
            for name, figure in document["quality"].items()
        },
        {
            feature: {
                value: (int(found["rows"]), int(found["selected"]))
                for value, found in values.items()
            }
            for feature, values in document["groups"].items()
        },
    )
