"""Read tables from CSV, a few megabytes of text at a time, and say what is wrong with them.

A row that cannot be used (a text where a number belongs, too few cells) is left out and counted; a
table that cannot be used is a `JobError` that names file, line and column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from ml_src.shared.columns import MISSING, Floats, Number
from ml_src.shared.failure import JobError
from ml_src.shared.request_body import number
from ml_src.shared.texts import check_is_csv, undecodable

BLOCK_BYTES = 4 << 20
SHOWN = 3  # problems that a reason names
WORDS = pa.dictionary(pa.int32(), pa.string())
TEXT = pa.string()

Flags = npt.NDArray[np.bool_]


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

    def check_share(self, usable: int, most: float, source: Path) -> None:
        """Raise `JobError` when more than the share `most` (0 to 1) of all rows was left out."""
        share = self.rows / (self.rows + usable)
        if share > most:
            raise JobError(
                f"{source}: {self.rows} of {self.rows + usable} rows are invalid, more than "
                f"the {most:.1%} that --most-invalid allows: {self}"
            )

    def document(self) -> dict[str, Any]:
        """Give what a report says of them."""
        return {"rows": self.rows, "by_column": dict(self.by_column), "first": self.first}

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


class Block:
    """Some rows of a file, by column; notes which of them cannot be used."""

    def __init__(
        self, file: Path, batch: pa.RecordBatch, lines: npt.NDArray[np.int64], problems: Problems
    ) -> None:
        """Take a block with each row's line in the file, and where problems are counted."""
        self.file, self.problems = file, problems
        self._batch, self._lines = batch, lines
        self._bad = np.zeros(batch.num_rows, np.bool_)
        self._empty = _empty_lines(batch)  # an empty line is no row

    @property
    def names(self) -> list[str]:
        """Name the columns that the file has of those asked for."""
        return self._batch.schema.names

    def column(self, name: str) -> Any:
        """Give a column's cells as pyarrow has them."""
        return self._batch.column(name)

    def refuse(self, column: str, cells: pa.Array, where: Flags, allowed: str) -> None:
        """Leave rows out whose cell is not what is allowed."""
        where = where & ~self._empty
        count = int(where.sum())
        if count:
            self._bad |= where
            rows = np.flatnonzero(where)[:SHOWN]
            told = (
                f"{self.file}, line {self._lines[row]}, column {column!r}: "
                f"{quoted(cells[int(row)].as_py())} is not {allowed}"
                for row in rows
            )
            self.problems.add(column, count, told)

    def numbers(self, name: str, limits: Number, needed: bool = False) -> Floats:
        """Read a column of numbers, NaN where nothing stands (which `needed` refuses)."""
        cells = self.column(name)
        values, wrong = _numbers(cells)
        with np.errstate(invalid="ignore"):
            wrong |= (values < limits.least) | (values > limits.most)
        if needed:
            wrong |= np.isnan(values)
        allowed = limits.allowed.removesuffix(", or nothing") if needed else limits.allowed
        self.refuse(name, cells, wrong, allowed)
        return values

    def good(self) -> Flags:
        """Say which rows can be used, once all columns are read, and count the others."""
        self.problems.rows += int(self._bad.sum())
        return ~(self._bad | self._empty)


def blocks(
    file: Path, kinds: Mapping[str, Any], needed: Sequence[str], problems: Problems
) -> Iterator[Block]:
    """Read a file with a header, UTF-8, comma-separated, block by block.

    Args:
        file: the file.
        kinds: the columns to read, `TEXT` or `WORDS` (few different ones) each; others are ignored.
        needed: those without which the file cannot be used.
        problems: takes what was left out.

    Raises:
        JobError: the file is empty, no CSV, or lacks a column.
    """
    names = check_is_csv(file, needed)
    short: list[csv.InvalidRow] = []

    def leave_out(row: csv.InvalidRow) -> str:
        short.append(row)
        return "skip"

    line = 2  # the header is line 1
    found = {name: kind for name, kind in kinds.items() if name in names}
    try:
        for batch in _batches(file, found, leave_out):
            yield Block(file, batch, _lines(batch.num_rows, line, short), problems)
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


def _batches(file: Path, kinds: Mapping[str, Any], leave_out: Any) -> Iterator[pa.RecordBatch]:
    with csv.open_csv(
        str(file),
        read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        parse_options=csv.ParseOptions(invalid_row_handler=leave_out, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict(kinds),
            include_columns=list(kinds),
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


def quoted(value: str | None) -> str:
    """Quote a cell, cut short."""
    return "nothing" if value is None else repr(value if len(value) <= 40 else value[:37] + "...")


def _empty_lines(batch: pa.RecordBatch) -> Flags:
    """Find the rows with nothing at all in them."""
    empty = np.ones(batch.num_rows, np.bool_)
    for column in batch.columns:
        empty &= column.is_null().to_numpy(zero_copy_only=False)
    return empty


def _numbers(cells: pa.Array) -> tuple[Floats, Flags]:
    """Read a column of texts as numbers; the flags mark what is no (finite) number."""
    try:
        found = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        found = pa.array([number(cell) for cell in cells.to_pylist()], pa.float64())
    numbers = found.to_numpy(zero_copy_only=False)
    return numbers, ~np.isfinite(numbers) & found.is_valid().to_numpy(zero_copy_only=False)
