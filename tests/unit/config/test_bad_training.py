"""Every kind of wrong field of training, its place, and the words that answer it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from cfnlint.helpers import REGIONS
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import config
from config.base import Broken
from config.instances import PROCESSING, TRAINING
from config.regions import BUDGETS, MODEL_REGISTRY

RefusedOnce = Callable[..., None]
Refused = Callable[[str | bytes], config.ConfigurationError]

LEAST = "algorithm: xgboost, data_prefix: a/, gate: {metric: m, at_least: 0}"


def model(more: str, least: str = LEAST) -> str:
    """Return YAML whose line 5 holds the settings of a model."""
    return f"name: x\ntraining:\n  models:\n    churn:\n      {{{least}, {more}}}\n"


def training(more: str) -> str:
    """Return YAML whose line 3 holds the settings of training besides a model."""
    return f"name: x\ntraining:\n  {more}\n  models: {{churn: {{{LEAST}}}}}\n"


AT = "training.models.churn."

# A row is one kind of error: YAML, the line and path of its only error, then words in it.
CASES = {
    "no models": ("name: x\ntraining:\n  models: {}", "3", "training.models:", "no model is given"),
    "models missing": ("name: x\ntraining: {}", "2", "training.models:", "is required"),
    "name of a model": (
        f"name: x\ntraining:\n  models: {{Churn_1: {{{LEAST}}}}}",
        "3",
        "training.models.Churn_1:",
        "at most 20 lower-case letters",
    ),
    "name of a model too long": (
        f"name: x\ntraining:\n  models: {{{'a' * 21}: {{{LEAST}}}}}",
        "3",
        "aaa:",
        "at most 20",
    ),
    "name of a model with a digit after a hyphen": (
        f"name: x\ntraining:\n  models: {{a-1: {{{LEAST}}}}}",
        "3",
        "training.models.a-1:",
        "each beginning with a letter",
    ),
    "algorithm": (
        model("", "algorithm: xgbost, data_prefix: a/, gate: {metric: m, at_least: 0}"),
        "5",
        AT + "algorithm:",
        "did you mean xgboost?",
        "linear-learner",
    ),
    "algorithm with underscore": (
        model("", "algorithm: xgboost_script, data_prefix: a/, gate: {metric: m, at_least: 0}"),
        "5",
        AT + "algorithm:",
        "did you mean xgboost-script?",
    ),
    "prefix": (
        model("", "algorithm: xgboost, data_prefix: /a, gate: {metric: m, at_least: 0}"),
        "5",
        AT + "data_prefix:",
        "begins with a slash",
    ),
    "gate without bound": (
        model("", "algorithm: xgboost, data_prefix: a/, gate: {metric: m}"),
        "5",
        AT + "gate:",
        "has no bound",
        "at_least or at_most",
    ),
    "gate with two bounds": (
        model(
            "", "algorithm: xgboost, data_prefix: a/, gate: {metric: m, at_least: 0, at_most: 1}"
        ),
        "5",
        AT + "gate:",
        "has two bounds",
    ),
    "gate missing": (
        model("", "algorithm: xgboost, data_prefix: a/"), "4", AT + "gate:", "is required"
    ),
    "hyperparameter is a list": (
        model("hyperparameters: {eta: [1]}"),
        "5",
        AT + "hyperparameters.eta:",
        "is no single value",
        "a number, text",
    ),
    "hyperparameter is null": (
        model("hyperparameters: {eta: null}"), "5", AT + "hyperparameters.eta:", "single value"
    ),
    "hyperparameter is no number": (
        model("hyperparameters: {eta: .nan}"), "5", AT + "hyperparameters.eta:", "not a finite"
    ),
    "hyperparameter too long": (
        model(f"hyperparameters: {{eta: {'x' * 1025}}}"),
        "5",
        AT + "hyperparameters.eta:",
        "at most 1,024",
    ),
    "hyperparameter of the container": (
        model("hyperparameters: {sagemaker_program: x}"),
        "5",
        AT + "hyperparameters.sagemaker_program:",
        "belongs to the container",
    ),
    "hyperparameter of the pipeline": (
        model("hyperparameters: {DataUrl: x}"),
        "5",
        AT + "hyperparameters.DataUrl:",
        "every pipeline has",
    ),
    "too many hyperparameters": (
        model(f"hyperparameters: {{{', '.join(f'h{n}: 1' for n in range(101))}}}"),
        "5",
        AT + "hyperparameters:",
        "at most 100 entries",
    ),
    "instance type": (
        model("train: {instance_type: ml.m5.xlrage}"),
        "5",
        AT + "train.instance_type:",
        "did you mean ml.m5.xlarge?",
    ),
    "instance type without ml": (
        model("train: {instance_type: m5.xlarge}"),
        "5",
        AT + "train.instance_type:",
        "did you mean ml.m5.xlarge?",
    ),
    "instance type for training only": (
        model("prepare: {instance_type: ml.p4d.24xlarge}"),
        "5",
        AT + "prepare.instance_type:",
        "processing jobs",
    ),
    "volume": (model("train: {volume_gb: 0}"), "5", AT + "train.volume_gb:", "1 to 16,384"),
    "run time of training": (
        model("train: {max_runtime_seconds: 2419201}"),
        "5",
        AT + "train.max_runtime_seconds:",
        "1 to 2,419,200",
    ),
    "run time of processing": (
        model("prepare: {max_runtime_seconds: 777601}"),
        "5",
        AT + "prepare.max_runtime_seconds:",
        "1 to 777,600",
    ),
    "wait shorter than run": (
        model("train: {max_wait_seconds: 3599}"),
        "5",
        AT + "train.max_wait_seconds:",
        "less than max_runtime_seconds (3600)",
        "from 3600",
    ),
    "wait without spot": (
        model("train: {spot: false, max_wait_seconds: 7200}"),
        "5",
        AT + "train.max_wait_seconds:",
        "never waits",
    ),
    "range backwards": (
        model("tuning: {ranges: {eta: [1, 0.1]}}"),
        "5",
        AT + "tuning.ranges.eta:",
        "begins at 1 and ends at 0.1",
    ),
    "range of one": (
        model("tuning: {ranges: {eta: [1]}}"), "5", AT + "tuning.ranges.eta:", "is no range"
    ),
    "range with a value twice": (
        model("tuning: {ranges: {booster: [a, a]}}"),
        "5",
        AT + "tuning.ranges.booster:",
        "has a value twice",
    ),
    "range of too many": (
        model(f"tuning: {{ranges: {{a: [{', '.join(f'v{n}' for n in range(31))}]}}}}"),
        "5",
        AT + "tuning.ranges.a:",
        "has 31 values",
    ),
    "no ranges": (model("tuning: {ranges: {}}"), "5", AT + "tuning.ranges:", "too few"),
    "more at a time than in all": (
        model("tuning: {ranges: {eta: null}, max_jobs: 2, parallel_jobs: 3}"),
        "5",
        AT + "tuning.parallel_jobs:",
        "more than max_jobs (2)",
    ),
    "too many jobs": (
        model("tuning: {ranges: {eta: null}, max_jobs: 751}"),
        "5",
        AT + "tuning.max_jobs:",
        "1 to 750",
    ),
    "strategy": (
        model("tuning: {ranges: {eta: null}, strategy: bayes}"),
        "5",
        AT + "tuning.strategy:",
        '"Bayesian"',
    ),
    "hyperband without epochs": (
        model("tuning: {ranges: {eta: null}, strategy: Hyperband}"),
        "5",
        AT + "tuning.epochs:",
        "Hyperband needs to know them",
    ),
    "epochs without hyperband": (
        model("tuning: {ranges: {eta: null}, epochs: [1, 9]}"),
        "5",
        AT + "tuning.epochs:",
        "only Hyperband uses them",
    ),
    "epochs backwards": (
        model("tuning: {ranges: {eta: null}, strategy: Hyperband, epochs: [9, 9]}"),
        "5",
        AT + "tuning.epochs:",
        "begins where it ends",
    ),
    "early stopping with hyperband": (
        model(
            "tuning: {ranges: {eta: null}, strategy: Hyperband, epochs: [1, 9], "
            "early_stopping: true}"
        ),
        "5",
        AT + "tuning.early_stopping:",
        "a rule of its own",
    ),
    "rule": (
        model("training_rules: {overfitt: warn}"),
        "5",
        AT + "training_rules.overfitt:",
        "did you mean overfit?",
    ),
    "what follows from a rule": (
        model("training_rules: {overfit: stop}"),
        "5",
        AT + "training_rules.overfit:",
        '"warn", "end"',
    ),
    "schedule": (
        model("start: {schedule: weekly}"), "5", AT + "start.schedule:", "neither a rate nor a cron"
    ),
    "schedule of five fields": (
        model("start: {schedule: 'cron(0 3 * * MON)'}"),
        "5",
        AT + "start.schedule:",
        "has 5 fields, not 6",
    ),
    "schedule of two days": (
        model("start: {schedule: 'cron(0 3 * * MON *)'}"),
        "5",
        AT + "start.schedule:",
        "needs ? for the day",
    ),
    "schedule at 25 o'clock": (
        model("start: {schedule: 'cron(0 25 ? * MON *)'}"),
        "5",
        AT + "start.schedule:",
        "has 25 where 0 to 23 can be",
    ),
    "interval": (
        model("start: {on_new_data_minutes: 0}"),
        "5",
        AT + "start.on_new_data_minutes:",
        "1 to 43,200",
    ),
    "period": (
        model("start: {on_drift_days: 366}"), "5", AT + "start.on_drift_days:", "1 to 365"
    ),
    "announcement": (
        model("announce: [Succeded]"), "5", AT + "announce[0]:", '"Succeeded"'
    ),
    "announcement twice": (
        model("announce: [Failed, Failed]"), "5", AT + "announce[1]:", "already in the list"
    ),
    "cache": (model("cache_days: 0"), "5", AT + "cache_days:", "1 to 365"),
    "autopilot without column": (
        model("autopilot: {}"), "5", AT + "autopilot.target:", "is required"
    ),
    "autopilot that ends too soon": (
        model("autopilot: {target: y, candidate_seconds: 9, total_seconds: 8}"),
        "5",
        AT + "autopilot.total_seconds:",
        "less than candidate_seconds (9)",
    ),
    "risk": (model("card: {risk: none}"), "5", AT + "card.risk:", '"Low"'),
    "account to share with": (
        training("share_models_with: [123456789012]"),
        "3",
        "training.share_models_with[0]:",
        'put it in quotes: "123456789012"',
    ),
    "account to share with twice": (
        training('share_models_with: ["123456789012", "123456789012"]'),
        "3",
        "training.share_models_with[1]:",
        "already in the list",
    ),
    "region without model packages": (
        f"name: x\nregion: cn-north-1\nvision: null\ntraining: {{models: {{a: {{{LEAST}}}}}}}",
        "2",
        "region:",
        "no model package groups",
        "or training: null",
    ),
    "key of another section": (
        "name: x\nshare_models_with: []", "2", "share_models_with:", "did you mean training.share"
    ),
    "account feature": (
        "name: x\naccount_features: {debuger: true}",
        "2",
        "account_features.debuger:",
        "did you mean debugger?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_refused(case: tuple[str, ...], refused_once: RefusedOnce) -> None:
    text, line, path, *parts = case
    refused_once(text, line, path, *parts)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 day)",
        "rate(12 hours)",
        "cron(0 3 ? * MON *)",
        "cron(0/15 3-5 1,15 * ? 2027)",
        "cron(0 3 ? * 6#3 *)",
        "cron(0 3 L * ? *)",
    ],
)
def test_a_schedule_may_be(expression: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(model(f'start: {{schedule: "{expression}"}}'))
    loaded = config.load(path).training
    assert loaded is not None
    assert loaded.models["churn"].start.schedule == expression


def test_values_stay_as_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        model(
            'hyperparameters: {a: 5, b: 0.2, c: "1", d: true, e: text}, '
            "tuning: {ranges: {f: [0, 1], g: [0.5, 2], h: [x, y], i: null}}"
        )
    )
    loaded = config.load(path).training
    assert loaded is not None
    churn = loaded.models["churn"]
    assert churn.hyperparameters == {"a": 5, "b": 0.2, "c": "1", "d": True, "e": "text"}
    assert [type(one) for one in churn.hyperparameters.values()] == [int, float, str, bool, str]
    assert churn.tuning is not None
    assert churn.tuning.ranges == {"f": (0, 1), "g": (0.5, 2), "h": ("x", "y"), "i": None}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("spot: true", 7200),
        ("spot: true, max_wait_seconds: 3600", 3600),
        ("spot: false", None),
        ("max_runtime_seconds: 2000000", 2_419_200),
    ],
)
def test_how_long_a_spot_job_may_take(given: str, seconds: int | None, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(model(f"train: {{{given}}}"))
    loaded = config.load(path).training
    assert loaded is not None
    assert loaded.models["churn"].train.spot_seconds == seconds


def test_there_is_no_training_by_default_and_no_closed_service(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: x\n")
    loaded = config.load(path)
    assert loaded.training is None
    assert not any(loaded.account_features.model_dump().values())


# Checks from outside


def asked_by(settings: config.EnvironmentSettings) -> list[Broken]:
    """A check that refuses the algorithm of every model."""
    models = settings.training.models if settings.training else {}
    return [
        Broken(
            ("training", "models", name, "algorithm"),
            model.algorithm,
            "is not to our taste",
            "another",
            (("training", "models", name, "algorithm"),),
        )
        for name, model in models.items()
    ]


def test_what_a_check_finds_is_listed_with_the_other_errors(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"nmae: x\nname: x\ntraining:\n  models:\n    churn: {{{LEAST}}}\n")
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(path, check=asked_by)
    found = [(one.line, one.problem) for one in caught.value.problems]
    assert found == [(1, "unknown key"), (5, "is not to our taste")]


def test_a_check_does_not_repeat_an_error(tmp_path: Path) -> None:
    """The check would find a second thing wrong with a field that is wrong already."""

    def check(settings: config.EnvironmentSettings) -> list[Broken]:
        left = settings.training is not None and "churn" in settings.training.models
        at = ("training", "models", "churn", "train", "volume_gb")
        return [Broken(at, None, "is wrong too", "another", (at,))] if left else []

    path = tmp_path / "own.yaml"
    path.write_text(model("train: {volume_gb: 0}"))
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(path, check=check)
    (only,) = caught.value.problems
    assert only.problem == "is too small"


def test_a_check_that_finds_nothing_lets_pass(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: x\n")
    assert config.load(path, check=asked_by).name == "x"


# Lists that others keep


def test_instance_types_are_those_that_the_pinned_botocore_knows() -> None:
    service: Any = botocore.session.get_session().get_service_model("sagemaker")
    assert set(TRAINING) == set(service.shape_for("TrainingInstanceType").enum)
    assert set(PROCESSING) == set(service.shape_for("ProcessingInstanceType").enum)


def test_regions_with_budgets_are_those_of_cloudformation() -> None:
    have = {
        region
        for region in REGIONS
        if "AWS::Budgets::Budget" in set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region))
    }
    assert have == BUDGETS


def test_regions_are_those_whose_cloudformation_has_a_model_registry() -> None:
    needed = {
        "AWS::SageMaker::ModelCard",
        "AWS::SageMaker::ModelPackageGroup",
        "AWS::SageMaker::Pipeline",
    }
    have = {
        region
        for region in REGIONS
        if needed <= set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region))
    }
    assert have == MODEL_REGISTRY
