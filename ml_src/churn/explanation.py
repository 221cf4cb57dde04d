"""What decided on each customer's score: exact TreeSHAP of the model, on some test rows.

A customer's margin (log-odds of leaving) is the expected value plus one contribution for each
feature; XGBoost computes them exactly, by `pred_contribs` ("Prediction", XGBoost's documentation).

explainability/analysis.json has the form of SageMaker Clarify's ("Analysis Results", Amazon
SageMaker AI), which is what the model registry shows as a version's explainability report:

    {"version": "1.0",
     "explanations": {"kernel_shap": {"label0": {
        "global_shap_values": {"tenure_years": 0.42, "Contract=Two year": 0.2, …},
        "expected_value": -1.06}}},
     "sagelens": {"method": "TreeSHAP", "note": …, "unit": "log-odds of leaving",
        "aggregation": "mean of absolute values", "rows": 725, "of_rows": 725,
        "columns": {"tenure": 0.42, "Contract": 0.31, …}}}

`global_shap_values` are of the features as the encoder makes them, `columns` of the customer
table's columns: the contributions of all features of a column are added up for each customer first,
which additivity allows, so one that speaks for and one that speaks against cancel out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_src.churn.features import Encoder
from ml_src.churn.scores import Floats, Numbers

MOST_ROWS = 1000
NOTE = (
    "Exact TreeSHAP, computed by XGBoost (pred_contribs). kernel_shap is the key under which "
    "SageMaker Clarify's form keeps Shapley values; Kernel SHAP was not used."
)
# Of the features that no category makes: the column that each is of.
COLUMN = {"tenure_years": "tenure"}


@dataclass(frozen=True)
class Explanation:
    """Contributions to the margin of some customers.

    names: of the features. values: of the features, a row for each customer.
    contributions: of the same shape. expected: the margin before any feature speaks.
    rows: customers in all, of whom these are some.
    """

    names: tuple[str, ...]
    values: Numbers
    contributions: Floats
    expected: float
    rows: int

    def strengths(self) -> dict[str, float]:
        """Give each feature's mean absolute contribution, the largest first."""
        return _ranked(self.names, np.abs(self.contributions).mean(axis=0))

    def column_strengths(self) -> dict[str, float]:
        """Give the same for the columns of the customer table."""
        owners = [_column(name) for name in self.names]
        columns = list(dict.fromkeys(owners))
        belongs = np.array([[owner == column for column in columns] for owner in owners])
        return _ranked(columns, np.abs(self.contributions @ belongs).mean(axis=0))

    def document(self) -> dict[str, Any]:
        """Give analysis.json."""
        found = {
            "global_shap_values": _rounded(self.strengths()),
            "expected_value": round(self.expected, 6),
        }
        return {
            "version": "1.0",
            "explanations": {"kernel_shap": {"label0": found}},
            "sagelens": {
                "method": "TreeSHAP",
                "note": NOTE,
                "unit": "log-odds of leaving",
                "aggregation": "mean of absolute values",
                "rows": len(self.contributions),
                "of_rows": self.rows,
                "columns": _rounded(self.column_strengths()),
            },
        }


def explain(booster: Any, encoder: Encoder, features: Numbers) -> Explanation:
    """Explain the margins of at most 1,000 of the encoded rows, evenly spread over all of them."""
    import xgboost as xgb

    rows = features
    if len(features) > MOST_ROWS:
        rows = features[np.linspace(0, len(features) - 1, MOST_ROWS).astype(int)]
    data = xgb.DMatrix(rows, feature_names=booster.feature_names)
    found = booster.predict(data, pred_contribs=True).astype(np.float64)
    return Explanation(
        encoder.columns, rows, found[:, :-1], float(found[:, -1].mean()), len(features)
    )


def _column(feature: str) -> str:
    name = feature.partition("=")[0]
    return COLUMN.get(name, name)


def _ranked(names: Any, strengths: Floats) -> dict[str, float]:
    order = np.argsort(-strengths, kind="stable")
    return {names[number]: float(strengths[number]) for number in order}


def _rounded(strengths: dict[str, float]) -> dict[str, float]:
    return {name: round(strength, 6) for name, strength in strengths.items()}
