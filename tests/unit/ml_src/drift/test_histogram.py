"""Histograms: exact for few values, fine for many, and merged into about ten bins."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ml_src.shared.drift.histogram import FINE, Histogram, coarse, count
from ml_src.shared.drift.measures import kolmogorov_smirnov

finite = st.floats(-1e6, 1e6, allow_nan=False, width=32)
columns = st.lists(finite, min_size=1, max_size=600).map(lambda values: np.array(values))


@given(columns, columns)
def test_shares_up_to_an_edge_are_exact(past: Any, now: Any) -> None:
    found = Histogram.of(past)
    for values, counts in ((past, found.counts), (now, count(found.edges, now))):
        assert counts.sum() == len(values)
        below = np.cumsum(counts)[:-1]
        assert below.tolist() == [int((values <= edge).sum()) for edge in found.edges]
    assert found.edges[0] == past.min() and found.edges[-1] == past.max()
    assert found.counts[-1] == 0


@given(columns)
def test_written_and_read_again(values: Any) -> None:
    found = Histogram.of(values)
    again = Histogram.from_document(json.loads(json.dumps(found.document())))
    assert (again.edges == found.edges).all() and (again.counts == found.counts).all()


def test_an_empty_column() -> None:
    found = Histogram.of(np.empty(0))
    assert found.rows == 0 and found.document() == {"edges": [], "counts": []}
    assert count(found.edges, np.array([1.0])).tolist() == [1]


@pytest.mark.parametrize(
    "document",
    [
        {"edges": [1, 1], "counts": [1, 1]},
        {"edges": [2, 1], "counts": [1, 1]},
        {"edges": [1, 2], "counts": [1]},
        {"edges": [1], "counts": [-1]},
    ],
)
def test_no_histogram(document: Any) -> None:
    with pytest.raises(ValueError, match="edges must ascend"):
        Histogram.from_document(document)


def test_bins_are_fine_enough() -> None:
    values = np.random.default_rng(1).lognormal(3, 1, 50_000)
    found = Histogram.of(values)
    assert len(found.edges) == FINE + 1
    assert found.counts.max() <= 0.006 * len(values)


@given(st.integers(0, 2**31))
def test_the_distance_is_scipys_but_for_half_a_percent(seed: int) -> None:
    chance = np.random.default_rng(seed)
    past, now = chance.normal(size=2000), chance.normal(chance.uniform(0, 1), 1, 500)
    histogram = Histogram.of(past)
    found = kolmogorov_smirnov(histogram.counts, count(histogram.edges, now))
    exact = float(stats.ks_2samp(past, now).statistic)
    # A bin holds 0.5 % of the past's values, and about as many of now's.
    assert exact - 0.02 <= found <= exact + 1e-12


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=250))
def test_merging_keeps_order_and_leaves_no_gap(counts: list[int]) -> None:
    groups = coarse(np.array(counts))
    steps = np.diff(groups)
    assert groups[0] == 0 and ((steps == 0) | (steps == 1)).all()
    assert groups[-1] <= 20


def test_merging_into_tenths() -> None:
    groups = coarse(np.append(np.full(200, 5), 0))
    assert np.bincount(groups[:-1]).tolist() == [20] * 10


def test_a_frequent_value_stays_alone() -> None:
    counts = np.array([50, 8, 7, 8, 7, 10, 10, 0])
    assert coarse(counts).tolist() == [0, 1, 1, 2, 2, 3, 4, 4]
    assert coarse(np.array([6, 84, 10, 0])).tolist() == [0, 1, 2, 2]
