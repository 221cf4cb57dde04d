"""Read requests to the endpoint into customers; raises `BadRequest` for those that cannot be read.

`shared/request_body.py` says in which forms. A customer has the 19 inputs of `schema.INPUTS`;
customerID and Churn may stand there too and are passed over. A missing value is an empty cell,
null or an absent text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ml_src.churn.features import Categories, Customers
from ml_src.churn.schema import CATEGORIES, IDENTIFIER, INPUTS, LABEL, NUMBERS
from ml_src.shared.request_body import BadRequest, Form, Row, missing, number, shown

FORM = Form("customer", INPUTS, passed_over=frozenset({IDENTIFIER, LABEL}))


def read(body: str | bytes, content_type: str | None) -> Customers:
    """Read a request's body by its content type.

    Raises:
        BadRequest: with what is wrong, where, and what is allowed; status 415 for a content type
            that is not accepted, else 400.
    """
    return customers(FORM.rows(body, content_type))


def customers(rows: Sequence[Row]) -> Customers:
    """Turn rows, at least one, into columns; raises `BadRequest` for a cell that cannot be used."""
    cells: list[Sequence[Any]] = list(zip(*rows, strict=True))
    columns: dict[str, Sequence[Any]] = dict(zip(INPUTS, cells, strict=True))
    return Customers(
        {name: np.array(_numbers(name, columns[name]), np.float64) for name in NUMBERS},
        {name: Categories.of(_words(name, columns[name])) for name in CATEGORIES},
    )


def _numbers(name: str, cells: Sequence[Any]) -> list[float]:
    numbers: list[float] = []
    limits = NUMBERS[name]
    for place, cell in enumerate(cells, 1):
        value = number(cell)
        if value is None:
            numbers.append(math.nan)
        elif limits.least <= value <= limits.most:
            numbers.append(value)
        else:
            raise BadRequest(f"row {place}, column {name!r}: {shown(cell)} is not {limits.allowed}")
    return numbers


def _words(name: str, cells: Sequence[Any]) -> list[str | None]:
    words: list[str | None] = []
    for place, cell in enumerate(cells, 1):
        if cell is None:
            words.append(None)
        elif isinstance(cell, str):
            words.append(None if missing(cell) else cell.strip())
        else:
            raise BadRequest(f"row {place}, column {name!r}: {shown(cell)} is not a text, or null")
    return words
