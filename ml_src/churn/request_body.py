"""Read requests to the endpoint, and say what is wrong with one that cannot be read.

Accepted, with missing values as an empty cell, null or absent text:

* text/csv: rows of the 19 inputs in the order of `schema.INPUTS`, without a header; or any order
  with a header, where customerID and Churn may stand too and are passed over.
* application/json: a list, or an object with such a list as `instances`, of records
  ({"tenure": 3, …}, each with all inputs by name) or of rows (the 19 inputs in order).
* application/jsonlines: one record or row a line.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ml_src.churn.features import Categories, Customers
from ml_src.churn.schema import CATEGORIES, IDENTIFIER, INPUTS, LABEL, MISSING, NUMBERS

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
ACCEPTED = (CSV, JSON, JSON_LINES)
PASSED_OVER = frozenset({IDENTIFIER, LABEL})


class BadRequest(ValueError):
    """A request cannot be answered; `status` is its HTTP status code, the text says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        """Take the reason in words."""
        super().__init__(message)
        self.status = status


Row = Sequence[Any]  # one cell for each of INPUTS


def read(body: str | bytes, content_type: str | None) -> Customers:
    """Read a request's body by its content type.

    Raises:
        BadRequest: with what is wrong, where, and what is allowed; status 415 for a content type
            that is not accepted, else 400.
    """
    return customers(rows(body, content_type))


def rows(body: str | bytes, content_type: str | None) -> list[Row]:
    """Part a request's body into rows, at least one; the cells are not looked at yet.

    Raises:
        BadRequest: as `read` does.
    """
    kind = (content_type or "").split(";")[0].strip().lower()
    if kind not in ACCEPTED:
        raise BadRequest(
            f"content type {content_type!r} is not accepted; allowed: {', '.join(ACCEPTED)}", 415
        )
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 (byte {error.start})") from error
    if not text.strip():
        raise BadRequest("the body is empty; it holds at least one customer")
    found = {CSV: _csv, JSON: _json, JSON_LINES: _json_lines}[kind](text)
    if not found:
        raise BadRequest("the body holds no customer; it holds at least one")
    return found


def _csv(text: str) -> list[Row]:
    try:
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error as error:
        raise BadRequest(f"the body is not CSV: {error}") from error
    names = [name.strip() for name in lines[0]] if lines else []
    if not set(names) & set(INPUTS):
        return [_sized(cells, number) for number, cells in enumerate(lines, 1)]
    _check_names(names, "the header")
    rows: list[Row] = []
    for number, cells in enumerate(lines[1:], 1):
        if len(cells) != len(names):
            raise BadRequest(f"row {number} has {len(cells)} cells, the header {len(names)}")
        record = dict(zip(names, cells, strict=True))
        rows.append([record[name] for name in INPUTS])
    return rows


def _json(text: str) -> list[Row]:
    found = _parsed(text, "the body")
    if isinstance(found, dict) and "instances" in found:
        found = found["instances"]
    if not isinstance(found, list):
        raise BadRequest(
            "the body is a JSON list of customers, or an object with such a list as 'instances'; "
            f"given: {_kind(found)}"
        )
    return [_row(item, number) for number, item in enumerate(found, 1)]


def _json_lines(text: str) -> list[Row]:
    lines = [line for line in text.splitlines() if line.strip()]
    return [_row(_parsed(line, f"row {number}"), number) for number, line in enumerate(lines, 1)]


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{where} is not JSON: {error}") from error


def _row(item: Any, number: int) -> Row:
    if isinstance(item, dict):
        _check_names(list(item), f"row {number}")
        return [item[name] for name in INPUTS]
    if isinstance(item, list):
        return _sized(item, number)
    raise BadRequest(
        f"row {number} is {_kind(item)}; a customer is an object by column or a list of "
        f"{len(INPUTS)} values"
    )


def _sized(cells: Row, number: int) -> Row:
    if len(cells) != len(INPUTS):
        raise BadRequest(
            f"row {number} has {len(cells)} columns; allowed: {len(INPUTS)}, namely "
            f"{', '.join(INPUTS)}"
        )
    return cells


def _check_names(names: Sequence[str], where: str) -> None:
    lacking = [name for name in INPUTS if name not in names]
    if lacking:
        raise BadRequest(f"{where} lacks column {lacking[0]!r}; needed: {', '.join(INPUTS)}")
    for name in names:
        if name not in INPUTS and name not in PASSED_OVER:
            raise BadRequest(f"{where} has the unknown column {name!r}; known: {', '.join(INPUTS)}")
    if len(set(names)) < len(names):
        raise BadRequest(f"{where} has a column twice")


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
        value = _number(cell)
        if value is None:
            numbers.append(math.nan)
        elif limits.least <= value <= limits.most:
            numbers.append(value)
        else:
            raise BadRequest(
                f"row {place}, column {name!r}: {_shown(cell)} is not {limits.allowed}"
            )
    return numbers


def _number(cell: Any) -> float | None:
    """Read a cell: None where nothing stands, NaN (outside any limits) for what is no number."""
    if cell is None or (isinstance(cell, str) and _missing(cell)):
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return math.nan
    try:
        return math.nan if isinstance(cell, str) and "_" in cell else float(cell)
    except (ValueError, OverflowError):
        return math.nan


def _words(name: str, cells: Sequence[Any]) -> list[str | None]:
    words: list[str | None] = []
    for place, cell in enumerate(cells, 1):
        if cell is None:
            words.append(None)
        elif isinstance(cell, str):
            words.append(None if _missing(cell) else cell.strip())
        else:
            raise BadRequest(f"row {place}, column {name!r}: {_shown(cell)} is not a text, or null")
    return words


def _missing(cell: str) -> bool:
    return not cell.strip() or cell in MISSING


def _shown(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) <= 40 else text[:37] + "..."


def _kind(found: Any) -> str:
    names: Mapping[type, str] = {dict: "an object", list: "a list", str: "a text"}
    return names.get(type(found), f"{found!r:.40}")
