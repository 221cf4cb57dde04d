"""How the drift watch reads captured requests and answers: the replenishment model's adapter.

`ml_src/shared/drift/adapter.py` says what an adapter offers. Requests are read by the very code
that the endpoint reads them with. What is watched is what a request says by itself
(`windows.described`), and the median of demand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ml_src.replenishment import request_body
from ml_src.replenishment.schema import MEDIAN, NAMES
from ml_src.replenishment.windows import described
from ml_src.shared.request_body import CSV, JSON, JSON_LINES, Row

LABELS: Mapping[str, int] = {}  # demand is no yes or no
WATCHED = NAMES[MEDIAN]


def parse(body: str | bytes, content_type: str | None) -> Sequence[Row]:
    """Read a request into rows; raises `BadRequest`, a `ValueError`, as the endpoint does."""
    return request_body.FORM.rows(body, content_type)


def columns(rows: Sequence[Row]) -> Mapping[str, Any]:
    """Turn rows into columns by feature; raises `BadRequest` for a cell that cannot be used."""
    return described(request_body.asked(rows).windows)


def predictions(body: str | bytes, content_type: str | None) -> Sequence[float | None]:
    """Read an answer in any of the forms that `inference.output_fn` gives; raises `ValueError`.

    None stands for a product of which nothing was foretold.
    """
    text = body if isinstance(body, str) else body.decode("utf-8")
    kind = (content_type or "").split(";")[0].strip().lower()
    try:
        if kind == CSV:
            cells = [line[2 + MEDIAN] for line in csv.reader(text.splitlines()) if line]
            return [float(cell) if cell else None for cell in cells]
        if kind == JSON:
            return [_median(each) for each in json.loads(text)["predictions"]]
        if kind == JSON_LINES:
            return [_median(json.loads(line)) for line in text.splitlines() if line]
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"the answer has not the form that this model gives: {error!r}") from error
    raise ValueError(f"an answer of content type {content_type!r} is none of this model's")


def _median(each: Mapping[str, Any]) -> float | None:
    return None if each["status"] != "forecast" else float(each["demand"][WATCHED])
