"""What the catalogue and the scripts refuse comes back as errors of the file, at its lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import config
from config.training import ALGORITHMS, RULES
from config.tuning import PIPELINE_PARAMETERS
from sagelens.algorithms import names
from sagelens.training_checks import RESERVED_PARAMETERS
from stacks.training_checks import training_problems

ROOT = Path(__file__).parents[2]


def model(more: str, algorithm: str = "xgboost-script") -> str:
    """Return YAML whose model begins in line 5, with ``more`` from line 8 on."""
    metric = "validation:auc" if algorithm == "xgboost" else "a.b"
    return (
        "name: x\nregion: eu-west-1\ntraining:\n  models:\n    churn:\n"
        f"      algorithm: {algorithm}\n"
        f"      data_prefix: churn/\n      gate: {{metric: {metric}, at_least: 0.5}}\n{more}"
    )


def refused(folder: Path, text: str) -> list[tuple[int | None, str, str]]:
    """Line, path and words of each error."""
    path = folder / "own.yaml"
    path.write_text(text)
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(path, check=training_problems)
    return [
        (one.line, ".".join(map(str, one.path)), f"{one.problem}; {one.allowed}")
        for one in caught.value.problems
    ]


def test_the_configurations_list_of_algorithms_is_the_catalogue() -> None:
    assert set(ALGORITHMS) == set(names())


def test_the_configurations_names_of_parameters_are_the_pipelines() -> None:
    assert set(PIPELINE_PARAMETERS) == set(RESERVED_PARAMETERS)


def test_the_configurations_rules_are_those_of_the_scripts_library() -> None:
    text = (ROOT / "ml_src" / "shared" / "rule_metric_definitions.json").read_text()
    assert all(rule in text for rule in RULES)


@pytest.mark.parametrize("environment", config.environments())
def test_the_environments_are_right(environment: str) -> None:
    assert config.load(environment, check=training_problems).training is not None


AT = "training.models.churn"

CASES = {
    "hyperparameter out of range": (
        model("      hyperparameters:\n        num_round: 10\n        eta: 2\n"),
        (11, f"{AT}.hyperparameters.eta", "got 2; a number from 0 to 1"),
    ),
    "hyperparameter unknown to a built-in": (
        model("      hyperparameters:\n        num_round: 10\n        etta: 1\n", "xgboost"),
        (11, f"{AT}.hyperparameters.etta", "is unknown; did you mean eta?"),
    ),
    "hyperparameter missing": (
        model("      hyperparameters:\n        eta: 0.1\n", "xgboost"),
        (9, f"{AT}.hyperparameters.num_round", "is missing"),
    ),
    "tuned and given": (
        model(
            "      hyperparameters:\n        eta: 0.1\n"
            "      tuning: {ranges: {eta: null}, objective: validation:auc}\n"
        ),
        (10, f"{AT}.hyperparameters.eta", "a tuning job sets it"),
    ),
    "range out of bounds": (
        model("      tuning:\n        ranges:\n          eta: [0.1, 3]\n"),
        (11, f"{AT}.tuning.ranges.eta", "got 3 as an end of the range"),
    ),
    "no recommended range": (
        model("      tuning:\n        ranges:\n          mine: null\n"),
        (11, f"{AT}.tuning.ranges.mine", "has no recommended range"),
    ),
    "objective": (
        model("      tuning:\n        ranges: {eta: null}\n        objective: validation:acu\n"),
        (11, f"{AT}.tuning.objective", "did you mean validation:auc?"),
    ),
    "gate of a built-in algorithm": (
        model("      hyperparameters: {num_round: 1}\n", "xgboost").replace("n:auc", "n:acu"),
        (8, f"{AT}.gate.metric", "is no metric of the training job of xgboost"),
    ),
    "gate of a tuned built-in algorithm": (
        model(
            "      hyperparameters: {num_round: 1}\n"
            "      tuning: {ranges: {eta: null}, objective: validation:logloss}\n",
            "xgboost",
        ),
        (8, f"{AT}.gate.metric", "is not the objective of the tuning job; validation:logloss"),
    ),
    "gate of a script": (
        model("").replace("metric: a.b", "metric: validation:auc"),
        (8, f"{AT}.gate.metric", "is no path in evaluation.json"),
    ),
    "rules twice": (
        model(
            "      hyperparameters:\n        rules: overfit\n"
            "      training_rules: {overfit: warn}\n"
        ),
        (10, f"{AT}.hyperparameters.rules", "one of the two"),
    ),
    "objective that only the script prints, where SageMaker reads the log itself": (
        model(
            "      tuning:\n        ranges: {eta: null}\n        objective: mine\n"
            "        goal: Maximize\n"
        ),
        (11, f"{AT}.tuning.objective", "is no objective"),
    ),
    "instances": (
        model(
            "      train:\n        instance_count: 2\n        instance_type: ml.m5.large\n",
            "scikit-learn",
        ),
        (10, f"{AT}.train.instance_count", "got 2; 1"),
    ),
    "processor": (
        model("      train:\n        instance_type: ml.trn1.2xlarge\n"),
        (10, f"{AT}.train.instance_type", "not built for AWS Neuron"),
    ),
    "rule without script": (
        model(
            "      hyperparameters: {num_round: 1}\n      training_rules:\n        overfit: warn\n",
            "xgboost",
        ),
        (11, f"{AT}.training_rules.overfit", "is evaluated by a script, and xgboost runs none"),
    ),
    "rule without gradients": (
        model("      training_rules:\n        exploding_gradient: end\n"),
        (10, f"{AT}.training_rules.exploding_gradient", "xgboost-script has none"),
    ),
    "scripts": (
        model("").replace("    churn:\n", "    demand:\n"),
        (5, "training.models.demand", "ml_src/demand/prepare.py, ml_src/demand/train.py"),
    ),
    "debugger": (
        model("account_features:\n  debugger: true\n"),
        (10, "account_features.debugger", "does not support SageMaker Debugger"),
    ),
    "region": (
        model("").replace("eu-west-1", "ap-southeast-6"),
        (2, "region", "has no"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_refused_at_its_line(case: tuple[str, tuple[int, str, str]], tmp_path: Path) -> None:
    text, (line, path, words) = case
    found = refused(tmp_path, text)
    assert (line, path) in [one[:2] for one in found]
    assert any(words in one[2] for one in found), found
    if path != "region":
        assert len(found) == 1, found


@pytest.mark.parametrize("algorithm", ["kmeans", "pca", "ntm"])
def test_spot_is_limited_for_a_built_in_without_checkpoints(algorithm: str, tmp_path: Path) -> None:
    text = model("      train:\n        max_wait_seconds: 7200\n", algorithm)
    found = {path: words for _, path, words in refused(tmp_path, text)}
    assert "at most 3600; or spot: false" in found[f"{AT}.train.max_wait_seconds"]
    text = model("      train:\n        max_runtime_seconds: 7200\n", algorithm)
    found = {path: words for _, path, words in refused(tmp_path, text)}
    assert "at most 3600" in found[f"{AT}.train.max_runtime_seconds"]


def test_everything_is_said_at_once_with_the_files_own_errors(tmp_path: Path) -> None:
    text = model(
        "      hyperparameters: {eta: 2, max_depth: -1}\n"
        "      train: {instance_type: ml.m5.xlrage}\n"
        "      training_rules: {exploding_gradient: end}\n"
    ).replace("name: x", "name: X")
    assert [(line, path) for line, path, _ in refused(tmp_path, text)] == [
        (1, "name"),
        (9, f"{AT}.hyperparameters.eta"),
        (9, f"{AT}.hyperparameters.max_depth"),
        (10, f"{AT}.train.instance_type"),
        (11, f"{AT}.training_rules.exploding_gradient"),
    ]


def test_synthesis_says_it_without_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(model("      hyperparameters: {eta: 2}\n"))
    finished = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "CDK_CONTEXT_JSON": f'{{"environment": "{path}"}}',
            "CDK_OUTDIR": str(tmp_path / "out"),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'constructs'}",
        },
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1
    assert "own.yaml:9:25: training.models.churn.hyperparameters.eta: got 2" in finished.stderr
    assert "Traceback" not in finished.stderr
