"""Evaluation: its JSON in SageMaker's form, its plots, and what it refuses."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_src.churn import artifact, evaluate, matrix
from ml_src.churn.scores import Confusion, Costs
from ml_src.shared.failure import JobError
from tests.unit.ml_src.conftest import Chain


def test_evaluation_json(chain: Chain) -> None:
    path = chain.evaluated / "evaluation/evaluation.json"
    report = json.loads(path.read_text())
    quality = report["binary_classification_metrics"]
    for name in ("auc", "accuracy", "precision", "recall", "f1", "true_positive_rate"):
        assert 0 < quality[name]["value"] < 1
        assert quality[name]["standard_deviation"] == "NaN"
    counts = quality["confusion_matrix"]
    assert sum(counts[row][column] for row in "01" for column in "01") == report["rows"]
    curve = quality["receiver_operating_characteristic_curve"]
    area = np.trapezoid(curve["true_positive_rates"], curve["false_positive_rates"])
    assert area == pytest.approx(quality["auc"]["value"], abs=0.01)
    assert path.stat().st_size < 100_000
    assert report["calibration"]["brier"] < 0.2
    assert sum(line["gain"] for line in report["importance"]) == pytest.approx(1, abs=1e-4)


def test_the_chosen_threshold_saves_money_and_comes_from_validation(chain: Chain) -> None:
    chosen = chain.evaluation["threshold"]
    assert chosen["cost"] < min(chosen["cost_offering_to_nobody"], chosen["cost_offering_to_all"])
    booster, encoder = artifact.load(chain.model)
    features, labels = matrix.read(chain.prepared / "validation", len(encoder.columns))
    probabilities = booster.inplace_predict(features)
    costs = Costs(5, 1)

    def cost(threshold: float) -> float:
        found = Confusion.at(threshold, labels, probabilities)
        return costs.total(found.missed, found.alarms)

    assert cost(chosen["value"]) == min(cost(value) for value in probabilities)


def test_plots(chain: Chain) -> None:
    names = {"roc", "precision_recall", "confusion", "importance", "calibration"}
    paths = list((chain.evaluated / "plots").iterdir())
    assert {path.stem for path in paths} == names
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG" and picture.width >= 700
            assert len(picture.convert("L").getcolors()) > 20


def test_the_same_evaluation_gives_the_same_bytes(chain: Chain, tmp_path: Path) -> None:
    sides = (chain.prepared / "validation", chain.prepared / "test")
    evaluate.evaluate(chain.model, *sides, tmp_path, Costs(5, 1))
    for path in chain.evaluated.rglob("*.*"):
        assert (tmp_path / path.relative_to(chain.evaluated)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("archive", [b"", b"no archive"])
def test_no_model(archive: bytes, chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"churn-model.json and encoder.json missing"):
        artifact.load(tmp_path)
    (tmp_path / "model.tar.gz").write_bytes(archive)
    with pytest.raises(JobError, match="not readable as a model's archive"):
        artifact.load(tmp_path)


def test_an_archive_without_the_model(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(__file__, arcname="other.py")
    with pytest.raises(JobError, match=r"churn-model\.json and encoder\.json missing"):
        artifact.load(tmp_path)


def test_model_and_encoder_that_do_not_belong_together(chain: Chain, tmp_path: Path) -> None:
    shutil.copytree(chain.model, tmp_path / "model")
    path = tmp_path / "model" / artifact.ENCODER
    document = json.loads(path.read_text())
    document["categories"]["Contract"].append("Five year")
    document["columns"] = [
        *document["columns"][: document["columns"].index("Contract=Two year") + 1],
        "Contract=Five year",
        *document["columns"][document["columns"].index("Contract=Two year") + 1 :],
    ]
    path.write_text(json.dumps(document))
    with pytest.raises(JobError, match="takes 46 features, its encoder gives 47"):
        artifact.load(tmp_path / "model")


def test_a_side_with_one_class(chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text(("0" + ",0" * 46 + "\n") * 3)
    with pytest.raises(JobError, match="needs customers who left and who stayed"):
        evaluate.evaluate(
            chain.model, chain.prepared / "validation", tmp_path, tmp_path, Costs(5, 1)
        )


@pytest.mark.parametrize("cost", ["0", "-1", "nan", "inf", "much"])
def test_wrong_costs(cost: str, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="missed-churner-cost"):
        evaluate.run([f"--missed-churner-cost={cost}"])
