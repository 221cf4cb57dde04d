"""Read customer tables from CSV: column by column, a few megabytes of text at a time.

A row that cannot be used (a text where a number belongs, no label, too few cells) is left out and
counted; a table that cannot be used is a `JobError` that names file, line and column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute, csv

from ml_src.churn.features import Categories, Customers
from ml_src.churn.identifiers import fingerprints
from ml_src.churn.schema import (
    CATEGORIES,
    COLUMNS,
    IDENTIFIER,
    LABEL,
    LABELS,
    MISSING,
    MOST_CATEGORIES,
    NUMBERS,
)
from ml_src.churn.texts import check_is_csv, undecodable
from ml_src.shared.failure import JobError

BLOCK_BYTES = 4 << 20
SHOWN = 3  # problems that a reason names

Flags = npt.NDArray[np.bool_]
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


@dataclass
class Problems:
    """The rows left out: how many by column, and the first few in words."""

    rows: int = 0
    by_column: Counter[str] = field(default_factory=Counter[str])
    first: list[str] = field(default_factory=list[str])

    def add(self, column: str, count: int, examples: Iterable[str]) -> None:
        """Count rows with a bad cell in `column`, and keep an example while few are kept."""
        self.by_column[column] += count
        for example in examples:
            if len(self.first) >= SHOWN:
                break
            self.first.append(example)

    def __str__(self) -> str:
        """List the first problems, and how many rows each column spoils."""
        counts = ", ".join(f"{name} {count}" for name, count in self.by_column.most_common())
        return f"{'; '.join(self.first)} (bad cells by column: {counts})"


def inputs(path: Path) -> list[Path]:
    """Find the CSV files of an input: the file itself, or all `*.csv` below a folder, sorted."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise JobError(f"{path}: no such file or folder; --input takes a CSV file or a folder")
    found = sorted(file for file in path.rglob("*") if file.is_file())
    files = [file for file in found if file.suffix.lower() == ".csv"]
    if not files:
        held = ", ".join(file.name for file in found[:5]) or "nothing"
        raise JobError(f"{path}: no .csv file in this folder, which holds {held}")
    return files


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
        _read_file(file, parts, problems)
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


def _read_file(file: Path, parts: _Parts, problems: Problems) -> None:
    check_is_csv(file, COLUMNS)
    short: list[csv.InvalidRow] = []

    def leave_out(row: csv.InvalidRow) -> str:
        short.append(row)
        return "skip"

    line = 2  # the header is line 1
    try:
        for batch in _batches(file, leave_out):
            _take(file, batch, _lines(batch.num_rows, line, short), parts, problems)
            line += batch.num_rows
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise JobError(undecodable(file) or f"{file}: not readable as CSV: {error}") from error
    if short:
        problems.rows += len(short)
        told = (
            f"{file}, line {row.number}: {row.actual_columns} cells, but the header has "
            f"{row.expected_columns} columns"
            for row in short
        )
        problems.add("(number of cells)", len(short), told)


def _batches(file: Path, leave_out: Any) -> Iterator[pa.RecordBatch]:
    words = pa.dictionary(pa.int32(), pa.string())
    types = dict.fromkeys((*CATEGORIES, LABEL), words)
    types |= {name: pa.string() for name in (IDENTIFIER, *NUMBERS)}
    with csv.open_csv(
        str(file),
        read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        parse_options=csv.ParseOptions(invalid_row_handler=leave_out, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=types,
            include_columns=list(COLUMNS),
            null_values=list(MISSING),
            strings_can_be_null=True,
        ),
    ) as reader:
        yield from reader


def _lines(rows: int, start: int, short: Sequence[csv.InvalidRow]) -> npt.NDArray[np.int64]:
    """Give each row's line in the file: rows that were skipped before it push it down."""
    lines = np.arange(start, start + rows, dtype=np.int64)
    for row in short:
        lines[lines >= (row.number or 0)] += 1
    return lines


def _take(
    file: Path,
    batch: pa.RecordBatch,
    lines: npt.NDArray[np.int64],
    parts: _Parts,
    problems: Problems,
) -> None:
    """Add a block's usable rows to `parts`, and its others to `problems`."""
    bad = np.zeros(batch.num_rows, np.bool_)

    def refuse(column: str, cells: pa.Array, where: Flags, allowed: str) -> None:
        where &= ~empty  # an empty line is no row
        count = int(where.sum())
        if count:
            bad[where] = True
            rows = np.flatnonzero(where)[:SHOWN]
            told = (
                f"{file}, line {lines[row]}, column {column!r}: "
                f"{_shown(cells[int(row)].as_py())} is not {allowed}"
                for row in rows
            )
            problems.add(column, count, told)

    empty = _empty_lines(batch)
    numbers: dict[str, npt.NDArray[np.float64]] = {}
    for name, limits in NUMBERS.items():
        cells = batch.column(name)
        numbers[name], wrong = _numbers(cells)
        with np.errstate(invalid="ignore"):
            wrong |= (numbers[name] < limits.least) | (numbers[name] > limits.most)
        refuse(name, cells, wrong, limits.allowed)
    labels = _labels(batch.column(LABEL))
    refuse(LABEL, batch.column(LABEL), labels > 1, "Yes or No")
    names = pc.utf8_trim_whitespace(batch.column(IDENTIFIER))
    nameless = pc.fill_null(pc.equal(names, ""), True).to_numpy(zero_copy_only=False)
    refuse(IDENTIFIER, names, nameless, "a customer's identifier")

    problems.rows += int(bad.sum())
    good = ~(bad | empty)
    parts.rows += int(good.sum())
    parts.identifiers.append(fingerprints(names.fill_null(""))[good])
    parts.labels.append(labels[good])
    for name, column in numbers.items():
        parts.numbers[name].append(column[good])
    for name in CATEGORIES:
        codes = _codes(file, name, batch.column(name), parts.values[name])
        parts.codes[name].append(codes[good])


def _shown(value: str | None) -> str:
    """Quote a cell, cut short."""
    return "nothing" if value is None else repr(value if len(value) <= 40 else value[:37] + "...")


def _empty_lines(batch: pa.RecordBatch) -> Flags:
    """Find the rows with nothing at all in them."""
    empty = np.ones(batch.num_rows, np.bool_)
    for column in batch.columns:
        empty &= column.is_null().to_numpy(zero_copy_only=False)
    return empty


def _numbers(cells: pa.Array) -> tuple[npt.NDArray[np.float64], Flags]:
    """Read a column of texts as numbers; the flags mark what is no (finite) number."""
    try:
        found = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        found = pa.array([_number(cell) for cell in cells.to_pylist()], pa.float64())
    numbers = found.to_numpy(zero_copy_only=False)
    return numbers, ~np.isfinite(numbers) & found.is_valid().to_numpy(zero_copy_only=False)


def _number(cell: str | None) -> float | None:
    """Read one cell: None for a blank one, NaN for what is no number."""
    if cell is None or not cell.strip():
        return None
    try:
        return float("nan") if "_" in cell else float(cell)
    except ValueError:
        return float("nan")


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
            f"{_shown(next(reversed(values)))}; a category has few"
        )
    codes = np.array([*lookup, -1], np.int16)
    return codes[cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
