"""Raw data by column: numbers within limits, and categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

MISSING = ("", " ", "NA", "N/A", "NaN", "nan", "null", "NULL")  # cells in which nothing stands


@dataclass(frozen=True)
class Number:
    """What a numeric column may hold: finite numbers from `least` to `most`."""

    least: float
    most: float
    unit: str

    @property
    def allowed(self) -> str:
        """Say it in words."""
        return f"a number from {self.least:g} to {self.most:g} ({self.unit}), or nothing"


@dataclass(frozen=True)
class Categories:
    """A column of categories: for each row the place of its value in `values`, -1 if missing."""

    values: tuple[str, ...]
    codes: npt.NDArray[np.integer[Any]]

    @classmethod
    def of(cls, cells: Sequence[str | None]) -> Categories:
        """Take a column as a list of texts, None for a missing one."""
        places: dict[str, int] = {}
        codes = [-1 if cell is None else places.setdefault(cell, len(places)) for cell in cells]
        return cls(tuple(places), np.array(codes, np.int32))

    def take(self, rows: Any) -> Categories:
        """Give some rows, chosen as numpy does."""
        return Categories(self.values, self.codes[rows])
