"""What the settings of a model mean for the constructs that train it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from config import ModelSettings
from sagelens import Gate, Job, PipelineJobs, Recipe, TrainingJob, Tuning
from sagelens.algorithms import (
    Algorithm,
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Range,
)
from sagelens.algorithms.hyperparameter import Real

SOURCE = Path(__file__).parents[1] / "ml_src"
"""The package of the models' scripts."""


def recipe_of(name: str) -> Recipe:
    """The conventional recipe of a model: its scripts lie in ml_src/<name>."""
    return Recipe(model=name)


def jobs_of(model: ModelSettings) -> PipelineJobs:
    """What the jobs of a model run on."""
    train = model.train
    return PipelineJobs(
        prepare=Job(**model.prepare.model_dump()),
        train=TrainingJob(
            instance_type=train.instance_type,
            volume_gb=train.volume_gb,
            max_runtime_seconds=train.max_runtime_seconds,
            instance_count=train.instance_count,
            spot=train.spot,
            max_wait_seconds=train.max_wait_seconds,
        ),
        evaluate=Job(**model.evaluate.model_dump()),
    )


def gate_of(model: ModelSettings) -> Gate:
    """What a model must reach."""
    return Gate(**model.gate.model_dump())


def tuning_of(chosen: Algorithm, model: ModelSettings) -> Tuning | None:
    """How a model's hyperparameters are searched for, if they are."""
    tuning = model.tuning
    if tuning is None:
        return None
    early = {True: "Auto", False: "Off", None: None}[tuning.early_stopping]
    return Tuning(
        ranges=ranges_of(chosen, model),
        objective=tuning.objective,
        goal=tuning.goal,
        strategy=tuning.strategy,
        max_jobs=tuning.max_jobs,
        parallel_jobs=tuning.parallel_jobs,
        early_stopping=early,  # pyright: ignore[reportArgumentType]
        resources=(tuning.epochs[0], tuning.epochs[1]) if tuning.epochs else None,
    )


def ranges_of(chosen: Algorithm, model: ModelSettings) -> dict[str, Range | None]:
    """The ranges to search, by hyperparameter; None: the one that AWS recommends."""
    if model.tuning is None:
        return {}
    return {name: _range(chosen, name, one) for name, one in model.tuning.ranges.items()}


def _range(
    chosen: Algorithm, name: str, given: tuple[float, float] | tuple[str, ...] | None
) -> Range | None:
    match given:
        case None:
            return None
        case (int() as low, int() as high) if not _is_real(chosen, name):
            return IntegerRange(low, high)
        case (int() | float() as low, int() | float() as high):
            return ContinuousRange(low, high)
        case _:
            return CategoricalRange(tuple(map(str, given)))


def _is_real(chosen: Algorithm, name: str) -> bool:
    """Whether a hyperparameter is known to be a real number, so that [0, 1] is all between."""
    return any(isinstance(one.kind, Real) for one in chosen.specifications if one.name == name)


def printed_metrics(recipe: Recipe) -> tuple[str, ...]:
    """Names of the metrics that a model's own training script says it prints."""
    file = recipe.at(recipe.metrics)
    if file is None or not (path := SOURCE.parent / file).is_file():
        return ()
    found: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return tuple(found)
