"""How the drift watch reads captured requests and answers of the churn model: its adapter.

`ml_src/shared/drift/adapter.py` says what an adapter offers. Requests are read by the very code
that the endpoint reads them with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ml_src.churn import request_body
from ml_src.churn.schema import INPUTS, LABELS
from ml_src.shared.request_body import CSV, JSON, JSON_LINES, Row

__all__ = ["LABELS", "columns", "parse", "predictions"]

PREDICTION = "churn_probability"


def parse(body: str | bytes, content_type: str | None) -> Sequence[Row]:
    """Read a request into rows; raises `BadRequest`, a `ValueError`, as the endpoint does."""
    return request_body.FORM.rows(body, content_type)


def columns(rows: Sequence[Row]) -> Mapping[str, Any]:
    """Turn rows into columns by feature; raises `BadRequest` for a cell that cannot be used."""
    customers = request_body.customers(rows)
    found = {**customers.numbers, **customers.categories}
    return {name: found[name] for name in INPUTS}


def predictions(body: str | bytes, content_type: str | None) -> Sequence[float]:
    """Read an answer in any of the forms that `inference.output_fn` gives; raises `ValueError`."""
    text = body if isinstance(body, str) else body.decode("utf-8")
    kind = (content_type or "").split(";")[0].strip().lower()
    try:
        if kind == CSV:
            return [float(cell) for line in text.splitlines() for cell in line.split(",") if cell]
        if kind == JSON:
            return [float(item[PREDICTION]) for item in json.loads(text)["predictions"]]
        if kind == JSON_LINES:
            return [float(json.loads(line)[PREDICTION]) for line in text.splitlines() if line]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"the answer has not the form that this model gives: {error!r}") from error
    raise ValueError(f"an answer of content type {content_type!r} is none of this model's")
