"""Wrong arguments are told at synth, all of them at once, with what would be right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app as sagelens_app
from sagelens import (
    DataLocation,
    Gate,
    Job,
    JobSurroundings,
    Network,
    PipelineJobs,
    PrivateNetwork,
    Recipe,
    Retries,
    SourceArchive,
    TrainingJob,
    Tuning,
)
from sagelens.algorithms import CategoricalRange, ContinuousRange, algorithm, own_image
from sagelens.pipeline_definition import DefinitionError
from tests.constructs.conftest import resources
from tests.constructs.training.conftest import ROOT, Parts, parts_in
from tests.constructs.training.variants import OWN


def refusal(parts: Parts, **changes: Any) -> list[str]:
    """The lines of the error, without its first."""
    with pytest.raises(ValueError) as refused:
        parts.pipeline(**changes)
    first, *lines = str(refused.value).splitlines()
    assert first == "TrainingPipeline Stranger/Training cannot be made:"
    return lines


def test_everything_is_told_at_once(parts: Parts) -> None:
    lines = refusal(
        parts,
        name="Churn",
        recipe=Recipe(model="churn", prepare="ml_src/churn/prepair.py"),
        hyperparameters={"eta": 2, "max_depth": "deep", "Least": 3},
        data=DataLocation(bucket=parts.data, prefix="/churn"),
        gate=Gate(metric="a b"),
        jobs=PipelineJobs(
            prepare=Job(instance_type="m5.large", volume_gb=0),
            train=TrainingJob(instance_type="ml.t2.large", max_wait_seconds=60),
            evaluate=Job(max_runtime_seconds=1_000_000),
        ),
        rules={"underfit": "warn"},
        cache_days=0,
        retries=Retries(attempts=21, interval_seconds=0, backoff=0.5, capacity_minutes=20_000),
        announce=("Done",),
        approval_status="Yes",
        environment_name="",
    )
    for expected in (
        "name: got 'Churn', allowed are lower-case letters, digits, and hyphens between them",
        "environment_name: got '', allowed are 1 to 256 letters",
        "data.prefix: got '/churn', allowed is a folder such as 'churn/customers/'",
        "recipe.prepare: got 'ml_src/churn/prepair.py', allowed is a file of the archive of ml_src",
        "rules.underfit: got 'warn', allowed are loss_not_decreasing, overfit",
        "hyperparameters: eta: got 2; allowed: a number from 0 to 1 (xgboost-script)",
        "hyperparameters: max_depth: got 'deep'",
        "gate: got at_least None and at_most None, allowed is one of the two, a finite number",
        "gate.metric: got 'a b', allowed is a path in evaluation.json",
        "jobs.prepare.instance_type: got 'm5.large', allowed is one such as 'ml.m5.large'",
        "jobs.prepare.volume_gb: got 0 GB, allowed are 1 to 16384 GB",
        "jobs.evaluate.max_runtime_seconds: got 1e+06 s, allowed are 1 to 777600 s",
        "jobs.train.max_wait_seconds: got 60 s, allowed are max_runtime_seconds (3,600 s) and more",
        "jobs.train: instance_type: got ml.t2.large: this family is for notebooks and hosting only",
        "retries.attempts: got 21, allowed are 0 to 20",
        "retries.interval_seconds: got 0 s, allowed are 1 to 43200 s",
        "retries.backoff: got 0.5, allowed is 1 or more",
        "retries.capacity_minutes: got 20000 min, allowed are 0 to 14400 min",
        "cache_days: got 0 days, allowed are 1 to 3650 days",
        "announce: got ['Done'], allowed are Executing, Stopping, Stopped, Failed, Succeeded",
        "approval_status: got 'Yes', allowed are PendingManualApproval, Approved, Rejected",
    ):
        assert [line for line in lines if line.startswith(expected)], (expected, lines)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hyperparameters": {"Least": 3}}, "hyperparameters: 'Least' is to be a parameter"),
        ({"hyperparameters": {"a.b": 3}}, "hyperparameters: 'a.b' is to be a parameter"),
        (
            {"gate": Gate(metric="a", at_least=1, at_most=2)},
            "gate: got at_least 1 and at_most 2, allowed is one of the two",
        ),
        ({"gate": Gate(metric="a", at_least=float("nan"))}, "gate: got at_least nan"),
        (
            {"recipe": Recipe(model="churn", channels=["train", "attic"])},
            "recipe.channels: got ['train', 'attic'], allowed are those of recipe.prepared",
        ),
        (
            {"recipe": Recipe(model="churn", evaluation_channels=["attic"])},
            "recipe.evaluation_channels: got ['attic'], allowed are those of recipe.prepared",
        ),
        (
            {"recipe": Recipe(model="churn", baseline="base")},
            "recipe.baseline: got ['base'], allowed are those of recipe.prepared",
        ),
        (
            {"recipe": Recipe(model="churn", plots="pictures")},
            "recipe.plots: got ['pictures'], allowed are those of recipe.evaluated",
        ),
        (
            {"recipe": Recipe(model="churn", explainability="why/a.json")},
            "recipe.explainability: got ['why'], allowed are those of recipe.evaluated",
        ),
        (
            {"recipe": Recipe(model="churn", prepared=["train", "train"])},
            "recipe.prepared: got ['train', 'train'], allowed are different names",
        ),
        (
            {"recipe": Recipe(model="churn", prepare_arguments=["x" * 300])},
            "recipe: arguments of 300 characters, allowed are 256",
        ),
        (
            {
                "recipe": Recipe(model="churn", metrics="ml_src/churn/none.json"),
                "algorithm": own_image(OWN),
            },
            "recipe.metrics: got 'ml_src/churn/none.json', allowed is a file of the archive",
        ),
        (
            {
                "recipe": Recipe(model="churn", metrics="ml_src/churn/train.py"),
                "algorithm": own_image(OWN),
            },
            "recipe.metrics: ml_src/churn/train.py is not a JSON object of expressions",
        ),
        (
            {"recipe": Recipe(model="Churn!", prepare="ml_src/churn/prepare.py")},
            "recipe.model: got 'Churn!', allowed are lower-case letters",
        ),
        (
            {"rules": {"overfit": "warn"}, "hyperparameters": {"rules": "overfit"}},
            "rules: are in hyperparameters as well",
        ),
        (
            {"jobs": PipelineJobs(train=TrainingJob(spot=False, max_wait_seconds=9000))},
            "jobs.train.max_wait_seconds: got 9000, allowed is none without spot",
        ),
        (
            {"debugger": True, "rules": {"overfit": "warn"}},
            "debugger: the image of xgboost-script does not support it",
        ),
        ({"debugger": True}, "debugger: got no rules, allowed are one or more in rules"),
    ],
)
def test_wrong_arguments(changes: dict[str, Any], expected: str, parts: Parts) -> None:
    lines = refusal(parts, **changes)
    assert [line for line in lines if line.startswith(expected)], lines


@pytest.mark.parametrize(
    ("tuning", "expected"),
    [
        (
            Tuning(ranges={"gamma": ContinuousRange(-1, 2)}, objective="validation:auc"),
            "tuning.ranges: gamma: got -1 as an end of the range",
        ),
        (
            Tuning(ranges={}, objective="validation:auc"),
            "tuning.ranges: got 0, allowed are 1 to 30",
        ),
        (
            Tuning(
                ranges={
                    name: CategoricalRange(tuple(str(value) for value in range(1, 29)))
                    for name in ("max_depth", "min_child_weight")
                },
                objective="validation:auc",
                strategy="Grid",
            ),
            "tuning.ranges: the grid has 784 combinations, allowed are 750",
        ),
        (
            Tuning(
                ranges={"max_depth": CategoricalRange(tuple(map(str, range(31))))},
                objective="validation:auc",
            ),
            "tuning.ranges: got a list of more than 30 values, allowed are 30",
        ),
        (
            Tuning(
                ranges={"eta": None}, objective="validation:auc", strategy="Random", max_jobs=10_001
            ),
            "tuning.max_jobs: got 10001, allowed are 1 to 10000",
        ),
        (
            Tuning(ranges={"eta": None}, objective="auc"),
            "tuning.objective: auc: is no objective; allowed: train:accuracy, train:auc",
        ),
        (
            Tuning(ranges={"eta": None}, objective="validation:auc", strategy="Grid"),
            "tuning.ranges: with Grid, allowed are lists of values only",
        ),
        (
            Tuning(
                ranges={"eta": None},
                objective="validation:auc",
                strategy="Hyperband",
                early_stopping="Auto",
            ),
            "tuning.early_stopping: got 'Auto', allowed is 'Off' with Hyperband",
        ),
        (
            Tuning(ranges={"eta": None}, objective="validation:auc", resources=(1, 5)),
            "tuning.resources: got (1, 5), allowed are, with Hyperband, two whole numbers",
        ),
        (
            Tuning(ranges={"eta": None}, objective="validation:auc", max_jobs=751),
            "tuning.max_jobs: got 751, allowed are 1 to 750",
        ),
        (
            Tuning(ranges={"num_round": None}, objective="validation:auc"),
            "hyperparameters: num_round: a tuning job sets it; allowed: one of the two",
        ),
        (
            Tuning(ranges={"eta": None}, objective="rule:overfit"),
            "tuning.objective: rule:overfit: is no objective",
        ),
    ],
)
def test_wrong_tuning(tuning: Tuning, expected: str, parts: Parts) -> None:
    lines = refusal(parts, tuning=tuning, hyperparameters={"num_round": 9})
    assert [line for line in lines if line.startswith(expected)], lines


def test_a_tuning_job_takes_fewer_metrics(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "ml_src"
    shutil.copytree(ROOT / "ml_src", folder)
    many = {"validation:auc": "x=([0-9]+)", **{f"m{n}": "x=([0-9]+)" for n in range(16)}}
    (folder / "churn/metric_definitions.json").write_text(json.dumps(many))
    lines = refusal(
        parts,
        source=SourceArchive(parts.stack, "Many", folder=folder),
        algorithm=own_image(OWN),
        hyperparameters={},
        tuning=Tuning(ranges={"rate": ContinuousRange(0.1, 0.2)}, objective="m1", goal="Minimize"),
    )
    assert lines == [
        "tuning: the training job has 21 metrics, allowed are 20 in a tuning job; name yours in "
        "recipe.metrics"
    ]


def test_an_objective_is_one_of_the_metrics(parts: Parts) -> None:
    ranges = {"rate": ContinuousRange(0.1, 0.2)}
    tuning = Tuning(ranges=ranges, objective="auc", goal="Maximize")
    lines = refusal(parts, algorithm=own_image(OWN), hyperparameters={}, tuning=tuning)
    assert len(lines) == 1
    assert lines[0].startswith(
        "tuning.objective: got 'auc', allowed are the metrics of the training job: train:logloss"
    )


def test_debugger_and_tuning_do_not_go_together(parts: Parts) -> None:
    scripts = Recipe(model="churn", metrics=None)
    lines = refusal(
        parts,
        algorithm=algorithm("pytorch"),
        recipe=scripts,
        hyperparameters={},
        debugger=True,
        rules={"vanishing_gradient": "warn"},
        tuning=Tuning(
            ranges={"rate": ContinuousRange(0.1, 0.2)}, objective="rule:overfit", goal="Minimize"
        ),
    )
    assert lines == ["debugger: a tuning job cannot have it; allowed is one of the two"]


def test_a_built_in_algorithms_gate_and_rules_are_looked_at(parts: Parts) -> None:
    lines = refusal(
        parts,
        algorithm=algorithm("kmeans"),
        hyperparameters={"k": 3, "feature_dim": 4},
        gate=Gate(metric="validation:auc", at_least=1),
        rules={"overfit": "warn"},
        jobs=PipelineJobs(train=TrainingJob(max_runtime_seconds=7200)),
    )
    expected = (
        "rules: got overfit, allowed are none where no script trains",
        "gate.metric: got 'validation:auc', allowed are, where nothing is evaluated, the metrics",
        "jobs.train.max_wait_seconds: got 7,200 s, allowed are 3,600 s, since the algorithm writes",
    )
    for text in expected:
        assert [line for line in lines if line.startswith(text)], lines


def test_a_tuned_built_in_algorithm_is_gated_by_its_objective_only(parts: Parts) -> None:
    lines = refusal(
        parts,
        algorithm=algorithm("xgboost"),
        hyperparameters={"num_round": 3},
        tuning=Tuning(ranges={"eta": None}, objective="validation:auc"),
        gate=Gate(metric="validation:logloss", at_most=1),
    )
    assert [line for line in lines if line.endswith("training job: validation:auc")], lines


def test_an_image_outside_amazon_ecr_is_refused(parts: Parts) -> None:
    lines = refusal(parts, algorithm=own_image("example.org/mine:1"))
    assert all("is an address in Amazon ECR" in line for line in lines)


def test_a_region_without_the_image_is_told(tmp_path: Path) -> None:
    where = cdk.Environment(account="111122223333", region="xx-nowhere-1")
    stack = cdk.Stack(sagelens_app.new_app(outdir=str(tmp_path)), "Stranger", env=where)
    lines = refusal(parts_in(stack), hyperparameters={"eta": 9})
    assert [line for line in lines if "is not offered in xx-nowhere-1" in line], lines
    assert [line for line in lines if line.startswith("hyperparameters: eta")], lines


def test_a_network_needs_a_security_group(parts: Parts) -> None:
    made = PrivateNetwork(
        parts.stack, "Net", cidr="10.9.0.0/16", services=[], encryption_key=parts.key
    )
    lines = refusal(parts, surroundings=JobSurroundings(network=Network(vpc=made.vpc)))
    assert lines == ["surroundings.network.security_groups: got 0, allowed are 1 to 5"]


def test_too_many_metrics_are_refused(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "ml_src"
    shutil.copytree(ROOT / "ml_src", folder)
    many = {f"m{number}": "x=([0-9]+)" for number in range(37)}
    (folder / "churn/metric_definitions.json").write_text(json.dumps(many))
    source = SourceArchive(parts.stack, "Many", folder=folder)
    lines = refusal(parts, source=source, algorithm=own_image(OWN))
    assert lines == ["recipe.metrics: there are 41 with those of the rules, allowed are 40"]


def test_a_definition_over_the_limit_is_refused(parts: Parts) -> None:
    """The size is that of the text in the template, with its references as long as they get."""
    hyperparameters = {f"h{number}": "x" * 1024 for number in range(90)}
    arguments = ["x" * 256] * 4000
    recipe = Recipe(model="churn", prepare_arguments=arguments)
    with pytest.raises(DefinitionError) as refused:
        parts.pipeline(recipe=recipe, hyperparameters=hyperparameters)
    assert "bytes, allowed are 1,048,576" in str(refused.value)


def test_a_default_longer_than_a_parameter_may_be_is_refused(parts: Parts) -> None:
    with pytest.raises(DefinitionError, match="parameter 'note': its default has 1,025 characters"):
        parts.pipeline(hyperparameters={"note": "x" * 1025})


def test_tokens_are_taken_as_they_are(parts: Parts) -> None:
    """What is known at deployment only passes the checks."""
    name = cdk.CfnParameter(parts.stack, "Name").value_as_string
    volume = cdk.CfnParameter(parts.stack, "Volume", type="Number").value_as_number
    depth = cdk.CfnParameter(parts.stack, "Depth").value_as_string
    parts.pipeline(
        name=name,
        hyperparameters={"max_depth": depth},
        jobs=PipelineJobs(prepare=Job(volume_gb=volume)),
        algorithm=own_image(OWN, checkpoints=True),
    )
    text = json.dumps(resources(parts.stack).one("AWS::SageMaker::Pipeline"))
    for parameter in ("Name", "Volume", "Depth"):
        assert f'{{"Ref": "{parameter}"}}' in text
