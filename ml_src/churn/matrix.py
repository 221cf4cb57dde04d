"""Encoded customers as CSV, the label first: 1 for a customer who left, else 0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ml_src.churn.features import Customers, Encoder
from ml_src.shared import matrix
from ml_src.shared.columns import Features
from ml_src.shared.failure import JobError


def write(
    path: Path,
    encoder: Encoder,
    customers: Customers,
    labels: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64],
) -> None:
    """Encode some rows of a table and write them, a chunk at a time."""
    hot = sum(map(len, encoder.categories.values()))
    numbers = len(encoder.columns) - hot
    kinds = [pa.uint8(), *[pa.float32()] * numbers, *[pa.uint8()] * hot]

    def chunks() -> Iterator[list[npt.NDArray[Any]]]:
        for start in range(0, len(rows), matrix.CHUNK):
            chosen = rows[start : start + matrix.CHUNK]
            yield [labels[chosen], *encoder.columns_of(customers.take(chosen))]

    matrix.write(path, kinds, chunks())


def read(folder: Path, features: int) -> tuple[Features, matrix.Labels]:
    """Read encoded customers; raises `JobError` as `shared/matrix.py`, and for foreign labels."""
    found, labels = matrix.read(folder, features)
    if not np.isin(labels, (0, 1)).all():
        wrong = labels[~np.isin(labels, (0, 1))][0]
        raise JobError(f"{folder}: a label is {wrong:g}; the first column holds 0 or 1")
    return found, labels
