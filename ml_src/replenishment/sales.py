"""Read a table of sales into one row of days for each store and product.

The table is CSV with the columns of `schema.COLUMNS`, as in the public set "Store Sales - Time
Series Forecasting", in any order; others are ignored. `stock` (units at the close of the day) and
`lead_time_days` may stand beside them. A day that closes with no stock was sold out: what it sold
says less than what was wanted, so it counts as not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from ml_src.replenishment.schema import (
    COLUMNS,
    DATE,
    ITEMS,
    LEAD,
    LEAD_DAYS,
    PRODUCT,
    PROMOTION,
    SALES,
    STOCK,
    STORE,
    UNITS,
)
from ml_src.shared.columns import Floats
from ml_src.shared.failure import JobError
from ml_src.shared.tables import TEXT, WORDS, Block, Problems, blocks

KINDS: dict[str, Any] = dict.fromkeys((DATE, STORE, PRODUCT), WORDS)
KINDS |= dict.fromkeys((SALES, PROMOTION, STOCK, LEAD), TEXT)
NUMBERS = {SALES: UNITS, PROMOTION: ITEMS, STOCK: UNITS, LEAD: LEAD_DAYS}
NEEDED = (SALES, PROMOTION)
LONGEST_YEARS = 30
pc: Any = compute  # its functions are made at import, so no checker knows them


@dataclass(frozen=True)
class Sales:
    """Sales by store and product (a row each, `store` and `product` are codes) and day.

    first_day: as `date.toordinal` counts. sales, stock, lead: NaN where not known.
    promotions: items on promotion, 0 for none.
    """

    stores: tuple[str, ...]
    products: tuple[str, ...]
    store: npt.NDArray[np.int64]
    product: npt.NDArray[np.int64]
    first_day: int
    sales: Floats
    promotions: Floats
    stock: Floats
    lead: Floats

    @property
    def days(self) -> int:
        """Give the number of days."""
        return self.sales.shape[1]

    def sold_out(self) -> npt.NDArray[np.bool_]:
        """Say on which days nothing was left at the close."""
        return self.stock <= 0

    def known(self) -> Floats:
        """Give sales that say what was wanted: NaN on days that were sold out."""
        return np.where(self.sold_out(), np.nan, self.sales)


class _Names:
    """Texts as numbers, the same for all blocks."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def codes(self, cells: pa.DictionaryArray) -> npt.NDArray[np.int64]:
        """Give each cell's number, -1 where nothing stands."""
        words = [str(word).strip() for word in cells.dictionary.to_pylist()]
        lookup = [self.places.setdefault(word, len(self.places)) if word else -1 for word in words]
        places = cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.array([*lookup, -1], np.int64)[places]


class _Parts:
    """Rows growing block by block."""

    def __init__(self) -> None:
        self.stores, self.products = _Names(), _Names()
        self.rows: dict[str, list[Any]] = {name: [] for name in (DATE, STORE, PRODUCT, *NUMBERS)}

    def take(self, block: Block) -> None:
        """Add a block's usable rows."""
        columns: dict[str, Any] = {DATE: _days(block.column(DATE))}
        block.refuse(DATE, block.column(DATE), columns[DATE] < 0, "a date such as 2017-08-15")
        for name, names in ((STORE, self.stores), (PRODUCT, self.products)):
            columns[name] = names.codes(block.column(name))
            block.refuse(name, block.column(name), columns[name] < 0, "a name")
        for name, limits in NUMBERS.items():
            if name in block.names:
                columns[name] = block.numbers(name, limits, needed=name in NEEDED)
            else:
                columns[name] = np.full(len(columns[DATE]), np.nan)
        good = block.good()
        for name, column in columns.items():
            self.rows[name].append(column[good])

    def joined(self) -> dict[str, Any]:
        """Give each column of all blocks."""
        return {name: np.concatenate(parts or [[]]) for name, parts in self.rows.items()}


def read(files: Sequence[Path], problems: Problems) -> Sales:
    """Read tables.

    Args:
        files: CSV files with a header, UTF-8, comma-separated.
        problems: takes what was left out.

    Raises:
        JobError: a file is empty, no CSV or lacks a column; no row is usable; a store has two rows
            of one product and day.
    """
    parts = _Parts()
    for file in files:
        for block in blocks(file, KINDS, COLUMNS, problems):
            parts.take(block)
    rows = parts.joined()
    where = ", ".join(map(str, files))
    if not len(rows[DATE]):
        what = f"all {problems.rows} rows are invalid: {problems}" if problems.rows else "no rows"
        raise JobError(f"{where}: {what}")
    return _dense(rows, tuple(parts.stores.places), tuple(parts.products.places), where)


def _dense(
    rows: dict[str, Any], stores: tuple[str, ...], products: tuple[str, ...], where: str
) -> Sales:
    """Give each store and product a row of days, NaN where the table has none."""
    first = int(rows[DATE].min())
    days = int(rows[DATE].max()) - first + 1
    if days > 366 * LONGEST_YEARS:
        raise JobError(
            f"{where}: the dates reach from {date.fromordinal(first)} to "
            f"{date.fromordinal(first + days - 1)}, more than {LONGEST_YEARS} years"
        )
    keys = (rows[STORE] * len(products) + rows[PRODUCT]).astype(np.int64)
    series, places = np.unique(keys, return_inverse=True)
    cells = places * days + (rows[DATE] - first).astype(np.int64)
    _check_once(cells, rows, stores, products, where)
    found: dict[str, Floats] = {}
    for name in NUMBERS:
        table = np.full(len(series) * days, np.nan)
        table[cells] = rows[name]
        found[name] = table.reshape(len(series), days)
    return Sales(
        stores,
        products,
        series // len(products),
        series % len(products),
        first,
        found[SALES],
        np.nan_to_num(found[PROMOTION]),
        found[STOCK],
        found[LEAD],
    )


def _check_once(
    cells: Any, rows: dict[str, Any], stores: Sequence[str], products: Sequence[str], where: str
) -> None:
    ordered = np.argsort(cells, kind="stable")
    twice = np.flatnonzero(np.diff(cells[ordered]) == 0)
    if len(twice):
        row = int(ordered[twice[0]])
        day = date.fromordinal(int(rows[DATE][row]))
        raise JobError(
            f"{where}: {len(twice)} rows stand there twice, such as {PRODUCT} "
            f"{products[int(rows[PRODUCT][row])]!r} of {STORE} {stores[int(rows[STORE][row])]!r} "
            f"on {day}; a store has one row of a product and day"
        )


def _days(cells: pa.DictionaryArray) -> npt.NDArray[np.int64]:
    """Read dates as day numbers; -1 for what is none."""
    lookup = [day_of(str(word).strip()) for word in cells.dictionary.to_pylist()]
    places = cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.array([*lookup, -1], np.int64)[places]


def day_of(text: str) -> int:
    """Read a date such as 2017-08-15 as a day number; -1 when it is none."""
    try:
        return date.fromisoformat(text).toordinal() if len(text) == 10 else -1
    except ValueError:
        return -1
