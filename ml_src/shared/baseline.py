"""What the training rows looked like, to tell later whether requests have drifted away from them.

statistics.json:

    {"version": 2, "rows": 5634, "positive_rate": 0.26, "features": {
       "tenure": {"type": "number", "missing_rate": 0.0, "mean": …, "standard_deviation": …,
                  "quantiles": {"0": …, "0.1": …, …, "1": …},
                  "histogram": {"edges": […], "counts": […]}},
       "Contract": {"type": "category", "missing_rate": 0.0,
                    "frequencies": {"Month-to-month": 0.55, …}}}}

Quantiles, histogram and frequencies are those of the rows that hold a value; rates are shares from
0 to 1. `positive_rate` is of a model that foretells yes or no. The histogram (`drift/histogram.py`)
is what drift is measured by: from deciles alone a column of few different values cannot be told,
and PSI would see drift where there is none. Version 1 had no histogram and is otherwise the same.

constraints.json:

    {"version": 1, "features": {
       "tenure": {"type": "number", "minimum": 0, "maximum": 1200, "highest_missing_rate": 0.05},
       "Contract": {"type": "category", "categories": […], "highest_missing_rate": 0.05}}}

A number's bounds are the schema's; the highest missing rate is twice the training rows' and at
least 0.05.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ml_src.shared.columns import Categories, Floats, Number
from ml_src.shared.drift.histogram import Histogram

STATISTICS_VERSION, CONSTRAINTS_VERSION = 2, 1
LEVELS = tuple(level / 10 for level in range(11))
LEAST_TOLERANCE = 0.05


def statistics(columns: Mapping[str, Floats | Categories], rows: int) -> dict[str, Any]:
    """Describe columns of training rows (NaN or -1: nothing stands there) as statistics.json."""
    return {
        "version": STATISTICS_VERSION,
        "rows": rows,
        "features": {
            name: _category(column) if isinstance(column, Categories) else _number(column)
            for name, column in columns.items()
        },
    }


def constraints(described: dict[str, Any], numbers: Mapping[str, Number]) -> dict[str, Any]:
    """Derive from statistics what later rows are held to, as constraints.json does."""
    features: dict[str, Any] = {}
    for name, feature in described["features"].items():
        tolerance = max(LEAST_TOLERANCE, min(1.0, 2 * feature["missing_rate"]))
        limits: dict[str, Any] = {"type": feature["type"]}
        if name in numbers:
            limits |= {"minimum": numbers[name].least, "maximum": numbers[name].most}
        else:
            limits["categories"] = list(feature["frequencies"])
        features[name] = {**limits, "highest_missing_rate": tolerance}
    return {"version": CONSTRAINTS_VERSION, "features": features}


def _number(column: Floats) -> dict[str, Any]:
    known = column[~np.isnan(column)]
    described: dict[str, Any] = {
        "type": "number",
        "missing_rate": 1 - len(known) / len(column),
        "histogram": Histogram.of(known).document(),
    }
    if len(known):
        described["mean"] = float(known.mean())
        described["standard_deviation"] = float(known.std())
        quantiles = np.quantile(known, LEVELS)
        described["quantiles"] = {
            f"{level:g}": float(value) for level, value in zip(LEVELS, quantiles, strict=True)
        }
    return described


def _category(column: Categories) -> dict[str, Any]:
    known = column.codes[column.codes >= 0]
    counts = np.bincount(known, minlength=len(column.values))
    shares = {
        value: float(count / len(known))
        for value, count in sorted(zip(column.values, counts, strict=True))
        if count
    }
    return {
        "type": "category",
        "missing_rate": 1 - len(known) / len(column.codes),
        "frequencies": shares,
    }
