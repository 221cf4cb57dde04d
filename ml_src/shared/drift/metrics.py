"""metrics.json: what one call of CloudWatch's PutMetricData takes as its MetricData.

One call takes at most 1,000 metrics and 1 MB ("PutMetricData"). A state machine that reads the
file and passes it on has 256 KiB for all of its data ("Quotas for Step Functions"), and holds the
file twice, as text and parsed, so it is kept below 100,000 characters. The verdict comes first,
then what has drifted most: what no longer fits is the least.

`DriftDetected` (0 or 1) is what an alarm watches; it is left out where there is no verdict, so
that an alarm keeps its state ("Configuring how CloudWatch alarms treat missing data"). PSI is
published without what chance explains, so that a quiet night does not look like drift.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 1000
MOST_CHARACTERS = 100_000
LONGEST_VALUE = 1024  # characters of a dimension's value
LIMIT = 2.0**360  # CloudWatch refuses what lies beyond

Metric = dict[str, Any]


def metrics(report: Mapping[str, Any], dimensions: Mapping[str, str]) -> tuple[list[Metric], int]:
    """Give the metrics of a run.

    Args:
        report: what drift.json holds.
        dimensions: put on every metric, such as the endpoint's name.

    Returns:
        The metrics, and how many no longer fitted.
    """
    every = [_metric(*parts, dimensions) for parts in _all(report) if _publishable(parts[1])]
    kept, size = 0, 2
    for metric in every[:MOST]:
        size += len(json.dumps(metric, indent=1)) + 40  # the file is indented by one more
        if size > MOST_CHARACTERS:
            break
        kept += 1
    return every[:kept], len(every) - kept


Parts = tuple[str, Any, str, dict[str, str]]


def _all(report: Mapping[str, Any]) -> Iterator[Parts]:
    requests = report["requests"]
    if report["status"] in ("steady", "drifted"):
        drifted = [found for found in report["features"] if found["drifted"]]
        yield "DriftDetected", int(report["status"] == "drifted"), "None", {}
        yield "DriftedFeatures", len(drifted), "Count", {}
    yield "CapturedRows", requests["rows"], "Count", {}
    if requests["lines"]:
        bad = sum(requests["problems"].values())
        yield "UnusableRequests", 100 * bad / requests["lines"], "Percent", {}
    predictions, quality = report["predictions"], report["quality"]
    if predictions:
        yield "PredictionPSI", predictions["psi_beyond_chance"], "None", {}
        if "selection_rate" in predictions:
            yield "SelectionRate", 100 * predictions["selection_rate"]["rate"], "Percent", {}
    if quality:
        yield "LabelledRows", quality["rows"], "Count", {}
        for key, name in QUALITY.items():
            if key in quality:
                yield name, quality[key]["value"], "None", {}
    for found in sorted(report["groups"], key=lambda group: not group["drifted"]):
        if found["judged"]:
            facet = {"Facet": f"{found['facet']}={found['value']}"}
            yield "DisparateImpact", found["disparate_impact"], "None", facet
            yield "DPPL", found["difference_in_positive_proportions"], "None", facet
    for found in report["features"]:
        yield "FeaturePSI", found["psi_beyond_chance"], "None", {"Feature": found["name"]}


QUALITY = {
    "auc": "AUC",
    "log_loss": "LogLoss",
    "calibration_gap": "CalibrationGap",
    "precision": "Precision",
    "recall": "Recall",
}


def _publishable(value: Any) -> bool:
    """Say whether CloudWatch takes a value: no NaN, no infinity, nothing immense."""
    return value is not None and math.isfinite(value) and abs(value) < LIMIT


def _metric(
    name: str, value: Any, unit: str, own: Mapping[str, str], common: Mapping[str, str]
) -> Metric:
    together = {**common, **own}
    return {
        "MetricName": name,
        "Value": value,
        "Unit": unit,
        "Dimensions": [{"Name": key, "Value": _ascii(text)} for key, text in together.items()],
    }


def _ascii(text: str) -> str:
    """Give a dimension's value as CloudWatch takes it: printable ASCII, not blank, not too long."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    shown = "".join(letter if letter.isprintable() else "?" for letter in plain)[:LONGEST_VALUE]
    return shown if shown.strip() else "?"
