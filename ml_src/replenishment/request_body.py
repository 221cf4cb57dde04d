"""Read requests to the endpoint into decisions; raises `BadRequest` for what cannot be read.

`shared/request_body.py` says in which forms, and request.schema.json what a record holds. In CSV, a
cell of several days has them in one text, parted by blanks: `5 4 null 6`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from ml_src.replenishment.schema import (
    HISTORY_DAYS,
    INPUTS,
    ITEMS,
    LEAD_DAYS,
    LONGEST_NAME,
    LONGEST_PLAN,
    OPTIONAL,
    UNITS,
)
from ml_src.replenishment.windows import Windows
from ml_src.shared.columns import Categories, Floats, Number
from ml_src.shared.request_body import BadRequest, Form, Row, number, shown

FORM = Form("product", INPUTS, optional=OPTIONAL)
NOT_KNOWN = "null"
NUMBER_TYPES = {int, float, type(None)}


@dataclass(frozen=True)
class Asked:
    """A request: the stores, products and dates as they were given, and the decisions."""

    stores: Sequence[str]
    products: Sequence[str]
    dates: Sequence[str]
    windows: Windows


def read(body: str | bytes, content_type: str | None) -> Asked:
    """Read a request's body by its content type.

    Raises:
        BadRequest: with what is wrong, where, and what is allowed; status 415 for a content type
            that is not accepted, else 400.
    """
    return asked(FORM.rows(body, content_type))


def asked(rows: Sequence[Row]) -> Asked:
    """Turn rows, at least one, into decisions; raises `BadRequest` for a cell of no use."""
    columns: dict[str, Sequence[Any]] = dict(zip(INPUTS, zip(*rows, strict=True), strict=True))
    stores, products = (_names(name, columns[name]) for name in ("store", "product"))
    days = [_day(place, cell) for place, cell in enumerate(columns["date"], 1)]
    lead = _numbers("lead_time_days", columns["lead_time_days"], LEAD_DAYS)
    for place, value in enumerate(lead.tolist(), 1):
        if value != round(value):
            raise _wrong(place, "lead_time_days", value, "a whole number of days")
    windows = Windows(
        products=Categories.of(products),
        days=np.array(days, np.int64),
        stock=_numbers("stock", columns["stock"], UNITS),
        on_order=_numbers("on_order", [cell or 0 for cell in columns["on_order"]], UNITS),
        lead=lead,
        sales=_series("sales", columns["sales"], UNITS, gaps=True),
        promotions=_series("promotions", columns["promotions"], ITEMS),
        planned=_planned(columns["planned_promotions"]),
    )
    return Asked(stores, products, [str(cell) for cell in columns["date"]], windows)


def _names(name: str, cells: Sequence[Any]) -> list[str]:
    for place, cell in enumerate(cells, 1):
        if not isinstance(cell, str) or not cell.strip() or len(cell) > LONGEST_NAME:
            raise _wrong(place, name, cell, f"a text of 1 to {LONGEST_NAME} characters")
    return [cell.strip() for cell in cells]


def _day(place: int, cell: Any) -> int:
    try:
        if not isinstance(cell, str) or len(cell.strip()) != 10:
            raise ValueError(cell)
        return date.fromisoformat(cell.strip()).toordinal()
    except ValueError:
        raise _wrong(place, "date", cell, "a date such as 2026-11-23") from None


def _numbers(name: str, cells: Sequence[Any], limits: Number) -> Floats:
    values = [number(cell) for cell in cells]
    for place, (cell, value) in enumerate(zip(cells, values, strict=True), 1):
        if value is None or not limits.least <= value <= limits.most:
            allowed = limits.allowed.removesuffix(", or nothing")
            raise _wrong(place, name, cell, allowed)
    return np.array(values, np.float64)


def _series(name: str, cells: Sequence[Any], limits: Number, *, gaps: bool = False) -> Floats:
    """Read the 28 days of each row; a cell of nothing is 28 times 0, where no gaps may be."""
    nothing = None if gaps else [0] * HISTORY_DAYS
    found = np.empty((len(cells), HISTORY_DAYS))
    for place, cell in enumerate(cells, 1):
        values = _days(place, name, cell or nothing, limits, gaps=gaps)
        if len(values) != HISTORY_DAYS:
            allowed = f"{HISTORY_DAYS} days, the oldest first"
            raise _wrong(place, name, f"{len(values)} days", allowed)
        found[place - 1] = values
    return found


def _planned(cells: Sequence[Any]) -> Floats:
    """Read the promotions ahead; none beyond a row's end."""
    found = np.zeros((len(cells), LONGEST_PLAN))
    for place, cell in enumerate(cells, 1):
        values = _days(place, "planned_promotions", cell or [], ITEMS)
        if len(values) > LONGEST_PLAN:
            allowed = f"at most {LONGEST_PLAN} days"
            raise _wrong(place, "planned_promotions", f"{len(values)} days", allowed)
        found[place - 1, : len(values)] = values
    return found


def _days(place: int, name: str, cell: Any, limits: Number, *, gaps: bool = False) -> Floats:
    """Read one cell of several days; NaN for a day that is not known, where gaps may be."""
    if isinstance(cell, str):
        words = cell.split()
        cell = [None if word == NOT_KNOWN else number(word) for word in words]
    if not isinstance(cell, list | tuple) or not set(map(type, cell)) <= NUMBER_TYPES:
        raise _wrong(place, name, cell, "a list of numbers, a day each")
    try:
        values = np.array([math.nan if value is None else float(value) for value in cell])
    except OverflowError:
        values = np.array([math.inf])
    missing = np.array([value is None for value in cell], np.bool_)
    bad = ~((values >= limits.least) & (values <= limits.most))
    bad = bad & ~missing if gaps else bad
    if bad.any():
        day = int(np.flatnonzero(bad)[0])
        allowed = limits.allowed if gaps else limits.allowed.removesuffix(", or nothing")
        raise BadRequest(
            f"row {place}, column {name!r}, day {day + 1}: {shown(cell[day])} is not {allowed}"
        )
    return values


def _wrong(place: int, name: str, cell: Any, allowed: str) -> BadRequest:
    given = cell if name != "date" and isinstance(cell, str) and cell.endswith(" days") else None
    return BadRequest(f"row {place}, column {name!r}: {given or shown(cell)} is not {allowed}")
