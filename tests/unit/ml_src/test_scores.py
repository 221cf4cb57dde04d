"""Each score held against scikit-learn's, and the choice of a threshold by cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from ml_src.churn import scores
from ml_src.churn.scores import Confusion, Costs
from ml_src.shared.reliability import reliability

# Few distinct probabilities, so that equal ones are common.
PAIRS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12).map(lambda n: n / 12)),
    min_size=2,
    max_size=60,
).filter(lambda pairs: len({label for label, _ in pairs}) == 2)


@settings(max_examples=80, deadline=None)
@given(pairs=PAIRS, threshold=st.floats(0, 1))
def test_scores_are_scikit_learns(pairs: list[tuple[float, float]], threshold: float) -> None:
    labels, probabilities = map(np.array, zip(*pairs, strict=True))
    found = scores.steps(labels, probabilities)
    assert scores.auc(labels, probabilities) == pytest.approx(
        metrics.roc_auc_score(labels, probabilities)
    )
    assert scores.average_precision(found) == pytest.approx(
        metrics.average_precision_score(labels, probabilities)
    )
    assert scores.brier(labels, probabilities) == pytest.approx(
        metrics.brier_score_loss(labels, probabilities)
    )
    safe = np.clip(probabilities, 1e-7, 1 - 1e-7)
    assert scores.log_loss(labels, probabilities) == pytest.approx(metrics.log_loss(labels, safe))
    chosen = Confusion.at(threshold, labels, probabilities)
    called = probabilities >= threshold
    assert [[chosen.quiet, chosen.alarms], [chosen.missed, chosen.hits]] == (
        metrics.confusion_matrix(labels, called, labels=[0, 1]).tolist()
    )
    for name in ("precision", "recall", "f1"):
        theirs = getattr(metrics, f"{name}_score")(labels, called, zero_division=0)
        assert getattr(chosen, name) == pytest.approx(theirs)


@settings(max_examples=80, deadline=None)
@given(pairs=PAIRS, missed=st.floats(0.1, 50), needless=st.floats(0.1, 50))
def test_no_threshold_costs_less(
    pairs: list[tuple[float, float]], missed: float, needless: float
) -> None:
    labels, probabilities = map(np.array, zip(*pairs, strict=True))
    costs = Costs(missed, needless)

    def cost(threshold: float) -> float:
        chosen = Confusion.at(threshold, labels, probabilities)
        return costs.total(chosen.missed, chosen.alarms)

    best = cost(scores.cheapest(scores.steps(labels, probabilities), costs))
    assert best <= min(cost(number / 24) for number in range(26)) + 1e-9


def test_dearer_misses_lower_the_threshold() -> None:
    chance = np.random.default_rng(1)
    probabilities = chance.random(4000)
    found = scores.steps((chance.random(4000) < probabilities).astype(float), probabilities)
    thresholds = [scores.cheapest(found, Costs(cost, 1)) for cost in (0.2, 1, 5, 25)]
    assert thresholds == sorted(thresholds, reverse=True)
    # For true probabilities the best threshold is needless / (needless + missed).
    assert thresholds[1] == pytest.approx(0.5, abs=0.1)
    assert thresholds[2] == pytest.approx(1 / 6, abs=0.08)


def test_reliability() -> None:
    probabilities = np.array([0.0, 0.05, 0.1, 0.99, 1.0])
    table = reliability(np.array([0, 0, 1, 1, 1]), probabilities)
    assert [line["count"] for line in table] == [2, 1, 2]
    assert [line["from"] for line in table] == [0.0, 0.1, 0.9]
    assert table[2]["positive_rate"] == 1
    assert scores.calibration_error(table) == pytest.approx((0.05 + 0.9 + 0.01) / 5)
