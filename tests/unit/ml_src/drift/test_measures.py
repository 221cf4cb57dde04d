"""Distances and tests, held against scipy and against what they must hold to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from ml_src.shared.drift import measures
from ml_src.shared.drift.measures import Estimate


@st.composite
def pairs(draw: Any, most: int = 10_000) -> tuple[Any, Any]:
    """Two lists of counts over the same cells, neither of them empty."""
    cells = draw(st.integers(1, 12))
    counts = st.lists(st.integers(0, most), min_size=cells, max_size=cells).filter(any)
    return np.array(draw(counts)), np.array(draw(counts))


@given(pairs())
def test_psi_is_never_negative_and_the_same_both_ways(pair: tuple[Any, Any]) -> None:
    left, right = pair
    found = measures.psi_of_counts(left, right)
    assert 0 <= found < math.inf
    assert found == pytest.approx(measures.psi_of_counts(right, left))


@given(pairs(), st.integers(1, 50))
def test_psi_of_equal_shares_is_zero(pair: tuple[Any, Any], times: int) -> None:
    left, _ = pair
    assert measures.psi_of_counts(left, left * times) == pytest.approx(0, abs=1e-12)


def test_psi_by_hand() -> None:
    expected, actual = np.array([0.5, 0.5]), np.array([0.75, 0.25])
    by_hand = 0.25 * math.log(1.5) - 0.25 * math.log(0.5)
    assert measures.psi(expected, actual) == pytest.approx(by_hand)
    assert measures.psi(np.array([1.0, 0.0]), np.array([0.0, 1.0])) < 20  # finite


@given(pairs())
def test_psi_is_two_g_tests(pair: tuple[Any, Any]) -> None:
    """Where no cell is empty, PSI is both Kullback-Leibler divergences together."""
    left, right = (measures.shares(side + 1) for side in pair)
    expected = stats.entropy(left, right) + stats.entropy(right, left)
    assert measures.psi(left, right, 0) == pytest.approx(expected, abs=1e-12)


@given(pairs())
def test_jensen_shannon_is_scipys(pair: tuple[Any, Any]) -> None:
    left, right = (measures.shares(side) for side in pair)
    found = measures.jensen_shannon(left, right)
    assert found == pytest.approx(distance.jensenshannon(left, right, base=2), abs=1e-7)
    assert found == measures.jensen_shannon(right, left)
    assert 0 <= found <= 1
    assert measures.jensen_shannon(left, left) == 0


def test_jensen_shannon_of_disjoint_shares_is_one() -> None:
    assert measures.jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1


@given(pairs(most=60))
def test_kolmogorov_smirnov_is_scipys(pair: tuple[Any, Any]) -> None:
    left, right = pair
    samples = [np.repeat(np.arange(len(side)), side) for side in pair]
    found = measures.kolmogorov_smirnov(left, right)
    assert found == pytest.approx(stats.ks_2samp(*samples).statistic, abs=1e-12)
    assert 0 <= found <= 1


def test_kolmogorov_smirnov_chance_errs_towards_quiet() -> None:
    chance = np.random.default_rng(1)
    left, right = chance.normal(size=400), chance.normal(0.1, 1, size=900)
    exact = stats.ks_2samp(left, right, method="exact")
    found = measures.kolmogorov_smirnov_chance(float(exact.statistic), 400, 900)
    assert exact.pvalue <= found <= 1.2 * exact.pvalue


@given(pairs())
def test_homogeneity_is_a_chance(pair: tuple[Any, Any]) -> None:
    assert 0 <= measures.homogeneity(*pair) <= 1
    assert measures.homogeneity(*pair) == pytest.approx(measures.homogeneity(*pair[::-1]))


def test_homogeneity_is_pearsons_where_no_cell_is_rare() -> None:
    table = np.array([[30, 50, 20], [45, 40, 60]])
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert measures.homogeneity(*table) == pytest.approx(expected)


def test_homogeneity_pools_rare_cells() -> None:
    # One row each in many cells: unpooled, the test would see wonders.
    left, right = np.array([500, *[1] * 20, *[0] * 20]), np.array([500, *[0] * 20, *[1] * 20])
    pooled = stats.chi2_contingency([[500, 20], [500, 20]], correction=False).pvalue
    assert measures.homogeneity(left, right) == pytest.approx(pooled)
    assert measures.homogeneity(np.array([2, 1]), np.array([0, 3])) == 1


def test_what_psi_is_by_chance() -> None:
    """The mean over many pairs of samples of one distribution."""
    chance = np.random.default_rng(3)
    shares = np.array([0.3, 0.2, 0.2, 0.15, 0.15])
    found = [
        measures.psi_of_counts(chance.multinomial(2000, shares), chance.multinomial(300, shares))
        for _ in range(2000)
    ]
    expected = measures.psi_by_chance(shares * 2000, shares * 300)
    assert expected == pytest.approx(4 * (1 / 2000 + 1 / 300))
    assert np.mean(found) == pytest.approx(expected, rel=0.08)


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from([0.05, 0.001]))
def test_bounds_of_a_rate(count: int, more: int, level: float) -> None:
    rows = count + more
    bound = measures.at_least(count, rows, level)
    assert 0 <= bound <= count / rows
    exact = stats.binomtest(count, rows).proportion_ci(1 - 2 * level, "exact")
    assert bound == pytest.approx(exact.low, abs=1e-9)


def test_estimates() -> None:
    sure, unsure = Estimate(0.8, 0.001), Estimate(0.8, 0.1)
    other = Estimate(0.7, 0.001)
    assert sure.differs(other, 0.001) and not unsure.differs(other, 0.001)
    assert measures.rate(0, 20).value == 0 and measures.rate(0, 20).error > 0.03
    few = measures.rate(38, 38)  # says little against 0.92
    assert few.differs(Estimate(0.92, 0.002), 0.001)
    assert not few.at(0.92).differs(Estimate(0.92, 0.002), 0.001)
    assert Estimate(0.5, 0.1).at(0.99).error == 0.1  # never surer
