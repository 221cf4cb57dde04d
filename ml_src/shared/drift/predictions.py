"""predictions.json: what a model's predictions were at evaluation, to compare later ones with.

    {"version": 1, "rows": 705, "threshold": 0.19, "selected": 330, "positive_rate": 0.26,
     "histogram": {"edges": […], "counts": […]},
     "quality": {"auc": {"value": 0.84, "standard_error": 0.01}, "log_loss": …,
                 "calibration_gap": …, "precision": …, "recall": …},
     "groups": {"gender": {"Female": {"rows": 349, "selected": 160}, …}, …}}

`histogram` is histogram.py's. `groups` holds the features that later runs may be asked to watch
for bias. A model that foretells a quantity selects nobody: its `threshold`, `selected` and
`positive_rate` are null, and it has neither figures of quality nor groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.shared.drift.histogram import Histogram
from ml_src.shared.drift.quality import figures

VERSION = 1
Numbers = npt.NDArray[Any]


def describe(
    labels: Numbers,
    probabilities: Numbers,
    threshold: float,
    groups: Mapping[str, Mapping[str, npt.NDArray[np.bool_]]],
) -> dict[str, Any]:
    """Give predictions.json.

    Args:
        labels, probabilities: of rows that the model has not learnt from.
        threshold: from there on a prediction selects.
        groups: by feature and value the rows that have it.
    """
    selected = probabilities >= threshold
    quality = figures(labels, probabilities, threshold)
    return {
        "version": VERSION,
        "rows": len(labels),
        "threshold": float(threshold),
        "selected": int(selected.sum()),
        "positive_rate": float(labels.mean()),
        "histogram": Histogram.of(probabilities).document(),
        "quality": {name: figure.document() for name, figure in quality.items()},
        "groups": {
            feature: {
                value: {"rows": int(rows.sum()), "selected": int((rows & selected).sum())}
                for value, rows in values.items()
            }
            for feature, values in groups.items()
        },
    }


def quantities(predictions: Numbers) -> dict[str, Any]:
    """Give predictions.json of a model that foretells a quantity.

    Args:
        predictions: of rows that the model has not learnt from.
    """
    return {
        "version": VERSION,
        "rows": len(predictions),
        "threshold": None,
        "selected": None,
        "positive_rate": None,
        "histogram": Histogram.of(predictions).document(),
        "quality": {},
        "groups": {},
    }
