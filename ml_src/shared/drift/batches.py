"""Captured requests by column, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.shared.drift.adapter import Adapter
from ml_src.shared.drift.captured import BAD_LINE, REFUSED, Request, Seen, Window, requests
from ml_src.shared.failure import JobError

BATCH = 8192  # rows turned into columns at a time: a few megabytes


@dataclass(frozen=True)
class Batch:
    """Some requests by column.

    columns: of the rows whose input was captured.
    asked: for every row whether its input was captured.
    predictions: for every row, NaN where the answer was not captured or not usable.
    keys, sizes: each request's identifier and number of rows, in order.
    """

    columns: Mapping[str, Any]
    asked: npt.NDArray[np.bool_]
    predictions: npt.NDArray[np.float64]
    keys: Sequence[str]
    sizes: Sequence[int]


def batches(folder: Path, adapter: Adapter, seen: Seen, window: Window) -> Iterator[Batch]:
    """Read all captured requests below a folder, some thousand rows at a time.

    Args:
        folder: where the capture's files were copied to.
        adapter: the model's reading of bodies.
        seen: takes counts and problems.
        window: times to look at.

    Raises:
        JobError: there is no such folder, or nothing in its files is a capture record.
    """
    waiting: list[Request] = []
    rows = 0
    for request in requests(folder, adapter, seen, window):
        waiting.append(request)
        rows += len(request)
        if rows >= BATCH:
            yield _batch(waiting, adapter, seen)
            waiting, rows = [], 0
    if waiting:
        yield _batch(waiting, adapter, seen)
    if seen.lines and seen.counted(BAD_LINE) == seen.lines:
        raise JobError(
            f"{folder}: none of the {seen.lines} lines in {seen.files} files is a record of "
            f"SageMaker's data capture: {'; '.join(seen.examples[BAD_LINE])}"
        )


def _batch(requests: list[Request], adapter: Adapter, seen: Seen) -> Batch:
    """Turn requests into columns; those that `columns` refuses are counted and left out."""
    kept, parts = _columns(requests, adapter, seen)
    for request in kept:
        seen.time(request.time)
    sizes = [len(request) for request in kept]
    seen.requests += len(kept)
    seen.rows += sum(sizes)
    predictions = [
        request.predictions if request.predictions is not None else [np.nan] * size
        for request, size in zip(kept, sizes, strict=True)
    ]
    return Batch(
        columns=_joined(parts),
        asked=np.repeat([request.rows is not None for request in kept], sizes).astype(bool),
        predictions=np.array([value for values in predictions for value in values], np.float64),
        keys=[request.key for request in kept],
        sizes=sizes,
    )


def _columns(
    requests: list[Request], adapter: Adapter, seen: Seen
) -> tuple[list[Request], list[Mapping[str, Any]]]:
    """Try all at once, and halve when that is refused, down to the requests that are at fault."""
    rows = [row for request in requests for row in request.rows or ()]
    if not rows:
        return requests, []
    try:
        return requests, [adapter.columns(rows)]
    except ValueError as error:
        if len(requests) == 1:
            seen.problem(REFUSED, requests[0].where, error)
            return [], []
    middle = len(requests) // 2
    kept, parts = _columns(requests[:middle], adapter, seen)
    others, more = _columns(requests[middle:], adapter, seen)
    return kept + others, parts + more


@dataclass(frozen=True)
class Joined:
    """Columns of categories from several parts, one after the other."""

    values: Sequence[str]
    codes: npt.NDArray[np.int64]


def _joined(parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(parts) < 2:
        return parts[0] if parts else {}
    together: dict[str, Any] = {}
    for name, first in parts[0].items():
        columns = [part[name] for part in parts]
        if isinstance(first, np.ndarray):
            together[name] = np.concatenate(columns)
            continue
        places: dict[str, int] = {}
        codes: list[Any] = []
        for column in columns:
            moved = [places.setdefault(value, len(places)) for value in column.values]
            codes.append(np.array([*moved, -1])[column.codes])  # -1 finds the last: missing
        together[name] = Joined(tuple(places), np.concatenate(codes))
    return together
