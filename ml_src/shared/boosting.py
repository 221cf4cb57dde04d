"""Boost round by round, so that an interrupted training ends as an uninterrupted one.

XGBoost does not keep the state of its random numbers in a model, so a training that goes on from
one draws other rows (dmlc/xgboost issue 10324) and ends as another model. Therefore every training
goes on from its own model at each checkpoint, interrupted or not, and `seed_per_iteration` makes
the rows depend on the number of the round, which `xgboost.train` would count from 0 again. The
distance of checkpoints decides on the model as the seed does.

A model's further figure (an AUC of a million rows takes longer than a round) is computed for the
validation side only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_src.shared.checkpoints import Checkpoints, Progress
from ml_src.shared.openmp import wait_passively
from ml_src.shared.rules import Watch

wait_passively()

import xgboost as xgb  # noqa: E402  (its threads read the environment as it is imported)

FEW_ROWS = 50_000  # below this one thread is as quick as many
FORBIDDEN = str.maketrans("[]<", "()(")  # xgboost allows none of these in a feature's name


@dataclass(frozen=True)
class Plan:
    """What to train.

    parameters: XGBoost's own, such as max_depth; their eval_metric is the loss of both sides.
    judge: gives a further figure of the validation side by its labels and predictions.
    judged: that figure's name.
    rounds: boosting rounds in all.
    early_stopping: rounds without a better validation loss before training stops; 0: never.
    every: rounds between two checkpoints.
    """

    parameters: dict[str, Any]
    judge: Callable[[Any, Any], float]
    judged: str
    rounds: int
    early_stopping: int = 0
    every: int = 20
    identity: str = field(default="", compare=False)

    @property
    def loss(self) -> str:
        """Name the metric that decides which round is the best."""
        return f"validation:{self.parameters['eval_metric']}"


def names(columns: tuple[str, ...]) -> list[str]:
    """Give features names that xgboost takes: without brackets, each once."""
    given: list[str] = []
    for column in columns:
        name = column.translate(FORBIDDEN)
        while name in given:
            name += "'"
        given.append(name)
    return given


def data(features: Any, labels: Any, columns: tuple[str, ...], like: Any = None) -> Any:
    """Make a quantized matrix; `like` is the training matrix whose bins the validation shares."""
    return xgb.QuantileDMatrix(features, labels, feature_names=names(columns), ref=like)


def boost(
    plan: Plan,
    train: Any,
    validation: Any,
    *,
    watch: Watch,
    checkpoints: Checkpoints | None = None,
    emit: Callable[[str], None] = print,
) -> tuple[Any, Progress]:
    """Train, from the newest checkpoint where there is one.

    Args:
        plan: what to train.
        train, validation: matrices that `data` made.
        watch: rules to feed with each round's losses; also with those before the checkpoint.
        checkpoints: where to keep checkpoints; None keeps none.
        emit: takes each round's line, see `line`.

    Returns:
        The booster, cut after its best round when it stopped early, and its course.

    Raises:
        RuleViolated: a rule was asked to end the job and was violated.
    """
    booster, progress = _start(plan, train, validation, checkpoints, emit)
    for number, past in enumerate(progress.course):
        watch.losses(number, past)
    sides, labels = [(train, "train"), (validation, "validation")], validation.get_label()
    while progress.rounds < plan.rounds and not progress.stale(plan.early_stopping):
        number = progress.rounds
        if number and number % plan.every == 0:
            booster = _booster(plan, train, validation, bytes(booster.save_raw("json")))
        booster.update(train, number)
        values = _values(booster.eval_set(sides, number))
        values[f"validation:{plan.judged}"] = plan.judge(labels, booster.predict(validation))
        progress.course.append(values)
        emit(line(number, values))
        if checkpoints and progress.rounds % plan.every == 0:
            checkpoints.save(booster, progress, plan.identity)
        watch.losses(number, values)
    if plan.early_stopping:
        booster = booster[: progress.best + 1]
    return booster, progress


def line(number: int, values: Mapping[str, float]) -> str:
    """Write a round as XGBoost's own log lines look in SageMaker: a tab shows there as `#011`.

    SageMaker reads the metrics of its XGBoost image by expressions of its own, which want exactly
    this, and takes no others: `[12]#011train-logloss:0.401200#011validation-auc:0.861301`.
    """
    parts = (f"#011{name.replace(':', '-')}:{value:.6f}" for name, value in values.items())
    return f"[{number}]{''.join(parts)}"


def _start(
    plan: Plan,
    train: Any,
    validation: Any,
    checkpoints: Checkpoints | None,
    emit: Callable[[str], None],
) -> tuple[Any, Progress]:
    found = checkpoints.load(plan.identity, emit) if checkpoints else None
    if found is None:
        return xgb.Booster(plan.parameters, [train, validation]), Progress(plan.loss)
    content, course = found
    emit(f"resumed after {len(course)} rounds")
    return _booster(plan, train, validation, content), Progress(plan.loss, course)


def _booster(plan: Plan, train: Any, validation: Any, content: bytes) -> Any:
    """Go on from a model, given as XGBoost's JSON."""
    booster = xgb.Booster(plan.parameters, [train, validation])
    booster.load_model(bytearray(content))
    booster.set_param(plan.parameters)  # load_model put the model's own in their place
    return booster


def _values(text: str) -> dict[str, float]:
    """Read xgboost's own line on a round, such as `[3]\\ttrain-auc:0.84\\ttrain-logloss:0.4`."""
    found: dict[str, float] = {}
    for word in text.split()[1:]:
        name, _, value = word.rpartition(":")
        side, _, metric = name.partition("-")
        found[f"{side}:{metric}"] = float(value)
    return found
