"""Figures on late labels, held against scikit-learn and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from ml_src.shared.drift import quality


def draw(seed: int, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    labels = (chance.random(rows) < 0.3).astype(np.int8)
    labels[:2] = (0, 1)
    score = 1 / (1 + np.exp(-(chance.normal(size=rows) + 1.5 * labels - 1)))
    return labels, score.round(2).astype(np.float32)  # with equals


@given(st.integers(0, 2**31))
def test_figures_are_scikit_learns(seed: int) -> None:
    labels, values = draw(seed)
    found = quality.figures(labels, values, 0.4)
    called = values.astype(float) >= 0.4
    assert found["auc"].value == pytest.approx(metrics.roc_auc_score(labels, values))
    safe = np.clip(values.astype(float), 1e-7, 1 - 1e-7)
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(labels, safe))
    precision = metrics.precision_score(labels, called, zero_division=0)
    assert found["precision"].value == pytest.approx(precision)
    assert found["recall"].value == pytest.approx(metrics.recall_score(labels, called))
    gap = float(values.astype(float).mean() - labels.mean())
    assert found["calibration_gap"].value == pytest.approx(gap)


def test_standard_errors_are_the_bootstraps() -> None:
    labels, values = draw(7, 600)
    chance = np.random.default_rng(1)
    drawn: dict[str, list[float]] = {name: [] for name in quality.WORSE}
    for _ in range(400):
        rows = chance.integers(0, len(labels), len(labels))
        for name, figure in quality.figures(labels[rows], values[rows], 0.4).items():
            drawn[name].append(figure.value)
    for name, figure in quality.figures(labels, values, 0.4).items():
        assert figure.error == pytest.approx(np.std(drawn[name]), rel=0.2), name


def test_one_class_has_no_auc() -> None:
    values = np.array([0.2, 0.7], np.float32)
    found = quality.figures(np.zeros(2, np.int8), values, 0.5)
    assert set(found) == {"log_loss", "calibration_gap", "precision"}
    assert set(quality.figures(np.zeros(2, np.int8), values, None)) == {
        "log_loss",
        "calibration_gap",
    }
    assert quality.figures(np.empty(0, np.int8), np.empty(0, np.float32), 0.5) == {}


def test_a_perfect_sample_is_not_sure() -> None:
    labels, values = np.array([0] * 20 + [1] * 5, np.int8), np.arange(25, dtype=np.float32) / 25
    found = quality.auc(labels, values)
    assert found.value == 1 and found.error > 0.1
