"""metrics.json: what CloudWatch and a state machine take, the most telling first."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from ml_src.shared.drift.metrics import MOST, MOST_CHARACTERS, metrics

REQUESTS = {"rows": 500, "lines": 400, "problems": {"bad lines": 3, "refused requests": 1}}


def report(**given: Any) -> dict[str, Any]:
    empty = {"status": "steady", "predictions": None, "quality": None, "groups": [], "features": []}
    return {**empty, "requests": REQUESTS, **given}


def feature(name: str, psi: float, drifted: bool = False) -> dict[str, Any]:
    return {"name": name, "psi_beyond_chance": psi, "drifted": drifted}


def group(value: str, drifted: bool, impact: float | None = 0.9) -> dict[str, Any]:
    return {
        "facet": "gender",
        "value": value,
        "judged": True,
        "drifted": drifted,
        "disparate_impact": impact,
        "difference_in_positive_proportions": 0.02,
    }


def named(found: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(metric["MetricName"], metric["Value"]) for metric in found]


def check(found: list[dict[str, Any]]) -> None:
    """Hold them against PutMetricData's own shape."""
    service = botocore.session.get_session().get_service_model("cloudwatch")
    given = {"Namespace": "Sagelens", "MetricData": found}
    shape = service.operation_model("PutMetricData").input_shape
    problems = ParamValidator().validate(given, shape)
    assert not problems.has_errors(), problems.generate_report()
    assert {metric["Unit"] for metric in found} <= set(service.shape_for("StandardUnit").enum)


def test_the_verdict_first_then_the_worst() -> None:
    drifted = report(
        status="drifted",
        features=[feature("tenure", 0.6, True), feature("gender", 0.0)],
        predictions={"psi_beyond_chance": 0.1, "selection_rate": {"rate": 0.25}},
        quality={"rows": 90, "auc": {"value": 0.8}, "log_loss": {"value": 0.4}},
        groups=[group("Male", False), group("Female", True)],
    )
    found, left_out = metrics(drifted, {"Endpoint": "churn"})
    check(found)
    assert left_out == 0
    assert named(found) == [
        ("DriftDetected", 1),
        ("DriftedFeatures", 1),
        ("CapturedRows", 500),
        ("UnusableRequests", 1.0),
        ("PredictionPSI", 0.1),
        ("SelectionRate", 25.0),
        ("LabelledRows", 90),
        ("AUC", 0.8),
        ("LogLoss", 0.4),
        ("DisparateImpact", 0.9),
        ("DPPL", 0.02),
        ("DisparateImpact", 0.9),
        ("DPPL", 0.02),
        ("FeaturePSI", 0.6),
        ("FeaturePSI", 0.0),
    ]
    assert found[9]["Dimensions"] == [
        {"Name": "Endpoint", "Value": "churn"},
        {"Name": "Facet", "Value": "gender=Female"},
    ]
    assert found[13]["Dimensions"][1] == {"Name": "Feature", "Value": "tenure"}


@pytest.mark.parametrize("status", ["no_data", "too_few"])
def test_no_verdict_no_word_on_drift(status: str) -> None:
    found, _ = metrics(report(status=status), {})
    assert named(found) == [("CapturedRows", 500), ("UnusableRequests", 1.0)]


def test_only_what_cloudwatch_takes() -> None:
    odd = report(
        features=[feature("größe \n" + "x" * 2000, 0.1), feature(" ", 1e200)],
        groups=[group("Female", False, impact=None)],
    )
    found, _ = metrics(odd, {})
    check(found)
    assert [name for name, _ in named(found)][-2:] == ["DPPL", "FeaturePSI"]
    value = found[-1]["Dimensions"][0]["Value"]
    assert value.startswith("gr\\xf6\\xdfe ?x") and len(value) == 1024


def test_no_more_than_a_call_and_a_state_machine_take() -> None:
    many = report(features=[feature(f"feature {place}", 0.1) for place in range(3000)])
    found, left_out = metrics(many, {"Endpoint": "churn", "Variant": "live"})
    check(found)
    assert 200 < len(found) <= MOST and len(found) + left_out == 3004
    assert len(json.dumps(found, indent=1)) <= MOST_CHARACTERS
    assert found[0]["MetricName"] == "DriftDetected"
