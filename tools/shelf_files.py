"""Plans of shelves and daily sales: from CSV files to the items of the retail table.

A file is read as a whole before anything is written: what is wrong with it is said at once, with
its lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MOST_SHOWN = 20
# By column of a plan: the least and the most, and what an empty cell means (None: nothing).
PLANNED: Mapping[str, tuple[int, int, int | None]] = {
    "lead_time_days": (0, 28, 1),
    "pack_size": (1, 100_000, 1),
    "minimum_order": (0, 1_000_000, 0),
    "maximum_shelf": (0, 1_000_000, None),
    "safety_stock": (0, 1_000_000, 0),
    "backroom": (0, 1_000_000, 0),
}
# The columns of sales, and what the public store-sales layout calls them.
ALIASES = {"store": "store_nbr", "product": "family", "promotion": "onpromotion"}

Item = dict[str, Any]
Row = Mapping[str, str]


class WrongFile(ValueError):
    """A file cannot be loaded; the text lists what is wrong, with lines."""


def plan_items(path: Path) -> list[Item]:
    """Read a plan: store, aisle, product, and if wanted label and the rules of its orders.

    Args:
        path: A CSV file; docs/retail.md names its columns.

    Raises:
        WrongFile: With everything that is wrong.
    """
    items = _read(path, ("store", "aisle", "product"), {"label", *PLANNED}, _planned)
    _once(path, items, ("pk", "sk"), "a label of one shelf")
    _once(path, items, ("pk", "product"), "a product of one shelf")
    return [item for _, item in items]


def sales_items(path: Path) -> list[Item]:
    """Read daily sales: date, store, product, sales (empty: not known, or sold out), promotion.

    Days to come have no sales, and may have a promotion.

    Args:
        path: A CSV file; ``store_nbr``, ``family`` and ``onpromotion`` are taken too.

    Raises:
        WrongFile: With everything that is wrong.
    """
    items = _read(path, ("date", "store", "product", "sales"), {"promotion"}, _sold)
    _once(path, items, ("pk", "sk"), "a day of one product")
    return [item for _, item in items]


def _read(
    path: Path,
    required: tuple[str, ...],
    optional: set[str],
    make: Callable[[Row], Item],
) -> list[tuple[int, Item]]:
    problems: list[str] = []
    items: list[tuple[int, Item]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = {each: _name(each, reader.fieldnames or ()) for each in (*required, *optional)}
        missing = [each for each in required if names[each] not in (reader.fieldnames or ())]
        if missing:
            found = ", ".join(reader.fieldnames or ()) or "none"
            raise WrongFile(f"{path}: has no column {', '.join(missing)}; it has {found}")
        for row in reader:
            told = {each: (row.get(name) or "").strip() for each, name in names.items()}
            try:
                items.append((reader.line_num, make(told)))
            except ValueError as error:
                problems.append(f"{path}:{reader.line_num}: {error}")
    _throw(problems)
    return items


def _name(column: str, columns: Any) -> str:
    other = ALIASES.get(column, column)
    return other if column not in columns and other in columns else column


def _once(path: Path, items: list[tuple[int, Item]], names: tuple[str, ...], what: str) -> None:
    first: dict[tuple[Any, ...], int] = {}
    problems: list[str] = []
    for line, item in items:
        earlier = first.setdefault(tuple(item[name] for name in names), line)
        if earlier != line:
            problems.append(f"{path}:{line}: {what} stands in line {earlier} already")
    _throw(problems)


def _throw(problems: list[str]) -> None:
    if problems:
        more = len(problems) - MOST_SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        raise WrongFile("\n".join([*problems[:MOST_SHOWN], *rest]))


def _planned(row: Row) -> Item:
    label = row["label"] or row["product"]
    numbers = {name: _whole(name, row[name]) for name in PLANNED}
    return {
        "pk": f"shelf#{_place('store', row)}#{_place('aisle', row)}",
        "sk": f"plan#{label}",
        "kind": "plan",
        "label": label,
        "product": _text("product", row),
        **{name: value for name, value in numbers.items() if value is not None},
    }


def _sold(row: Row) -> Item:
    try:
        day = date.fromisoformat(row["date"])
    except ValueError as error:
        raise ValueError(f"date: got {row['date']!r}, allowed is YYYY-MM-DD") from error
    known = {name: _units(name, row[name]) for name in ("sales", "promotion") if row[name]}
    return {
        "pk": f"sales#{_place('store', row)}#{_text('product', row)}",
        "sk": str(day),
        "kind": "sales",
        **known,
    }


def _place(name: str, row: Row) -> str:
    if not NAME.fullmatch(row[name]):
        raise ValueError(
            f"{name}: got {row[name]!r}, allowed are 1 to 64 letters, digits and _ . -"
        )
    return row[name]


def _text(name: str, row: Row) -> str:
    if not 1 <= len(row[name]) <= 200:
        raise ValueError(f"{name}: got {row[name]!r}, allowed are 1 to 200 characters")
    return row[name]


def _whole(name: str, text: str) -> int | None:
    least, most, default = PLANNED[name]
    if not text:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
        raise ValueError(f"{name}: got {text!r}, allowed are whole numbers {least} to {most:,}")
    return int(text)


def _units(name: str, text: str) -> Decimal:
    try:
        units = Decimal(text)
    except InvalidOperation:
        units = Decimal(-1)
    if not (units.is_finite() and 0 <= units <= 1_000_000_000):
        raise ValueError(f"{name}: got {text!r}, allowed is a number from 0 to 1,000,000,000")
    return units
