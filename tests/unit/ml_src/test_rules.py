"""Rules: each fires on what it is for and on nothing else; the printed line; the adapters."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from ml_src.shared.failure import JobError
from ml_src.shared.rule_adapters import watch_torch, xgboost_callback
from ml_src.shared.rules import (
    RULES,
    ExplodingGradient,
    LossNotDecreasing,
    Overfit,
    Rule,
    RuleViolated,
    VanishingGradient,
    Watch,
)

FOLDER = Path(__file__).parents[3] / "ml_src/shared"
METRICS = json.loads((FOLDER / "rule_metric_definitions.json").read_text())


def found(rule: Rule, steps: Iterable[dict[str, float]]) -> tuple[int, str] | None:
    """The step at which a rule is first violated, and why."""
    for step, values in enumerate(steps):
        if reason := rule.observe(step, values):
            return step, reason
    return None


def losses(*values: float) -> list[dict[str, float]]:
    return [{"train:logloss": value} for value in values]


FALLING = [0.7 * 0.9**step + 0.2 for step in range(40)]


@pytest.mark.parametrize(
    ("course", "step"),
    [
        (FALLING, None),
        ([*FALLING, *[FALLING[-1]] * 60], None),  # converged
        ([0.7] * 30, 10),
        ([0.7 + 0.001 * step for step in range(30)], 10),
        ([0.7 - 1e-9 * step for step in range(30)], 10),
        ([0.7, 0.695] * 15, 11),
        ([*FALLING, *[0.9] * 20], 49),
        ([0.7, math.nan], 1),
        ([0.7, math.inf], 1),
    ],
)
def test_loss_not_decreasing(course: list[float], step: int | None) -> None:
    violation = found(LossNotDecreasing(), losses(*course))
    assert (violation and violation[0]) == step


def sides(train: float, validation: float) -> dict[str, float]:
    return {"train:logloss": train, "validation:logloss": validation}


@pytest.mark.parametrize(
    ("course", "step"),
    [
        ([sides(loss, loss * 1.2) for loss in FALLING], None),
        ([sides(0.2, 0.26)] * 4 + [sides(0.2, 0.21)] + [sides(0.2, 0.26)] * 4, None),
        ([sides(0.3, 0.31)] * 3 + [sides(0.2, 0.4)] * 9, 7),
        ([sides(0.0, 0.1)] * 5, 4),
        (losses(*FALLING), None),
    ],
)
def test_overfit(course: list[dict[str, float]], step: int | None) -> None:
    violation = found(Overfit(), course)
    assert (violation and violation[0]) == step


@pytest.mark.parametrize(
    ("rule", "course", "step"),
    [
        (VanishingGradient(), [1e-3] * 9, None),
        (VanishingGradient(), [1e-9, 1e-9, 1e-3] * 5, None),
        (VanishingGradient(), [1e-3, 1e-9, 0.0, -1e-9, 1e-9], 3),
        (ExplodingGradient(), [1e3] * 9, None),
        (ExplodingGradient(), [1.0, -2e4], 1),
        (ExplodingGradient(), [1.0, math.nan], 1),
    ],
)
def test_gradients(rule: Rule, course: list[float], step: int | None) -> None:
    violation = found(rule, [{"layer.0": 0.1, "layer.1": value} for value in course])
    assert (violation and violation[0]) == step
    assert violation is None or "layer.1" in violation[1]


@pytest.mark.parametrize("name", RULES)
def test_the_metric_definition_reads_the_printed_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Watch.configured(",".join(RULES))
    for step in range(30):
        watch.losses(step, sides(0.2, 0.6))
        watch.gradients(step, {"small": 0.0, "large": 1e9})
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == len(RULES) == len(METRICS)  # each rule once
    for metric, expression in METRICS.items():
        assert re.findall(expression, printed) == ["1"], metric
    assert f"rule:{name}" in METRICS


@pytest.mark.parametrize("name", RULES)
def test_a_rule_ends_the_job_only_where_asked_to(name: str) -> None:
    said: list[str] = []
    rules = [make("logloss") for make in RULES.values()]
    watch = Watch(rules, ending=frozenset({name}), emit=said.append)
    with pytest.raises(RuleViolated, match=f"rule {name} ended the job at step"):
        for step in range(30):
            watch.losses(step, sides(0.2, 0.6))
            watch.gradients(step, {"small": 0.0, "large": 1e9})
    assert said[-1].startswith(f"rule_violated name={name} value=1 step=")


@pytest.mark.parametrize("text", ["overfitting", "overfit:stop", "overfit:", "overfit end"])
def test_a_wrong_configuration(text: str) -> None:
    with pytest.raises(JobError, match="none of loss_not_decreasing, overfit"):
        Watch.configured(text)


def test_no_rules() -> None:
    watch = Watch.configured(" , ")
    watch.losses(0, {"train:logloss": math.nan})
    assert watch.violations == []


def test_the_xgboost_callback() -> None:
    import xgboost as xgb

    chance = np.random.default_rng(1)
    features, labels = chance.random((300, 4)), chance.integers(0, 2, 300)
    train, validation = (
        xgb.DMatrix(features[half], labels[half]) for half in (slice(0, 150), slice(150, None))
    )
    said: list[str] = []
    watch = Watch([Overfit(), LossNotDecreasing()], emit=said.append)
    parameters = {"objective": "binary:logistic", "eta": 0.5, "max_depth": 6, "nthread": 1}
    xgb.train(
        {**parameters, "eval_metric": "logloss"},
        train,
        30,
        evals=[(train, "train"), (validation, "validation")],
        callbacks=[xgboost_callback(watch)],
        verbose_eval=False,
    )
    assert [violation.rule for violation in watch.violations] == ["overfit"]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("depth", "gain", "expected"),
    [(2, 1.0, []), (24, 0.05, ["vanishing_gradient"]), (12, 40.0, ["exploding_gradient"])],
)
def test_torch(depth: int, gain: float, expected: list[str]) -> None:
    """A deep net of sigmoids really loses its gradient; large weights really blow it up."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    squash = torch.nn.Identity if gain > 1 else torch.nn.Sigmoid
    layers = [part for _ in range(depth) for part in (torch.nn.Linear(8, 8), squash())]
    module = torch.nn.Sequential(*layers, torch.nn.Linear(8, 1))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(gain)
    watch = Watch([VanishingGradient(), ExplodingGradient()], emit=lambda line: None)
    step = watch_torch(module, watch)
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-6)
    for _ in range(6):
        optimizer.zero_grad()
        loss = module(torch.randn(32, 8)).pow(2).mean()
        loss.backward()
        step(loss.item())
        optimizer.step()
    assert [violation.rule for violation in watch.violations] == expected
