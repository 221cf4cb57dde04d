"""Labels that arrive later, joined with the captured requests.

CSV files with a header: `inference_id` (the request's InferenceId where the caller gave one, else
the capture's eventId), `label`, and `row`, the row within the request from 1 on, which only
requests of one row can do without. Only 16 bytes a label are kept in memory.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.shared.drift.batches import Batch
from ml_src.shared.drift.captured import SHOWN
from ml_src.shared.failure import JobError

IDENTIFIER, LABEL, ROW = "inference_id", "label", "row"
ANY = 0  # the row of a label that names none
UNKNOWN = np.int8(-1)


@dataclass
class Labels:
    """Labels by a hash of request and row.

    read: lines with a label. replaced: labels that a later line gave anew. matched: rows with a
    label. ambiguous: requests of several rows with a label that names no row.
    problems, examples: lines that cannot be used.
    """

    keys: npt.NDArray[np.int64]
    values: npt.NDArray[np.int8]
    read: int = 0
    replaced: int = 0
    matched: int = 0
    ambiguous: int = 0
    problems: int = 0
    examples: list[str] = field(default_factory=list[str])

    def of(self, batch: Batch) -> npt.NDArray[np.int8]:
        """Give each row's label: 0 or 1, -1 where there is none (yet)."""
        exact = [
            hash((key, row))
            for key, size in zip(batch.keys, batch.sizes, strict=True)
            for row in range(1, size + 1)
        ]
        found = self._look(np.array(exact, np.int64))
        bare = self._look(np.array([hash((key, ANY)) for key in batch.keys], np.int64))
        sizes = np.array(batch.sizes, np.int64)
        self.ambiguous += int(np.count_nonzero((bare != UNKNOWN) & (sizes > 1)))
        single = np.repeat(np.where(sizes == 1, bare, UNKNOWN), sizes)
        labels = np.where(found == UNKNOWN, single, found)
        self.matched += int(np.count_nonzero(labels != UNKNOWN))
        return labels

    def _look(self, hashes: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        if not len(self.keys):
            return np.full(len(hashes), UNKNOWN)
        places = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        return np.where(self.keys[places] == hashes, self.values[places], UNKNOWN)


def read(folder: Path, words: Mapping[str, int]) -> Labels:
    """Read all CSV files below a folder, in the order of their names; a later label replaces.

    Args:
        folder: where the labels lie; it may be empty.
        words: what a label may be written as, with its meaning 0 or 1.

    Raises:
        JobError: there is no such folder, or a file lacks its header.
    """
    if not folder.is_dir():
        raise JobError(f"{folder}: no such folder; --labels takes a folder with CSV files")
    keys: list[int] = []
    values: list[int] = []
    labels = Labels(np.empty(0, np.int64), np.empty(0, np.int8))
    for file in sorted(path for path in folder.rglob("*.csv") if path.is_file()):
        for where, line in _lines(file):
            try:
                key, value = _label(line, words)
            except ValueError as error:
                labels.problems += 1
                if len(labels.examples) < SHOWN:
                    labels.examples.append(f"{where}: {error}")
                continue
            keys.append(key)
            values.append(value)
    labels.read = len(keys)
    # The last of equals stays: unique keeps the first of the reversed order.
    labels.keys, places = np.unique(np.array(keys[::-1], np.int64), return_index=True)
    labels.values = np.array(values[::-1], np.int8)[places]
    labels.replaced = labels.read - len(labels.keys)
    return labels


def _lines(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened)
            header = [name.strip() for name in next(reader, [])]
            lacking = [name for name in (IDENTIFIER, LABEL) if name not in header]
            if lacking:
                raise JobError(
                    f"{file}, line 1: missing column {', '.join(map(repr, lacking))}; the header "
                    f"has {', '.join(map(repr, header))[:200] or 'nothing'}"
                )
            for cells in reader:
                if cells:
                    yield f"{file.name}, line {reader.line_num}", dict(zip(header, cells))  # noqa: B905
    except (UnicodeDecodeError, csv.Error) as error:
        raise JobError(f"{file}: not CSV in UTF-8: {error}") from error


def _label(line: Mapping[str, str], words: Mapping[str, int]) -> tuple[int, int]:
    identifier, word = line.get(IDENTIFIER, "").strip(), line.get(LABEL, "").strip()
    if not identifier:
        raise ValueError(f"no {IDENTIFIER}")
    if word not in words:
        raise ValueError(f"label {word!r:.40} is not one of {', '.join(words)}")
    row = line.get(ROW, "").strip()
    if row and not (row.isascii() and row.isdigit() and int(row) > 0):
        raise ValueError(f"row {row!r:.40} is not a whole number from 1 on")
    return hash((identifier, int(row) if row else ANY)), words[word]


def wanted(labels: Sequence[int] | npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Say which rows have a label."""
    return np.asarray(labels) != UNKNOWN
