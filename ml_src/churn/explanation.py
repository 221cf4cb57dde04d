"""What decided on each customer's score, in log-odds of leaving: see `shared/explanation.py`."""

from __future__ import annotations

from typing import Any

from ml_src.churn.features import Encoder
from ml_src.churn.scores import Numbers
from ml_src.shared.explanation import Explanation, contributions, spread

UNIT = "log-odds of leaving"
# Of the features that no category makes: the column that each is of.
COLUMN = {"tenure_years": "tenure"}


def owner(feature: str) -> str:
    """Give the customer table's column that a feature is of; charge_ratio stays by itself."""
    name = feature.partition("=")[0]
    return COLUMN.get(name, name)


def explain(booster: Any, encoder: Encoder, features: Numbers) -> Explanation:
    """Explain the margins of at most 1,000 of the encoded rows, evenly spread over all of them."""
    rows = spread(features)
    found = contributions(booster, rows)
    owners = [owner(name) for name in encoder.columns]
    expected = float(found[:, -1].mean())
    return Explanation(encoder.columns, owners, UNIT, rows, found[:, :-1], expected, len(features))
