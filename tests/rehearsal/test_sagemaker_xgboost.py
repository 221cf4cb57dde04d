"""XGBoost in algorithm mode: SageMaker's built-in algorithm, without a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from rehearsal.process import Rehearsal
from rehearsal.sagemaker.algorithms import xgboost_container as container
from tests.rehearsal.job_bench import Bench, channel, unpacked

ROWS = 600
RANDOM = np.random.default_rng(1)
FEATURES = RANDOM.normal(size=(ROWS, 4)).round(4)
LABELS = (FEATURES[:, 0] + RANDOM.normal(scale=0.5, size=ROWS) > 0).astype(int)
BASIC = {
    "objective": "binary:logistic",
    "eval_metric": "logloss,auc",
    "max_depth": "3",
    "num_round": "12",
    "seed": "1",
}
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
}


def as_csv(rows: slice) -> str:
    pairs = zip(LABELS[rows], FEATURES[rows], strict=True)
    return "".join(f"{label},{','.join(map(str, values))}\n" for label, values in pairs)


def as_libsvm(rows: slice) -> str:
    pairs = zip(LABELS[rows], FEATURES[rows], strict=True)
    return "".join(
        f"{label} {' '.join(f'{i}:{value}' for i, value in enumerate(values))}\n"
        for label, values in pairs
    )


@pytest.fixture(scope="module")
def bench(aws: Rehearsal) -> Bench:
    made = Bench.make(aws, "xgboost")
    for kind, write in (("csv", as_csv), ("libsvm", as_libsvm)):
        made.put(f"{kind}/train/a", write(slice(0, 250)))
        made.put(f"{kind}/train/b", write(slice(250, 500)))
        made.put(f"{kind}/validation/a", write(slice(500, ROWS)))
    return made


def train(bench: Bench, kind: str = "csv", **more: Any) -> str:
    """Start a job on one kind of data."""
    named = {} if kind == "libsvm" else {"ContentType": f"text/{kind}"}
    channels = [channel(n, bench.uri(f"{kind}/{n}"), **named) for n in ("train", "validation")]
    given = {"HyperParameters": BASIC, "InputDataConfig": channels, **more}
    return bench.training(None, **given)


def booster(bench: Bench, job: dict[str, Any]) -> xgb.Booster:
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(bench.uri(""))
    files = unpacked(bench.get(key))
    assert list(files) == ["xgboost-model"]
    loaded = xgb.Booster()
    loaded.load_model(bytearray(files["xgboost-model"]))
    return loaded


def finals(job: dict[str, Any]) -> dict[str, float]:
    return {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}


def test_csv_and_libsvm_give_the_same_model(bench: Bench) -> None:
    jobs = [bench.trained(train(bench, kind)) for kind in ("csv", "libsvm")]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Completed"], jobs
    first, second = (booster(bench, job) for job in jobs)
    data = xgb.DMatrix(FEATURES)
    assert np.array_equal(first.predict(data), second.predict(data))
    assert first.num_boosted_rounds() == 12
    found = finals(jobs[0])
    assert set(found) == {f"{s}:{m}" for s in ("train", "validation") for m in ("auc", "logloss")}
    # The metric is the model's own on the validation side.
    from sklearn.metrics import roc_auc_score

    scores = first.predict(xgb.DMatrix(FEATURES[500:]))
    assert found["validation:auc"] == pytest.approx(roc_auc_score(LABELS[500:], scores), abs=1e-5)


def test_lines_look_like_the_images(bench: Bench) -> None:
    name = train(bench)
    bench.trained(name)
    lines = bench.log("Training", name)
    assert lines[0].startswith("[0]#011train-logloss:0.")
    assert "#011validation-auc:0." in lines[-1]
    assert lines[-1].startswith("[11]")


def test_objective_of_tuning_joins_the_metrics(bench: Bench) -> None:
    given = {k: v for k, v in BASIC.items() if k != "eval_metric"}
    given["_tuning_objective_metric"] = "validation:auc"
    job = bench.trained(train(bench, HyperParameters=given))
    assert "validation:auc" in finals(job)
    names = {each["Name"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert "ObjectiveMetric" in names


def test_early_stopping_keeps_the_best(bench: Bench) -> None:
    given = {**BASIC, "num_round": "300", "early_stopping_rounds": "5", "eval_metric": "logloss"}
    job = bench.trained(train(bench, HyperParameters=given))
    rounds = booster(bench, job).num_boosted_rounds()
    assert 1 <= rounds < 295
    assert len(bench.log("Training", job["TrainingJobName"])) == rounds + 5


def test_weights_count(bench: Bench) -> None:
    rows = [line.split(",", 1) for line in as_csv(slice(0, 200)).splitlines()]
    heavy = "".join(f"{label},{1 + 9 * int(label)},{rest}\n" for label, rest in rows)
    bench.put("weighted/train/a", heavy)
    given = {**BASIC, "csv_weights": "1", "eval_metric": "logloss"}
    only = [channel("train", bench.uri("weighted/train"), ContentType="csv")]
    job = bench.trained(train(bench, HyperParameters=given, InputDataConfig=only))
    weighted = booster(bench, job).predict(xgb.DMatrix(FEATURES)).mean()
    plain = bench.trained(train(bench))
    assert weighted > booster(bench, plain).predict(xgb.DMatrix(FEATURES)).mean() + 0.1


def test_checkpoints_are_named_as_the_images_and_resumed(bench: Bench) -> None:
    given = {**BASIC, "num_round": "80", "eval_metric": "logloss", "num_parallel_tree": "20"}
    place = {"S3Uri": bench.uri("checkpoints")}
    name = train(bench, HyperParameters=given, CheckpointConfig=place, **SPOT)
    bench.wait_for_line("Training", name, "[5]#011")
    bench.aws.sagemaker.interrupt(name)
    job = bench.trained(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    lines = bench.log("Training", name)
    assert any(line.startswith("Checkpoint loaded from xgboost-checkpoint.") for line in lines)
    kept = sorted(bench.keys("checkpoints/"))
    assert "checkpoints/xgboost-checkpoint.79" in kept
    assert len(kept) >= 5
    assert lines[-1].startswith("[79]#011")
    assert booster(bench, job).num_boosted_rounds() == 80


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"objective": "binary:logistic"}, "num_round is required"),
        ({**BASIC, "num_round": "0"}, "num_round=0: allowed is 1 or more"),
        ({**BASIC, "_kfold": "3"}, "does not know _kfold"),
        ({**BASIC, "objective": "binary:magic"}, "binary:magic"),
    ],
)
def test_wrong_hyperparameters(bench: Bench, hyperparameters: dict[str, str], words: str) -> None:
    reason = bench.trained(train(bench, HyperParameters=hyperparameters))["FailureReason"]
    assert reason.startswith("AlgorithmError: framework error: \n")
    assert words in reason
    assert reason.endswith(", exit code: 1")


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ("label,a\n1,2\n", "text/csv", "the label (first column) is no number"),
        ("1\n0\n", "text/csv", "CSV has 1 column(s)"),
        ("1,2,3\n", "text/libsvm", "line 1: not libsvm"),
        ("x", "application/x-parquet", "content type 'application/x-parquet'"),
    ],
)
def test_wrong_data(bench: Bench, content: str, kind: str, words: str) -> None:
    bench.put("wrong/a", content)
    channels = [channel("train", bench.uri("wrong/"), ContentType=kind)]
    reason = bench.trained(train(bench, InputDataConfig=channels))["FailureReason"]
    assert words in reason


def test_missing_train_channel(tmp_path: Path) -> None:
    configuration = tmp_path / "input" / "config"
    configuration.mkdir(parents=True)
    (configuration / "hyperparameters.json").write_text(json.dumps(BASIC))
    (configuration / "inputdataconfig.json").write_text("{}")
    (tmp_path / "output").mkdir()
    assert container.main(str(tmp_path)) == 1
    assert "the channel `train` is required" in (tmp_path / "output" / "failure").read_text()
