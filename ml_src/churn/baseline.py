"""What the training customers looked like: `shared/baseline.py` says in which form."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.churn.features import Customers
from ml_src.churn.schema import INPUTS, NUMBERS
from ml_src.shared import baseline


def statistics(customers: Customers, labels: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Describe the training rows as statistics.json does."""
    columns = {**customers.numbers, **customers.categories}
    found = baseline.statistics({name: columns[name] for name in INPUTS}, len(customers))
    return {**found, "positive_rate": float(labels.mean())}


def constraints(described: dict[str, Any]) -> dict[str, Any]:
    """Derive from statistics what later rows are held to, as constraints.json does."""
    return baseline.constraints(described, NUMBERS)
