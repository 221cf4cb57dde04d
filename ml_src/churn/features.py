"""The one encoding of customers as numbers, used by preparation and by serving alike.

Fitted on the training rows only. Numbers come first, then one column for each category that the
training rows hold:

* `tenure_years` is tenure in years; `charge_ratio` is MonthlyCharges divided by TotalCharges, and
  1 where nothing has been charged yet (this month is then the whole bill), 1,000,000 at most.
* A missing number takes the training rows' median; TotalCharges at tenure 0 is 0 instead.
* A missing category, or one that training never saw, is 0 in all its columns; the latter is
  counted, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.churn.schema import CATEGORIES, INPUTS, NUMBERS
from ml_src.shared.columns import Categories, Features, Floats
from ml_src.shared.encoding import EncoderError, parsed, save

VERSION = 1
DERIVED = ("SeniorCitizen", "tenure_years", "MonthlyCharges", "TotalCharges", "charge_ratio")
UNSEEN = "zeros"  # the one way this version handles an unseen category

MOST_RATIO = 1e6  # a total of next to nothing must not become infinity


@dataclass(frozen=True)
class Customers:
    """Customers by column: the endpoint's inputs, without identifier and label.

    numbers: a float64 array for each of `schema.NUMBERS`, NaN where missing.
    categories: `Categories` for each of `schema.CATEGORIES`.
    """

    numbers: Mapping[str, Floats]
    categories: Mapping[str, Categories]

    def __len__(self) -> int:
        """Give the number of customers."""
        return len(self.numbers["tenure"])

    def take(self, rows: Any) -> Customers:
        """Give some customers, chosen as numpy does (a slice shares the columns' memory)."""
        return Customers(
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column.take(rows) for name, column in self.categories.items()},
        )


@dataclass(frozen=True)
class Encoder:
    """What the training rows taught: medians for missing numbers, the categories there are."""

    medians: Mapping[str, float]
    categories: Mapping[str, tuple[str, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the features in their order."""
        hot = (f"{name}={value}" for name, values in self.categories.items() for value in values)
        return (*DERIVED, *hot)

    @classmethod
    def fit(cls, customers: Customers) -> Encoder:
        """Learn from the training rows. A number that is missing in all of them counts as 0."""
        filled = _zero_for_new(customers.numbers)
        medians: dict[str, float] = {}
        for name in NUMBERS:
            known = filled[name][~np.isnan(filled[name])]
            medians[name] = float(np.median(known)) if len(known) else 0.0
        categories: dict[str, tuple[str, ...]] = {}
        for name in CATEGORIES:
            column = customers.categories[name]
            seen = np.unique(column.codes)
            categories[name] = tuple(sorted(column.values[code] for code in seen if code >= 0))
        return cls(medians, categories)

    def columns_of(self, customers: Customers) -> Iterator[npt.NDArray[Any]]:
        """Yield the features column by column: float32 for numbers, uint8 (0, 1) for categories."""
        numbers = _zero_for_new(customers.numbers)
        for name, median in self.medians.items():
            column = numbers[name]
            numbers[name] = np.where(np.isnan(column), median, column)
        monthly, total = numbers["MonthlyCharges"], numbers["TotalCharges"]
        with np.errstate(over="ignore"):
            ratio = np.divide(monthly, total, out=np.ones_like(monthly), where=total > 0)
        ratio = np.minimum(ratio, MOST_RATIO)
        features = {**numbers, "tenure_years": numbers["tenure"] / 12, "charge_ratio": ratio}
        for name in DERIVED:
            yield features[name].astype(np.float32)
        for name, values in self.categories.items():
            column = customers.categories[name]
            places = {value: place for place, value in enumerate(values)}
            # One place more, at the end, is what the code -1 (missing) finds.
            lookup = np.array([places.get(value, -1) for value in column.values] + [-1])
            place = lookup[column.codes]
            for number in range(len(values)):
                yield (place == number).astype(np.uint8)

    def transform(self, customers: Customers) -> Features:
        """Encode customers as a matrix of float32, one row each, columns as in `columns`."""
        matrix = np.empty((len(customers), len(self.columns)), np.float32)
        for number, column in enumerate(self.columns_of(customers)):
            matrix[:, number] = column
        return matrix

    def unseen(self, customers: Customers) -> dict[str, int]:
        """Count, for each column that has any, the rows whose category training never saw."""
        counts: dict[str, int] = {}
        for name, values in self.categories.items():
            column = customers.categories[name]
            new = [code for code, value in enumerate(column.values) if value not in values]
            count = int(np.isin(column.codes, new).sum()) if new else 0
            if count:
                counts[name] = count
        return counts

    def document(self) -> dict[str, Any]:
        """Give the encoder as a document for JSON."""
        return {
            "version": VERSION,
            "inputs": list(INPUTS),
            "columns": list(self.columns),
            "unseen": UNSEEN,
            **asdict(self),
        }

    def save(self, path: Path) -> None:
        """Write the encoder as JSON."""
        save(self, path)

    @classmethod
    def from_text(cls, text: str | bytes) -> Encoder:
        """Read what `document` gave, as JSON.

        Raises:
            EncoderError: it is of another version or form, or names other columns than its own
                medians and categories give.
        """
        document = parsed(text, VERSION)
        try:
            encoder = cls(
                {name: float(document["medians"][name]) for name in NUMBERS},
                {name: tuple(document["categories"][name]) for name in CATEGORIES},
            )
            same = tuple(document["columns"]) == encoder.columns
        except (KeyError, TypeError, ValueError) as error:
            raise EncoderError(f"the encoder is incomplete: {error!r}") from error
        if not same or document["unseen"] != UNSEEN or tuple(document["inputs"]) != INPUTS:
            raise EncoderError("the encoder's columns are not those of its medians and categories")
        return encoder


def _zero_for_new(numbers: Mapping[str, Floats]) -> dict[str, Floats]:
    """Say 0 for TotalCharges where it is missing and the customer has no whole month yet."""
    total = numbers["TotalCharges"]
    new = np.isnan(total) & (numbers["tenure"] == 0)
    return {**numbers, "TotalCharges": np.where(new, 0.0, total)}
