"""Evaluate a model on customers it has never seen.

    python3 <code>/ml_src/churn/evaluate.py --model <folder> --validation <folder> --test <folder>

The threshold is chosen on the validation side, by what mistakes cost; every figure is of the test
side. Writes below `--output`:

    evaluation/evaluation.json   SageMaker's form of model quality, and more; see `document`
    evaluation/predictions.json  the predictions' distribution, what drift is later measured by;
                                 see shared/drift/predictions.py
    explainability/analysis.json what decided on the scores, in SageMaker Clarify's form; see
                                 explanation.py
    plots/roc.png, precision_recall.png, confusion.png, calibration.png, shap.png

A gate reads, for example, `binary_classification_metrics.auc.value` by JsonGet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.churn import artifact, explanation, matrix, scores
from ml_src.churn.features import Encoder
from ml_src.churn.schema import NUMBERS
from ml_src.churn.scores import Confusion, Costs, Steps
from ml_src.shared.drift import predictions
from ml_src.shared.explanation import Explanation, importances
from ml_src.shared.failure import PROCESSING, Arguments, JobError, ending_with_reason
from ml_src.shared.reliability import reliability

POINTS = 200  # of a curve in the JSON; JsonGet's file must stay small


@dataclass(frozen=True)
class Evaluation:
    """A model's scores on the test side.

    labels, probabilities: of the test rows.
    found: hits and false alarms by threshold.
    threshold: chosen on the validation side.
    chosen: the test side's confusion there.
    """

    labels: scores.Numbers
    probabilities: scores.Numbers
    found: Steps
    threshold: float
    chosen: Confusion
    costs: Costs


def judge(
    labels: scores.Numbers,
    probabilities: scores.Numbers,
    validation: tuple[scores.Numbers, scores.Numbers],
    costs: Costs,
) -> Evaluation:
    """Choose the threshold on the validation side (labels, probabilities) and score the test."""
    threshold = scores.cheapest(scores.steps(*validation), costs)
    return Evaluation(
        labels,
        probabilities,
        scores.steps(labels, probabilities),
        threshold,
        Confusion.at(threshold, labels, probabilities),
        costs,
    )


def document(result: Evaluation) -> dict[str, Any]:
    """Give evaluation.json.

    `binary_classification_metrics` has the form that SageMaker's model registry shows ("Model
    Quality Metrics": each metric a `value` with its `standard_deviation`). Besides: `calibration`
    (Brier score, log loss, mean error, reliability table) and `threshold` (what was chosen, its
    cost on the test side, and what offering to nobody or to all would have cost).
    """
    found, chosen = result.found, result.chosen
    table = reliability(result.labels, result.probabilities)
    positives, negatives = found.positives, found.negatives
    return {
        "version": 1,
        "rows": len(result.labels),
        "binary_classification_metrics": _quality(result),
        "calibration": {
            "brier": scores.brier(result.labels, result.probabilities),
            "mean_error": scores.calibration_error(table),
            "reliability": table,
        },
        "threshold": {
            "value": result.threshold,
            "chosen_on": "validation",
            "missed_churner_cost": result.costs.missed,
            "needless_offer_cost": result.costs.needless,
            "cost": result.costs.total(chosen.missed, chosen.alarms),
            "cost_offering_to_nobody": result.costs.total(positives, 0),
            "cost_offering_to_all": result.costs.total(0, negatives),
        },
    }


def _quality(result: Evaluation) -> dict[str, Any]:
    chosen, found = result.chosen, result.found
    values = {
        "auc": scores.auc(result.labels, result.probabilities),
        "average_precision": scores.average_precision(found),
        "log_loss": scores.log_loss(result.labels, result.probabilities),
        "accuracy": chosen.accuracy,
        "precision": chosen.precision,
        "recall": chosen.recall,
        "f1": chosen.f1,
        "true_positive_rate": chosen.recall,
        "false_positive_rate": chosen.false_alarm_rate,
        "true_negative_rate": 1 - chosen.false_alarm_rate,
        "false_negative_rate": 1 - chosen.recall,
    }
    # One evaluation has no spread; SageMaker writes the text "NaN" then.
    metrics: dict[str, Any] = {
        name: {"value": value, "standard_deviation": "NaN"} for name, value in values.items()
    }
    metrics["confusion_matrix"] = {
        "0": {"0": chosen.quiet, "1": chosen.alarms},
        "1": {"0": chosen.missed, "1": chosen.hits},
    }
    alarms, hits = found.rates()
    precision, recall = found.precision_recall()
    metrics["receiver_operating_characteristic_curve"] = {
        "false_positive_rates": _thin(alarms),
        "true_positive_rates": _thin(hits),
    }
    metrics["precision_recall_curve"] = {"precisions": _thin(precision), "recalls": _thin(recall)}
    return metrics


def _thin(curve: scores.Floats) -> list[float]:
    """Keep at most 200 points of a curve, with its ends."""
    kept = np.unique(np.linspace(0, len(curve) - 1, POINTS).astype(int))
    return [round(float(value), 6) for value in curve[kept]]


def groups(
    encoder: Encoder, features: scores.Numbers
) -> dict[str, dict[str, npt.NDArray[np.bool_]]]:
    """Say of each category, and of seniors, which encoded rows have it: groups for bias.

    A row whose category is missing, or new, is in no group.
    """
    columns = dict(zip(encoder.columns, features.T, strict=True))
    found = {
        name: {value: columns[f"{name}={value}"] == 1 for value in values}
        for name, values in encoder.categories.items()
    }
    # Only a number of two values is a group; one that was missing took the median, 0 or 1.
    flags = [name for name in NUMBERS if (NUMBERS[name].least, NUMBERS[name].most) == (0, 1)]
    return found | {
        name: {f"{value}": columns[name] == value for value in (0, 1)} for name in flags
    }


def evaluate(model: Path, validation: Path, test: Path, output: Path, costs: Costs) -> Any:
    """Evaluate a model's folder on encoded channels and write JSON and plots.

    Returns:
        What evaluation.json holds.

    Raises:
        JobError: model or channel cannot be used, or one has only customers of one class.
    """
    booster, encoder = artifact.load(model)
    sides: list[tuple[scores.Numbers, scores.Numbers]] = []
    features: scores.Numbers = np.empty((0, 0), np.float32)
    for folder in (validation, test):
        features, labels = matrix.read(folder, len(encoder.columns))
        if labels.min(initial=1) == labels.max(initial=0) or not 0 < labels.mean() < 1:
            raise JobError(f"{folder}: needs customers who left and who stayed to evaluate on")
        sides.append((labels, booster.inplace_predict(features)))
    result = judge(*sides[1], sides[0], costs)
    report = document(result)
    report["importance"] = importances(booster, encoder.columns)
    baseline = predictions.describe(*sides[1], result.threshold, groups(encoder, features))
    explained = explanation.explain(booster, encoder, features)
    written = {
        "evaluation/evaluation.json": report,
        "evaluation/predictions.json": baseline,
        "explainability/analysis.json": explained.document(),
    }
    for name, content in written.items():
        place = output / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    _draw(output / "plots", result, report, explained)
    return report


def _draw(folder: Path, result: Evaluation, report: dict[str, Any], explained: Explanation) -> None:
    from ml_src.churn import plots
    from ml_src.shared.plots import contributions

    folder.mkdir(parents=True, exist_ok=True)
    quality, calibration = report["binary_classification_metrics"], report["calibration"]
    plots.roc(folder / "roc.png", result.found, quality["auc"]["value"], result.chosen)
    average = quality["average_precision"]["value"]
    plots.precision_recall(folder / "precision_recall.png", result.found, average, result.chosen)
    plots.confusion(folder / "confusion.png", result.chosen, result.threshold)
    contributions(folder / "shap.png", explained)
    plots.calibration(
        folder / "calibration.png",
        calibration["reliability"],
        result.probabilities,
        calibration["mean_error"],
    )


def run(argv: Sequence[str]) -> None:
    """Evaluate as the command line says, and print a line on the result."""
    root = "/opt/ml/processing"
    parser = Arguments("Evaluate a churn model.", PROCESSING)
    parser.add_argument("--model", type=Path, default=Path(f"{root}/input/model"))
    parser.add_argument("--validation", type=Path, default=Path(f"{root}/input/validation"))
    parser.add_argument("--test", type=Path, default=Path(f"{root}/input/test"))
    parser.add_argument("--output", type=Path, default=Path(f"{root}/output"))
    parser.add_argument("--missed-churner-cost", type=float, default=5.0)
    parser.add_argument("--needless-offer-cost", type=float, default=1.0)
    given = parser.parse_args(argv)
    costs = Costs(given.missed_churner_cost, given.needless_offer_cost)
    if not (0 < costs.missed < float("inf") and 0 < costs.needless < float("inf")):
        raise JobError("--missed-churner-cost and --needless-offer-cost are numbers above 0")
    report = evaluate(given.model, given.validation, given.test, given.output, costs)
    quality = report["binary_classification_metrics"]
    shown = ("auc", "log_loss", "precision", "recall", "f1")
    figures = " ".join(f"{name}={quality[name]['value']:.6f}" for name in shown)
    print(f"evaluated rows={report['rows']} {figures} threshold={report['threshold']['value']:.6f}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run as a script: the reason of a failure goes where SageMaker reads it."""
    sys.exit(ending_with_reason(run, sys.argv[1:] if argv is None else argv, PROCESSING))


if __name__ == "__main__":
    main()
