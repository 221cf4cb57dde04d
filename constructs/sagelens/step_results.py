"""What one step of a training pipeline takes from another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .algorithms import Algorithm
from .job_requests import prepared
from .pipeline_definition import Value, json_get, step, url
from .recipe import Recipe
from .training_plan import Gate, Tuning

EVALUATION_FILE = "Evaluation"
BEST = "TrainingJobSummaries[0]"
JSON_TYPE = "application/json"


@dataclass(frozen=True, kw_only=True)
class StepResults:
    """References to what steps have made.

    Attributes:
        recipe: The model's scripts.
        algorithm: What trains.
        gate: What a model must reach.
        tuning: How hyperparameters are searched for, if they are.
    """

    recipe: Recipe
    algorithm: Algorithm
    gate: Gate
    tuning: Tuning | None

    @property
    def evaluates(self) -> bool:
        """Whether there is a step that evaluates."""
        return self.recipe.evaluates(self.algorithm)

    @property
    def metric(self) -> Value:
        """The value that the gate reads."""
        if self.evaluates:
            return json_get("Evaluate", EVALUATION_FILE, self.gate.metric)
        if self.tuning:
            return step("Tune", f"{BEST}.FinalHyperParameterTuningJobObjectiveMetric.Value")
        return step("Train", f"FinalMetricDataList['{self.gate.metric}'].Value")

    @property
    def model_url(self) -> Value:
        """The address of the model's archive."""
        if self.tuning is None:
            return step("Train", "ModelArtifacts.S3ModelArtifacts")
        # Where the tuning job itself says that models go: a result that is used again is another
        # execution's.
        place = step("Tune", "TrainingJobDefinition.OutputDataConfig.S3OutputPath")
        return url(place, step("Tune", f"{BEST}.TrainingJobName"), "output/model.tar.gz")

    def of_training(self, path: str) -> Value:
        """A property of the training job, of the best one if there are several."""
        return step("Train", path) if self.tuning is None else step("Tune", f"{BEST}.{path}")

    def evaluated(self, name: str) -> Value:
        """The address of something that the step Evaluate wrote."""
        return step("Evaluate", f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")

    @property
    def evaluation_url(self) -> Value:
        """The address of the file of metrics."""
        return url(self.evaluated(self.recipe.evaluated[0]), self.recipe.evaluation)

    def tuned(self, names: Iterable[str]) -> dict[str, Value]:
        """The values that tuning found, by hyperparameter."""
        return {name: self.of_training(f"TunedHyperParameters['{name}']") for name in names}

    def model_metrics(self) -> dict[str, Any]:
        """``ModelMetrics`` of a version: where its metrics and baselines lie."""
        recipe = self.recipe
        found: dict[str, Any] = {}
        if self.evaluates:
            found["ModelQuality"] = {"Statistics": _source(self.evaluation_url)}
        if recipe.baseline:
            found["ModelDataQuality"] = {
                name: _source(url(prepared(recipe.baseline), f"{name.lower()}.json"))
                for name in ("Statistics", "Constraints")
            }
        if self.evaluates and recipe.explainability:
            folder, _, file = recipe.explainability.partition("/")
            found["Explainability"] = {"Report": _source(url(self.evaluated(folder), file))}
        return found


def _source(place: Value) -> dict[str, Value]:
    return {"ContentType": JSON_TYPE, "S3Uri": place}
