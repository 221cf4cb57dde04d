"""Evaluate a model on days that it has never seen, beside the seasonal-naive base line.

    python3 <code>/ml_src/replenishment/evaluate.py --model <folder> --validation <folder> \
        --test <folder>

Every figure is of the test side; the validation side tells the base line how far it is off. Writes
below `--output`:

    evaluation/evaluation.json   SageMaker's form of model quality, and more; see `document`
    evaluation/predictions.json  the medians' distribution, what drift is later measured by
    explainability/analysis.json what decided on the medians; see shared/explanation.py
    plots/coverage.png, pinball.png, forecast.png, service.png, shap.png

A gate reads `regression_metrics.pinball_improvement.value` by JsonGet: how much lower the model's
pinball loss is than the base line's, as a share. Above 0 the base line is beaten.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.replenishment import artifact, scores
from ml_src.replenishment.features import COLUMNS, EXPECTED, NAIVE, units
from ml_src.replenishment.schema import MEDIAN, QUANTILES, SERVICE_LEVEL
from ml_src.replenishment.scores import Service
from ml_src.shared import matrix
from ml_src.shared.columns import Features, Floats
from ml_src.shared.drift import predictions
from ml_src.shared.explanation import Explanation, contributions, importances, spread
from ml_src.shared.failure import PROCESSING, Arguments, JobError, ending_with_reason

UNIT = "demand as a share of what is expected"
BASE_LINE = "seasonal naive: the mean of the last four same weekdays, spread as its own errors"
SERVED = QUANTILES.index(SERVICE_LEVEL)


@dataclass(frozen=True)
class Evaluation:
    """Decisions of the test side, in units: what was wanted, and what was foretold of it.

    quantiles, naive: of the model and of the base line, a column for each of `QUANTILES`.
    point: the base line's own forecast.
    """

    demand: Floats
    quantiles: Floats
    naive: Floats
    point: Floats

    @property
    def improvement(self) -> float:
        """Say how much lower the model's pinball loss is than the base line's, as a share."""
        before = scores.mean_pinball(self.demand, self.naive)
        return 1 - scores.mean_pinball(self.demand, self.quantiles) / before

    def services(self) -> dict[str, Service]:
        """Simulate the service level: of the model, of the base line, and of it at equal stock."""
        stock = self.quantiles[:, SERVED]
        return {
            "model": Service.of(self.demand, stock),
            "base_line": Service.of(self.demand, self.naive[:, SERVED]),
            "base_line_at_equal_stock": scores.same_stock(self.demand, self.point, stock),
        }


def judge(booster: Any, test: tuple[Features, Floats], validation: Any) -> Evaluation:
    """Foretell the test side, by the model and by the base line; sides are features, labels."""
    features, demand = test[0], _demand(*test)
    point, before = _naive(features), _naive(validation[0])
    spread_by = scores.spread(_demand(*validation), before)
    quantiles = units(booster.inplace_predict(features), features)
    return Evaluation(demand, quantiles, point[:, None] * spread_by, point)


def _demand(features: Features, labels: Floats) -> Floats:
    return labels.astype(np.float64) * features[:, EXPECTED]


def _naive(features: Features) -> Floats:
    return features[:, NAIVE].astype(np.float64) * features[:, EXPECTED]


def document(result: Evaluation) -> dict[str, Any]:
    """Give evaluation.json.

    `regression_metrics` has the form that SageMaker's model registry shows ("Model Quality
    Metrics": each metric a `value` with its `standard_deviation`); they are of the median, in
    units, and `pinball` of all quantiles. Besides: `model` and `base_line` with WAPE, pinball loss
    and coverage, and `service`, what stocking up to the service level's quantile would have served.
    """
    model, naive = (
        scores.figures(result.demand, found) for found in (result.quantiles, result.naive)
    )
    values = {
        **scores.regression(result.demand, result.quantiles),
        "pinball_improvement": result.improvement,
        "wape_improvement": 1 - model["wape"] / naive["wape"],
        "fill_rate": result.services()["model"].fill,
    }
    # One evaluation has no spread; SageMaker writes the text "NaN" then.
    metrics = {
        name: {"value": value, "standard_deviation": "NaN"} for name, value in values.items()
    }
    return {
        "version": 1,
        "rows": len(result.demand),
        "regression_metrics": metrics,
        "model": model,
        "base_line": {"name": BASE_LINE, **naive},
        "service": {
            "level": SERVICE_LEVEL,
            **{name: asdict(found) for name, found in result.services().items()},
        },
    }


def explain(booster: Any, features: Features) -> Explanation:
    """Explain the median of at most 1,000 of the decisions, evenly spread over all of them."""
    rows = spread(features)
    found = contributions(booster, rows)[:, MEDIAN]
    expected = float(found[:, -1].mean())
    return Explanation(COLUMNS, COLUMNS, UNIT, rows, found[:, :-1], expected, len(features))


def evaluate(model: Path, validation: Path, test: Path, output: Path) -> dict[str, Any]:
    """Evaluate a model's folder on encoded channels and write JSON and plots.

    Returns:
        What evaluation.json holds.

    Raises:
        JobError: model or channel cannot be used, or nothing was wanted in one.
    """
    booster, encoder = artifact.load(model)
    sides: list[tuple[Features, Floats]] = []
    for folder in (validation, test):
        features, labels = matrix.read(folder, len(encoder.columns))
        if not labels.sum() > 0:
            raise JobError(f"{folder}: nothing was wanted in any of its {len(labels)} decisions")
        sides.append((features, labels))
    result = judge(booster, sides[1], sides[0])
    report = document(result)
    report["importance"] = importances(booster, encoder.columns)
    explained = explain(booster, sides[1][0])
    written = {
        "evaluation/evaluation.json": report,
        "evaluation/predictions.json": predictions.quantities(result.quantiles[:, MEDIAN]),
        "explainability/analysis.json": explained.document(),
    }
    for name, content in written.items():
        place = output / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    _draw(output / "plots", result, report, explained)
    return report


def _draw(folder: Path, result: Evaluation, report: dict[str, Any], explained: Explanation) -> None:
    from ml_src.replenishment import plots
    from ml_src.shared.plots import contributions as dots

    folder.mkdir(parents=True, exist_ok=True)
    plots.coverage(folder / "coverage.png", report["model"], report["base_line"])
    plots.pinball(folder / "pinball.png", result.demand, result.quantiles, result.naive)
    plots.forecast(folder / "forecast.png", result.demand, result.quantiles)
    plots.service(folder / "service.png", result.demand, result.quantiles, result.point)
    dots(folder / "shap.png", explained)


def run(argv: Sequence[str]) -> None:
    """Evaluate as the command line says, and print a line on the result."""
    root = "/opt/ml/processing"
    parser = Arguments("Evaluate a replenishment model.", PROCESSING)
    parser.add_argument("--model", type=Path, default=Path(f"{root}/input/model"))
    parser.add_argument("--validation", type=Path, default=Path(f"{root}/input/validation"))
    parser.add_argument("--test", type=Path, default=Path(f"{root}/input/test"))
    parser.add_argument("--output", type=Path, default=Path(f"{root}/output"))
    given = parser.parse_args(argv)
    report = evaluate(given.model, given.validation, given.test, given.output)
    quality = report["regression_metrics"]
    shown = ("wape", "pinball", "pinball_improvement", "fill_rate")
    figures = " ".join(f"{name}={quality[name]['value']:.6f}" for name in shown)
    print(f"evaluated rows={report['rows']} {figures}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run as a script: the reason of a failure goes where SageMaker reads it."""
    sys.exit(ending_with_reason(run, sys.argv[1:] if argv is None else argv, PROCESSING))


if __name__ == "__main__":
    main()
