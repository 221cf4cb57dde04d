"""Serve a churn model in SageMaker's XGBoost image: model_fn, input_fn, predict_fn, output_fn.

request_body.py says what a request may hold. An answer holds the probability that each customer
leaves, in order: for text/csv one a line; for application/json
`{"predictions": [{"churn_probability": 0.27}, …]}`; for application/jsonlines such an object a
line. shared/serving.py says what a client gets on a mistake.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_src.churn import artifact, request_body
from ml_src.churn.features import Customers, Encoder
from ml_src.shared.columns import Features
from ml_src.shared.request_body import CSV, JSON, JSON_LINES, BadRequest
from ml_src.shared.serving import RequestError, answered


@dataclass
class Model:
    """A loaded model.

    unseen: customers so far, by column, with a category that training never saw.
    """

    booster: Any
    encoder: Encoder
    unseen: Counter[str] = field(default_factory=Counter[str])


def model_fn(model_dir: str) -> Model:
    """Load the model from its folder. One row is no work for many threads: it uses one."""
    booster, encoder = artifact.load(Path(model_dir))
    booster.set_param({"nthread": 1})
    return Model(booster, encoder)


def input_fn(input_data: str | bytes, content_type: str | None) -> Customers:
    """Read a request; raises `RequestError` (400, or 415 for a foreign content type)."""
    try:
        return request_body.read(input_data, content_type)
    except BadRequest as error:
        raise RequestError(str(error), error.status) from error


def predict_fn(customers: Customers, model: Model) -> Features:
    """Give each customer's probability of leaving; count and print unseen categories."""
    for column, count in model.encoder.unseen(customers).items():
        model.unseen[column] += count
        print(f"unseen_category column={column} count={count}", flush=True)
    features = model.encoder.transform(customers)
    return model.booster.inplace_predict(features)


def output_fn(prediction: Features, accept: str | None) -> tuple[str, str]:
    """Write the answer; returns it with its content type.

    Args:
        prediction: probabilities.
        accept: the wanted content types, by commas; JSON where anything will do.

    Raises:
        RequestError: 406, none of the wanted content types can be given.
    """
    kind = answered(accept)
    if kind == CSV:
        return "".join(f"{value:.9g}\n" for value in prediction.tolist()), CSV
    records = [{"churn_probability": float(f"{value:.9g}")} for value in prediction.tolist()]
    if kind == JSON_LINES:
        return "".join(f"{json.dumps(record)}\n" for record in records), JSON_LINES
    return json.dumps({"predictions": records}), JSON
