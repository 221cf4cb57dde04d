"""Training: the lines it prints, resuming, early stopping, bad input, and no leak."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_src.churn import artifact, matrix, prepare, scores, train
from ml_src.shared.checkpoints import Checkpoints
from ml_src.shared.failure import JobError, ending_with_reason
from ml_src.shared.rules import RuleViolated
from ml_src.shared.training import from_file
from tests.unit.ml_src.conftest import Chain, arguments

ROOT = Path(__file__).parents[3]
METRICS = json.loads((ROOT / "ml_src/churn/metric_definitions.json").read_text())


def probabilities(model: Path, chain: Chain) -> bytes:
    booster, encoder = artifact.load(model)
    features, _ = matrix.read(chain.prepared / "test", len(encoder.columns))
    return booster.inplace_predict(features).tobytes()


def trained(chain: Chain, output: Path, *more: str) -> dict[str, object]:
    output.mkdir(exist_ok=True)
    return train.train(train.parse(arguments(chain.prepared, output, *more)))


def test_the_model_is_good_and_is_not_pickled(chain: Chain) -> None:
    quality = chain.evaluation["binary_classification_metrics"]
    assert 0.78 < quality["auc"]["value"] < 0.88
    assert chain.training["rounds"] == 100
    assert json.loads((chain.model / artifact.MODEL).read_text())["learner"]["feature_names"]
    assert not [path for path in chain.model.rglob("*") if path.suffix in (".pkl", ".pickle")]


def test_a_healthy_training_violates_no_rule(chain: Chain) -> None:
    assert chain.training["violations"] == []


def test_metric_definitions_read_each_rounds_line(
    chain: Chain, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = trained(chain, tmp_path, "--num_round=7")
    printed = capfd.readouterr().out
    assert len(METRICS) <= 40
    for name, expression in METRICS.items():
        found = [float(value) for value in re.findall(expression, printed)]
        course = [past[name] for past in report["course"]]  # type: ignore[attr-defined]
        assert found == pytest.approx(course, abs=1e-6), name


def test_a_resumed_training_equals_an_uninterrupted_one(chain: Chain, tmp_path: Path) -> None:
    trained(chain, tmp_path, "--num_round=47")
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == [
        "churn-checkpoint.20.json",
        "churn-checkpoint.40.json",
    ]
    report = trained(chain, tmp_path, "--num_round=100")
    assert report["course"] == chain.training["course"]
    assert probabilities(tmp_path / "model", chain) == probabilities(chain.model, chain)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_killed_training_resumes(chain: Chain, tmp_path: Path, threads: str) -> None:
    options = ["--num_round=60", "--checkpoint_every=5", f"--nthread={threads}"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trained(chain, whole, *options)
    parts.mkdir()
    command = [sys.executable, ROOT / "ml_src/churn/train.py"]
    command += arguments(chain.prepared, parts, *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout
        for line in job.stdout:
            if line.startswith("[17]"):
                job.kill()
                break
    (parts / "checkpoints" / "churn-checkpoint.99.json").write_text('{"identity": "cut o')
    report = trained(chain, parts, *options)
    assert report["rounds"] == 60
    assert probabilities(parts / "model", chain) == probabilities(whole / "model", chain)


def test_another_trainings_checkpoint_is_passed_over(
    chain: Chain, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trained(chain, tmp_path, "--num_round=20")
    capfd.readouterr()
    trained(chain, tmp_path, "--num_round=20", "--max_depth=3")
    assert "made from other data or with other hyperparameters" in capfd.readouterr().out
    fresh = tmp_path / "fresh"
    trained(chain, fresh, "--num_round=20", "--max_depth=3")
    assert probabilities(tmp_path / "model", chain) == probabilities(fresh / "model", chain)


def test_checkpoints_of_no_use(tmp_path: Path) -> None:
    said: list[str] = []
    for number, content in enumerate(["", "[]", '{"identity": "x"}', "null"]):
        (tmp_path / f"churn-checkpoint.{number}.json").write_text(content)
    (tmp_path / "churn-checkpoint.old.json").write_text("{}")
    assert Checkpoints(tmp_path, "churn").load("x", said.append) is None
    assert len(said) == 4
    assert Checkpoints(tmp_path / "absent", "churn").load("x", said.append) is None


def test_early_stopping_keeps_the_best_rounds(chain: Chain, tmp_path: Path) -> None:
    report = trained(chain, tmp_path, "--num_round=400", "--early_stopping_rounds=5", "--gamma=0")
    assert report["rounds"] < 400  # type: ignore[operator]
    assert report["rounds"] == report["best_round"] + 6  # type: ignore[operator]
    assert report["kept_rounds"] == report["best_round"] + 1  # type: ignore[operator]
    booster, _ = artifact.load(tmp_path / "model")
    assert booster.num_boosted_rounds() == report["kept_rounds"]


def test_a_shuffled_label_foretells_nothing(chain: Chain, tmp_path: Path) -> None:
    """Were anything of the label to leak into the features, this would find it."""
    frame = pd.read_csv(chain.table, keep_default_na=False, dtype=str)
    frame["Churn"] = np.random.default_rng(3).permutation(frame["Churn"])
    frame.to_csv(tmp_path / "customers.csv", index=False)
    prepare.prepare(tmp_path / "customers.csv", tmp_path, prepare.Settings(train=0.6))
    train.train(train.parse(arguments(tmp_path, tmp_path, "--num_round=30")))
    booster, encoder = artifact.load(tmp_path / "model")
    features, labels = matrix.read(tmp_path / "test", len(encoder.columns))
    assert scores.auc(labels, booster.inplace_predict(features)) == pytest.approx(0.5, abs=0.05)


def test_a_rule_ends_the_job(chain: Chain, tmp_path: Path) -> None:
    # Without learning anything: no split is worth so much.
    options = ["--gamma=1000000", "--rules=loss_not_decreasing:end"]
    with pytest.raises(RuleViolated, match="rule loss_not_decreasing ended the job at step 1"):
        trained(chain, tmp_path, *options)
    code = ending_with_reason(train.run, arguments(chain.prepared, tmp_path, *options), "unused")
    assert code == 1
    assert "train:logloss began at" in (tmp_path / "failure").read_text()
    assert not (tmp_path / "model" / artifact.MODEL).exists()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--max_depth=0", "hyperparameter max_depth=0: allowed is 1 to 30"),
        ("--eta=2", "hyperparameter eta=2: allowed is 1e-06 to 1"),
        ("--eta=nan", "hyperparameter eta=nan"),
        ("--num_round=ten", "argument --num_round: invalid int value: 'ten'"),
        ("--objective=reg:squarederror", "argument --objective"),
        ("--depth=5", "unrecognized arguments: --depth=5"),
        ("--rules=underfit", "'underfit' is none of loss_not_decreasing"),
    ],
)
def test_wrong_hyperparameters(option: str, expected: str, chain: Chain, tmp_path: Path) -> None:
    given = arguments(chain.prepared, tmp_path, option)
    assert ending_with_reason(train.run, given, "unused") == 1
    assert expected in (tmp_path / "failure").read_text()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "the file is empty"),
        ("1,2,3\n", "not 47 columns of numbers"),
        ("label" + ",x" * 46 + "\n", "columns of numbers, label first"),
        ("2" + ",0" * 46 + "\n", "a label is 2"),
        (None, "this channel holds no .csv file"),
    ],
)
def test_wrong_channel(content: str | None, expected: str, chain: Chain, tmp_path: Path) -> None:
    channel = tmp_path / "bad"
    channel.mkdir()
    if content is not None:
        (channel / "train.csv").write_text(content)
    with pytest.raises(JobError, match=re.escape(expected)):
        trained(chain, tmp_path, f"--train={channel}")


def test_wrong_encoder(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="the encoder cannot be read"):
        trained(chain, tmp_path, f"--encoder={tmp_path}")


def test_hyperparameters_from_sagemakers_file(tmp_path: Path) -> None:
    path = tmp_path / "hyperparameters.json"
    path.write_text(
        '{"max_depth": "3", "sagemaker_program": "train.py", "rules": "overfit", '
        '"_tuning_objective_metric": "validation:auc"}'
    )
    given = train.parse(from_file(path))
    assert (given.max_depth, given.rules, given.eta) == (3, "overfit", 0.2)
    assert from_file(tmp_path / "absent") == []
    path.write_text("{")
    with pytest.raises(JobError, match="cannot be read"):
        from_file(path)


def test_as_a_job_starts_it_directly(chain: Chain, tmp_path: Path) -> None:
    """No argument at all: everything by SM_* variables and SageMaker's own files."""
    config, model = tmp_path / "config", tmp_path / "model"
    config.mkdir()
    (config / "hyperparameters.json").write_text('{"num_round": "40", "max_depth": "4"}')
    environment = {
        **os.environ,
        "SM_INPUT_CONFIG_DIR": str(config),
        "SM_CHECKPOINT_DIR": str(tmp_path / "checkpoints"),
        "SM_MODEL_DIR": str(model),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "data"),
        "SM_OUTPUT_DIR": str(tmp_path),
        **{
            f"SM_CHANNEL_{name.upper()}": str(chain.prepared / name)
            for name in ("train", "validation", "encoder")
        },
    }
    command = [sys.executable, str(ROOT / "ml_src/churn/train.py")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    report = json.loads((tmp_path / "data" / "training.json").read_text())
    assert (report["rounds"], report["parameters"]["max_depth"]) == (40, 4)
    assert (tmp_path / "checkpoints" / "churn-checkpoint.40.json").is_file()
    (config / "hyperparameters.json").write_text('{"eta": "7"}')
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 1
    assert "eta=7" in (tmp_path / "failure").read_text()


def test_as_the_image_starts_it(chain: Chain, tmp_path: Path) -> None:
    """The code archive, unpacked; a module at its root; SM_* variables; the model's archive."""
    code, model = tmp_path / "code", tmp_path / "model"
    with tarfile.open(fileobj=io.BytesIO(code_archive()), mode="r:gz") as archive:
        archive.extractall(code, filter="data")
    environment = {
        **os.environ,
        "SM_MODEL_DIR": str(model),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "data"),
        "SM_OUTPUT_DIR": str(tmp_path),
    }
    for name in ("train", "validation", "encoder"):
        environment[f"SM_CHANNEL_{name.upper()}"] = str(chain.prepared / name)
    command = [sys.executable, "-m", "churn_train", "--num_round", "100", "--max_depth", "5"]
    subprocess.run(command, cwd=code, env=environment, check=True, capture_output=True)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(model, arcname=".")
    (tmp_path / "model.tar.gz").rename(code / "model.tar.gz")
    assert probabilities(code, chain) == probabilities(chain.model, chain)
    wrong = subprocess.run([*command, "--eta", "7"], cwd=code, env=environment)
    assert wrong.returncode == 1
    assert "eta=7" in (tmp_path / "failure").read_text()


def code_archive() -> bytes:
    """The code as jobs get it: the package, and the entry points at the root."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path in sorted((ROOT / "ml_src").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.add(path, arcname=str(path.relative_to(ROOT)))
        for path in sorted((ROOT / "ml_src/entry_points").glob("*.py")):
            archive.add(path, arcname=path.name)
    return content.getvalue()
