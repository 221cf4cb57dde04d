"""What decided on each row's score: exact TreeSHAP of the model, on some rows.

A row's margin is the expected value plus one contribution for each feature; XGBoost computes them
exactly, by `pred_contribs` ("Prediction", XGBoost's documentation).

explainability/analysis.json has the form of SageMaker Clarify's ("Analysis Results", Amazon
SageMaker AI), which is what the model registry shows as a version's explainability report:

    {"version": "1.0",
     "explanations": {"kernel_shap": {"label0": {
        "global_shap_values": {"tenure_years": 0.42, "Contract=Two year": 0.2, …},
        "expected_value": -1.06}}},
     "sagelens": {"method": "TreeSHAP", "note": …, "unit": "log-odds of leaving",
        "aggregation": "mean of absolute values", "rows": 725, "of_rows": 725,
        "columns": {"tenure": 0.42, "Contract": 0.31, …}}}

`global_shap_values` are of the features as the encoder makes them, `columns` of the raw data's
columns: the contributions of all features of a column are added up for each row first, which
additivity allows, so one that speaks for and one that speaks against cancel out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.shared.columns import Floats

MOST_ROWS = 1000
NOTE = (
    "Exact TreeSHAP, computed by XGBoost (pred_contribs). kernel_shap is the key under which "
    "SageMaker Clarify's form keeps Shapley values; Kernel SHAP was not used."
)

Numbers = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Explanation:
    """Contributions to the margin of some rows.

    names: of the features. owners: for each feature the raw data's column that it is of.
    unit: what the margin is measured in. values: of the features, a row each.
    contributions: of the same shape. expected: the margin before any feature speaks.
    rows: rows in all, of which these are some.
    """

    names: Sequence[str]
    owners: Sequence[str]
    unit: str
    values: Numbers
    contributions: Floats
    expected: float
    rows: int

    def strengths(self) -> dict[str, float]:
        """Give each feature's mean absolute contribution, the largest first."""
        return _ranked(self.names, np.abs(self.contributions).mean(axis=0))

    def column_strengths(self) -> dict[str, float]:
        """Give the same for the columns of the raw data."""
        columns = list(dict.fromkeys(self.owners))
        belongs = np.array([[owner == column for column in columns] for owner in self.owners])
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
                "unit": self.unit,
                "aggregation": "mean of absolute values",
                "rows": len(self.contributions),
                "of_rows": self.rows,
                "columns": _rounded(self.column_strengths()),
            },
        }


def spread(features: Numbers) -> Numbers:
    """Choose at most 1,000 of the rows, evenly spread over all of them."""
    if len(features) <= MOST_ROWS:
        return features
    return features[np.linspace(0, len(features) - 1, MOST_ROWS).astype(int)]


def contributions(booster: Any, features: Numbers) -> Floats:
    """Give TreeSHAP's contributions, the expected value last; of each target, if several."""
    import xgboost as xgb

    data = xgb.DMatrix(features, feature_names=booster.feature_names)
    return booster.predict(data, pred_contribs=True).astype(np.float64)


def importances(booster: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Give each used feature's share of the total gain, the largest first, by encoder's name."""
    ours = dict(zip(booster.feature_names, columns, strict=True))
    gains = booster.get_score(importance_type="total_gain")
    total = sum(gains.values()) or 1.0
    ranked = sorted(gains.items(), key=lambda item: (-item[1], item[0]))
    return [{"feature": ours[name], "gain": round(gain / total, 6)} for name, gain in ranked]


def _ranked(names: Any, strengths: Floats) -> dict[str, float]:
    order = np.argsort(-strengths, kind="stable")
    return {names[number]: float(strengths[number]) for number in order}


def _rounded(strengths: dict[str, float]) -> dict[str, float]:
    return {name: round(strength, 6) for name, strength in strengths.items()}
