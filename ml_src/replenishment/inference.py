"""Serve a replenishment model in SageMaker's XGBoost image by its four functions.

request.schema.json and response.schema.json say what is asked and answered. For
application/jsonlines an answer is such a prediction a line; for text/csv a line of status, quantity
and quantiles, the latter empty where there is none. shared/serving.py says what a client gets on a
mistake.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ml_src.replenishment import artifact, request_body
from ml_src.replenishment.features import Encoder, units
from ml_src.replenishment.request_body import Asked
from ml_src.replenishment.schema import LEAST_KNOWN_DAYS, NAMES, QUANTILES, SERVICE_LEVEL
from ml_src.replenishment.windows import Windows
from ml_src.shared.columns import Floats
from ml_src.shared.request_body import CSV, JSON, JSON_LINES, BadRequest
from ml_src.shared.serving import RequestError, answered

FORECAST, UNKNOWN, TOO_LITTLE = "forecast", "unknown_product", "too_little_history"
SERVED = QUANTILES.index(SERVICE_LEVEL)

Prediction = dict[str, Any]


@dataclass
class Model:
    """A loaded model.

    declined: products so far for which nothing was foretold, by reason.
    """

    booster: Any
    encoder: Encoder
    declined: Counter[str] = field(default_factory=Counter[str])


def model_fn(model_dir: str) -> Model:
    """Load the model from its folder. One row is no work for many threads: it uses one."""
    booster, encoder = artifact.load(Path(model_dir))
    booster.set_param({"nthread": 1})
    return Model(booster, encoder)


def input_fn(input_data: str | bytes, content_type: str | None) -> Asked:
    """Read a request; raises `RequestError` (400, or 415 for a foreign content type)."""
    try:
        return request_body.read(input_data, content_type)
    except BadRequest as error:
        raise RequestError(str(error), error.status) from error


def predict_fn(asked: Asked, model: Model) -> list[Prediction]:
    """Foretell demand and recommend quantities; count and print what nothing is foretold for."""
    windows = asked.windows
    enough = (~np.isnan(windows.sales)).sum(axis=1) >= LEAST_KNOWN_DAYS
    known = model.encoder.knows(windows)
    found = [
        {"store": store, "product": product, "date": day, "status": status}
        for store, product, day, status in zip(
            asked.stores,
            asked.products,
            asked.dates,
            np.where(known, np.where(enough, FORECAST, TOO_LITTLE), UNKNOWN).tolist(),
            strict=True,
        )
    ]
    _count(found, model)
    rows = np.flatnonzero(known & enough)
    if len(rows):
        chosen = windows.take(rows)
        for row, facts in zip(rows.tolist(), _forecasts(chosen, model), strict=True):
            found[row] |= facts
    return found


def _forecasts(windows: Windows, model: Model) -> list[Prediction]:
    features = model.encoder.transform(windows)
    demand = units(model.booster.inplace_predict(features), features)
    there = windows.stock + windows.on_order
    quantity = np.maximum(demand[:, SERVED] - there, 0)
    return [
        {
            "horizon_days": horizon,
            "service_level": SERVICE_LEVEL,
            "demand": dict(zip(NAMES, _rounded(row), strict=True)),
            "quantity": wanted,
        }
        for horizon, row, wanted in zip(
            windows.horizon.tolist(), demand, _rounded(quantity), strict=True
        )
    ]


def _rounded(values: Floats) -> list[float]:
    return [round(value, 3) for value in values.tolist()]


def _count(found: list[Prediction], model: Model) -> None:
    reasons = Counter(each["status"] for each in found if each["status"] != FORECAST)
    model.declined.update(reasons)
    for reason, count in reasons.items():
        print(f"declined reason={reason} count={count}", flush=True)


def output_fn(prediction: list[Prediction], accept: str | None) -> tuple[str, str]:
    """Write the answer; returns it with its content type.

    Args:
        prediction: of each product.
        accept: the wanted content types, by commas; JSON where anything will do.

    Raises:
        RequestError: 406, none of the wanted content types can be given.
    """
    kind = answered(accept)
    if kind == CSV:
        return "".join(f"{','.join(_cells(each))}\n" for each in prediction), CSV
    if kind == JSON_LINES:
        return "".join(f"{json.dumps(each)}\n" for each in prediction), JSON_LINES
    return json.dumps({"predictions": prediction}), JSON


def _cells(each: Prediction) -> list[str]:
    demand = each.get("demand", {})
    values = [each.get("quantity", ""), *(demand.get(name, "") for name in NAMES)]
    return [each["status"], *map(str, values)]
