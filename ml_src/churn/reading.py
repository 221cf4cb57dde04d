"""Read customer tables from CSV, column by column; `shared/tables.py` says how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from ml_src.churn.features import Customers
from ml_src.churn.identifiers import fingerprints
from ml_src.churn.schema import (
    CATEGORIES,
    COLUMNS,
    IDENTIFIER,
    LABEL,
    LABELS,
    MOST_CATEGORIES,
    NUMBERS,
)
from ml_src.shared.columns import Categories
from ml_src.shared.failure import JobError
from ml_src.shared.tables import TEXT, WORDS, Block, Problems, blocks, quoted

KINDS = dict.fromkeys((*CATEGORIES, LABEL), WORDS)
KINDS |= dict.fromkeys((IDENTIFIER, *NUMBERS), TEXT)
pc: Any = compute  # its functions are made at import, so no checker knows them


@dataclass(frozen=True)
class Table:
    """All usable rows of the inputs.

    identifiers: a 64-bit fingerprint of each row's customer.
    labels: 1 for a customer who left, else 0.
    """

    customers: Customers
    identifiers: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.uint8]


def read(files: Sequence[Path], problems: Problems) -> Table:
    """Read tables with the columns of `schema.COLUMNS` (in any order; others are ignored).

    Args:
        files: CSV files with a header, UTF-8, comma-separated.
        problems: takes what was left out.

    Raises:
        JobError: a file is empty, no CSV or lacks a column; a category column holds free text;
            no row is usable.
    """
    parts = _Parts()
    for file in files:
        for block in blocks(file, KINDS, COLUMNS, problems):
            _take(block, parts)
    if not parts.rows:
        what = f"all {problems.rows} rows are invalid: {problems}" if problems.rows else "no rows"
        raise JobError(f"{', '.join(map(str, files))}: {what}")
    return parts.table()


class _Parts:
    """Columns growing block by block, with one list of categories a column."""

    def __init__(self) -> None:
        self.rows = 0
        self.numbers: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in NUMBERS}
        self.codes: dict[str, list[npt.NDArray[np.int16]]] = {name: [] for name in CATEGORIES}
        self.values: dict[str, dict[str, int]] = {name: {} for name in CATEGORIES}
        self.identifiers: list[npt.NDArray[np.uint64]] = []
        self.labels: list[npt.NDArray[np.uint8]] = []

    def table(self) -> Table:
        """Join the blocks, letting go of each column's parts as it is joined."""
        numbers = {name: np.concatenate(self.numbers.pop(name)) for name in NUMBERS}
        categories = {
            name: Categories(tuple(self.values[name]), np.concatenate(self.codes.pop(name)))
            for name in CATEGORIES
        }
        customers = Customers(numbers, categories)
        return Table(customers, np.concatenate(self.identifiers), np.concatenate(self.labels))


def _take(block: Block, parts: _Parts) -> None:
    """Add a block's usable rows to `parts`."""
    numbers = {name: block.numbers(name, limits) for name, limits in NUMBERS.items()}
    labels = _labels(block.column(LABEL))
    block.refuse(LABEL, block.column(LABEL), labels > 1, "Yes or No")
    names = pc.utf8_trim_whitespace(block.column(IDENTIFIER))
    nameless = pc.fill_null(pc.equal(names, ""), True).to_numpy(zero_copy_only=False)
    block.refuse(IDENTIFIER, names, nameless, "a customer's identifier")

    good = block.good()
    parts.rows += int(good.sum())
    parts.identifiers.append(fingerprints(names.fill_null(""))[good])
    parts.labels.append(labels[good])
    for name, column in numbers.items():
        parts.numbers[name].append(column[good])
    for name in CATEGORIES:
        codes = _codes(block.file, name, block.column(name), parts.values[name])
        parts.codes[name].append(codes[good])


def _labels(cells: pa.DictionaryArray) -> npt.NDArray[np.uint8]:
    """Give 1 for Yes, 0 for No and 2 for anything else."""
    known = [LABELS.get(str(word).strip(), 2) for word in cells.dictionary.to_pylist()]
    lookup = np.array([*known, 2], np.uint8)
    return lookup[cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)]


def _codes(
    file: Path, name: str, cells: pa.DictionaryArray, values: dict[str, int]
) -> npt.NDArray[np.int16]:
    """Translate a block's own codes into those of all blocks, adding categories as they come."""
    lookup: list[int] = []
    for word in cells.dictionary.to_pylist():
        text = str(word).strip()
        lookup.append(values.setdefault(text, len(values)) if text else -1)
    if len(values) > MOST_CATEGORIES:
        raise JobError(
            f"{file}, column {name!r}: more than {MOST_CATEGORIES} different values, such as "
            f"{quoted(next(reversed(values)))}; a category has few"
        )
    codes = np.array([*lookup, -1], np.int16)
    return codes[cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
