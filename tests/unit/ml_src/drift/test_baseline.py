"""Reading the baseline, and what is said of one that cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_src.churn.schema import CATEGORIES, INPUTS, NUMBERS
from ml_src.shared.drift import baseline
from ml_src.shared.drift.baseline import Category, Number
from ml_src.shared.drift.quality import WORSE
from ml_src.shared.failure import JobError


def test_the_chains_baseline(lived: Path) -> None:
    found = baseline.read(lived)
    statistics = json.loads((lived / "prepare/statistics.json").read_text())
    assert [feature.name for feature in found.features] == list(INPUTS)
    for feature in found.features:
        known = round(found.rows * (1 - feature.missing))
        if isinstance(feature, Number):
            assert feature.name in NUMBERS and feature.histogram.rows == known
        else:
            assert isinstance(feature, Category) and feature.name in CATEGORIES
            assert feature.counts.sum() == known
            shares = statistics["features"][feature.name]["frequencies"]
            assert (feature.counts / known).tolist() == pytest.approx(list(shares.values()))
    assert found.predictions is not None
    assert set(found.predictions.quality) == set(WORSE)


def test_predictions_may_be_absent(lived: Path) -> None:
    assert baseline.read(lived / "prepare").predictions is None


def change(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for parent in parents:
        document = document[parent]
    if value is None:
        del document[last]
    else:
        document[last] = value


@pytest.mark.parametrize(
    ("name", "path", "value", "expected"),
    [
        ("prepare/statistics", "version", 1, "version 1, this code reads 2; a version of the"),
        ("prepare/constraints", "version", 7, "version 7, this code reads 1"),
        ("evaluate/predictions", "version", None, "version None"),
        ("prepare/statistics", "rows", None, "not whole: KeyError('rows')"),
        ("prepare/statistics", "features/tenure/histogram", None, "not whole"),
        ("prepare/statistics", "features/tenure/histogram/edges", [2, 1], "not whole"),
        ("prepare/statistics", "features/tenure/type", "text", "of type 'text'"),
        ("prepare/constraints", "features/tenure", None, "not whole: KeyError('tenure')"),
        ("evaluate/predictions", "threshold", "high", "not whole"),
        ("evaluate/predictions", "histogram", {"edges": [], "counts": []}, "no prediction"),
        ("evaluate/predictions", "quality/auc", 0.8, "not whole"),
    ],
)
def test_a_baseline_that_is_not_whole(
    name: str, path: str, value: Any, expected: str, lived: Path, tmp_path: Path
) -> None:
    shutil.copytree(lived, tmp_path / "baseline")
    file = tmp_path / f"baseline/{name}.json"
    document = json.loads(file.read_text())
    change(document, path, value)
    file.write_text(json.dumps(document))
    with pytest.raises(JobError) as caught:
        baseline.read(tmp_path / "baseline")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda folder: (folder / "prepare/statistics.json").unlink(), "statistics.json missing"),
        (lambda folder: (folder / "prepare/constraints.json").unlink(), "constraints.json missing"),
        (lambda folder: shutil.copytree(folder / "prepare", folder / "x"), "stands there 2 times"),
        (lambda folder: (folder / "prepare/statistics.json").write_text("{"), "not readable"),
        (lambda folder: shutil.rmtree(folder), "no such folder"),
    ],
)
def test_files_amiss(
    spoil: Callable[[Path], object], expected: str, lived: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "baseline"
    shutil.copytree(lived, folder)
    spoil(folder)
    with pytest.raises(JobError, match=expected):
        baseline.read(folder)
