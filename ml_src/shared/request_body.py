"""Part a request to an endpoint into rows, and say what is wrong with one that cannot be read.

Accepted are:

* text/csv: rows of a form's inputs in their order, without a header; or any order with a header.
* application/json: a list, or an object with such a list as `instances`, of records
  ({"tenure": 3, …}, by name) or of rows (the inputs in order).
* application/jsonlines: one record or row a line.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_src.shared.columns import MISSING

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
ACCEPTED = (CSV, JSON, JSON_LINES)

Row = Sequence[Any]  # one cell for each of a form's inputs


class BadRequest(ValueError):
    """A request cannot be answered; `status` is its HTTP status code, the text says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        """Take the reason in words."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Form:
    """What a row of a model's requests holds.

    noun: what a row is, such as `customer`.
    inputs: names of the cells in order.
    optional: which of them a record may leave out; they are None then.
    passed_over: further names that may stand in a record or header.
    """

    noun: str
    inputs: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    passed_over: frozenset[str] = frozenset()

    def rows(self, body: str | bytes, content_type: str | None) -> list[Row]:
        """Part a request's body into rows, at least one; the cells are not looked at yet.

        Raises:
            BadRequest: with what is wrong, where, and what is allowed; status 415 for a content
                type that is not accepted, else 400.
        """
        kind = (content_type or "").split(";")[0].strip().lower()
        if kind not in ACCEPTED:
            raise BadRequest(
                f"content type {content_type!r} is not accepted; allowed: {', '.join(ACCEPTED)}",
                415,
            )
        try:
            text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadRequest(f"the body is not UTF-8 (byte {error.start})") from error
        if not text.strip():
            raise BadRequest(f"the body is empty; it holds at least one {self.noun}")
        found = {CSV: self._csv, JSON: self._json, JSON_LINES: self._json_lines}[kind](text)
        if not found:
            raise BadRequest(f"the body holds no {self.noun}; it holds at least one")
        return found

    def _csv(self, text: str) -> list[Row]:
        try:
            lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
        except csv.Error as error:
            raise BadRequest(f"the body is not CSV: {error}") from error
        names = [name.strip() for name in lines[0]] if lines else []
        if not set(names) & set(self.inputs):
            return [self._sized(cells, number) for number, cells in enumerate(lines, 1)]
        self._check_names(names, "the header")
        rows: list[Row] = []
        for number, cells in enumerate(lines[1:], 1):
            if len(cells) != len(names):
                raise BadRequest(f"row {number} has {len(cells)} cells, the header {len(names)}")
            record = dict(zip(names, cells, strict=True))
            rows.append([record.get(name) for name in self.inputs])
        return rows

    def _json(self, text: str) -> list[Row]:
        found = _parsed(text, "the body")
        if isinstance(found, dict) and "instances" in found:
            found = found["instances"]
        if not isinstance(found, list):
            raise BadRequest(
                f"the body is a JSON list of {self.noun}s, or an object with such a list as "
                f"'instances'; given: {kind(found)}"
            )
        return [self._row(item, number) for number, item in enumerate(found, 1)]

    def _json_lines(self, text: str) -> list[Row]:
        lines = [line for line in text.splitlines() if line.strip()]
        parsed = [_parsed(line, f"row {number}") for number, line in enumerate(lines, 1)]
        return [self._row(item, number) for number, item in enumerate(parsed, 1)]

    def _row(self, item: Any, number: int) -> Row:
        if isinstance(item, dict):
            self._check_names(list(item), f"row {number}")
            return [item.get(name) for name in self.inputs]
        if isinstance(item, list):
            return self._sized(item, number)
        raise BadRequest(
            f"row {number} is {kind(item)}; a {self.noun} is an object by column or a list of "
            f"{len(self.inputs)} values"
        )

    def _sized(self, cells: Row, number: int) -> Row:
        if len(cells) != len(self.inputs):
            raise BadRequest(
                f"row {number} has {len(cells)} columns; allowed: {len(self.inputs)}, namely "
                f"{', '.join(self.inputs)}"
            )
        return cells

    def _check_names(self, names: Sequence[str], where: str) -> None:
        needed = [name for name in self.inputs if name not in self.optional]
        lacking = [name for name in needed if name not in names]
        if lacking:
            raise BadRequest(f"{where} lacks column {lacking[0]!r}; needed: {', '.join(needed)}")
        for name in names:
            if name not in self.inputs and name not in self.passed_over:
                raise BadRequest(
                    f"{where} has the unknown column {name!r}; known: {', '.join(self.inputs)}"
                )
        if len(set(names)) < len(names):
            raise BadRequest(f"{where} has a column twice")


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{where} is not JSON: {error}") from error


def number(cell: Any) -> float | None:
    """Read a cell: None where nothing stands, NaN (outside any limits) for what is no number."""
    if cell is None or (isinstance(cell, str) and missing(cell)):
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return math.nan
    try:
        return math.nan if isinstance(cell, str) and "_" in cell else float(cell)
    except (ValueError, OverflowError):
        return math.nan


def missing(cell: str) -> bool:
    """Say whether a text stands for a missing value."""
    return not cell.strip() or cell in MISSING


def shown(cell: Any) -> str:
    """Quote a cell, cut short."""
    text = repr(cell)
    return text if len(text) <= 40 else text[:37] + "..."


def kind(found: Any) -> str:
    """Say in words what a JSON value is."""
    names: Mapping[type, str] = {dict: "an object", list: "a list", str: "a text"}
    return names.get(type(found), f"{found!r:.40}")
