"""Evaluation: its JSON in SageMaker's form, its plots, and what it refuses."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from PIL import Image

from ml_src.churn import artifact, evaluate, explanation, matrix
from ml_src.churn.features import Encoder
from ml_src.churn.schema import CATEGORIES, INPUTS
from ml_src.churn.scores import Confusion, Costs
from ml_src.shared.explanation import MOST_ROWS, Explanation
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


def test_predictions_json(chain: Chain) -> None:
    found = json.loads((chain.evaluated / "evaluation/predictions.json").read_text())
    assert found["version"] == 1
    quality = chain.evaluation["binary_classification_metrics"]
    for name in ("auc", "log_loss", "precision", "recall"):
        assert found["quality"][name]["value"] == pytest.approx(quality[name]["value"])
        assert 0 < found["quality"][name]["standard_error"] < 0.1
    counts = quality["confusion_matrix"]
    assert found["threshold"] == chain.evaluation["threshold"]["value"]
    assert found["selected"] == counts["0"]["1"] + counts["1"]["1"]
    assert sum(found["histogram"]["counts"]) == found["rows"] == chain.evaluation["rows"]
    assert set(found["groups"]) == {*CATEGORIES, "SeniorCitizen"}
    seniors = found["groups"]["SeniorCitizen"]
    assert set(seniors) == {"0", "1"}
    assert sum(group["rows"] for group in seniors.values()) == found["rows"]
    assert sum(group["selected"] for group in seniors.values()) == found["selected"]
    women = found["groups"]["gender"]["Female"]
    assert 0 < women["selected"] < women["rows"] < found["rows"]


def test_analysis_json_is_in_the_form_of_clarify(chain: Chain) -> None:
    found = json.loads((chain.evaluated / "explainability/analysis.json").read_text())
    (label,) = found["explanations"]["kernel_shap"].values()
    strengths = label["global_shap_values"]
    _, encoder = artifact.load(chain.model)
    assert set(strengths) == set(encoder.columns)
    assert list(strengths.values()) == sorted(strengths.values(), reverse=True)
    assert min(strengths.values()) >= 0
    assert isinstance(label["expected_value"], float)
    ours = found["sagelens"]
    assert ours["method"] == "TreeSHAP" and "Kernel SHAP was not used" in ours["note"]
    assert ours["rows"] == ours["of_rows"] == chain.evaluation["rows"]
    assert set(ours["columns"]) == {*INPUTS, "charge_ratio"}
    # What the generator makes churn depend on comes first, what it does not comes last.
    ranked = list(ours["columns"])
    assert "Contract" in ranked[:5] and "gender" in ranked[5:]


def test_contributions_add_up_to_each_score(chain: Chain) -> None:
    booster, encoder = artifact.load(chain.model)
    features, _ = matrix.read(chain.prepared / "test", len(encoder.columns))
    explained = explanation.explain(booster, encoder, features)
    margins = explained.contributions.sum(axis=1) + explained.expected
    scores = 1 / (1 + np.exp(-margins))
    assert scores == pytest.approx(booster.inplace_predict(features), abs=1e-5)


def test_contributions_are_those_of_the_definition() -> None:
    """Of a tree small enough to work Shapley's formula out by hand."""
    features = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 50, np.float32)
    labels = np.array([0, 0, 0, 1] * 50, np.float32)
    data = xgb.DMatrix(features, labels, feature_names=["a", "b"])
    settings = {"objective": "binary:logistic", "max_depth": 2, "eta": 1, "nthread": 1}
    booster = xgb.train(settings, data, num_boost_round=1)
    encoder = Encoder({}, {})
    found = explanation.explain(booster, encoder, features)
    margin = booster.predict(data, output_margin=True)[:4].reshape(2, 2)
    for row, (a, b) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        # What is expected when only some features are known, by the training rows' shares.
        none, only_a, only_b = margin.mean(), margin[a].mean(), margin[:, b].mean()
        both = margin[a, b]
        of_a = ((only_a - none) + (both - only_b)) / 2
        of_b = ((only_b - none) + (both - only_a)) / 2
        assert found.contributions[row] == pytest.approx([of_a, of_b], abs=1e-5)
    assert found.expected == pytest.approx(margin.mean(), abs=1e-5)


def test_a_column_has_what_its_features_say_together() -> None:
    names = ("tenure_years", "charge_ratio", "Contract=One year", "Contract=Two year")
    contributions = np.array([[1.0, 0.5, 0.4, -0.4], [-3.0, 0.5, 0.2, 0.2]])
    owners = [explanation.owner(name) for name in names]
    found = Explanation(names, owners, "", np.zeros((2, 4)), contributions, -1.0, 2)
    assert found.strengths() == pytest.approx(
        {
            "tenure_years": 2,
            "charge_ratio": 0.5,
            "Contract=One year": 0.3,
            "Contract=Two year": 0.3,
        }
    )
    columns = found.column_strengths()
    assert columns == pytest.approx({"tenure": 2, "charge_ratio": 0.5, "Contract": 0.2})
    assert list(columns) == ["tenure", "charge_ratio", "Contract"]


def test_many_rows_are_explained_by_some_of_all_of_them(chain: Chain) -> None:
    booster, encoder = artifact.load(chain.model)
    features, _ = matrix.read(chain.prepared / "train", len(encoder.columns))
    found = explanation.explain(booster, encoder, features)
    assert len(found.values) == len(found.contributions) == MOST_ROWS
    assert MOST_ROWS < len(features) == found.rows
    assert (found.values[0] == features[0]).all() and (found.values[-1] == features[-1]).all()
    assert found.document()["sagelens"]["of_rows"] == len(features)
    whole = explanation.explain(booster, encoder, found.values)
    assert whole.contributions == pytest.approx(found.contributions)


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
    names = {"roc", "precision_recall", "confusion", "shap", "calibration"}
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
