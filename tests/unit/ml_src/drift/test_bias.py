"""Bias per group, by hand, in Clarify's words."""

from __future__ import annotations

import numpy as np
import pytest

from ml_src.shared.drift import bias
from ml_src.shared.drift.baseline import Predictions
from ml_src.shared.drift.histogram import Histogram
from ml_src.shared.drift.thresholds import Thresholds

LIMITS = Thresholds()


def known(**groups: dict[str, tuple[int, int]]) -> Predictions:
    return Predictions(Histogram.of(np.array([0.1, 0.9])), 0.5, 1, {}, groups)


def test_figures_by_hand() -> None:
    counts = {"gender": {"Female": [200, 60], "Male": [300, 120]}}
    (found,) = bias.facets(counts, {"gender": "Female"}, None, LIMITS)
    found.judge(0.001, LIMITS)
    document = found.document()
    assert document["selection_rate"] == 0.3 and document["other_selection_rate"] == 0.4
    assert document["disparate_impact"] == pytest.approx(0.75)
    assert document["difference_in_positive_proportions"] == pytest.approx(0.1)
    assert not document["drifted"]  # below 0.8, but not for sure


@pytest.mark.parametrize(("selected", "drifted"), [(30, True), (110, False), (300, True)])
def test_a_group_unknown_at_evaluation_is_held_to_its_impact(selected: int, drifted: bool) -> None:
    counts = {"gender": {"Female": [400, selected], "Male": [400, 120]}}
    (found,) = bias.facets(counts, {"gender": "Female"}, known(), LIMITS)
    found.judge(0.001, LIMITS)
    assert bool(found.reasons) is drifted
    if drifted:
        assert "gender=Female: disparate impact" in found.reasons[0]
        assert "allowed is 0.8 to 1.25" in found.reasons[0]


def test_what_was_so_at_evaluation_is_no_drift() -> None:
    counts = {"senior": {"1": [1000, 800], "0": [4000, 1200]}}
    past = known(senior={"1": (100, 82), "0": (500, 150)})
    (found,) = bias.facets(counts, {"senior": "1"}, past, LIMITS)
    found.judge(0.001, LIMITS)
    assert not found.reasons and found.document()["baseline"]["disparate_impact"] > 2


def test_a_change_either_way_is_drift() -> None:
    past = known(senior={"1": (500, 250), "0": (500, 250)})
    for selected in (100, 400):
        counts = {"senior": {"1": [500, selected], "0": [500, 250]}}
        (found,) = bias.facets(counts, {"senior": "1"}, past, LIMITS)
        found.judge(0.001, LIMITS)
        assert "at evaluation +0.00; allowed is a change of 0.1" in found.reasons[0]


def test_each_value_in_turn_but_no_mirror_image() -> None:
    two = {"gender": {"Male": [50, 5], "Female": [60, 6]}}
    three = {"Contract": {"A": [50, 5], "B": [60, 6], "C": [70, 7]}}
    found = bias.facets({**two, **three}, {"gender": None, "Contract": None}, None, LIMITS)
    assert [facet.name for facet in found] == [
        "gender=Female",
        "Contract=A",
        "Contract=B",
        "Contract=C",
    ]
    assert found[2].group == (60, 6) and found[2].others == (120, 12)


def test_small_and_absent_groups_are_not_judged() -> None:
    counts = {"gender": {"Female": [29, 0], "Male": [300, 300]}}
    for watched in ("Female", "Other"):
        (found,) = bias.facets(counts, {"gender": watched}, None, LIMITS)
        found.judge(0.05, LIMITS)
        assert not found.judged and not found.reasons
    assert found.document()["selection_rate"] is None
    assert found.document()["disparate_impact"] is None


def test_bounds_of_disparate_impact_hold_the_truth() -> None:
    chance = np.random.default_rng(4)
    outside = 0
    for _ in range(2000):
        group, others = (80, int(chance.binomial(80, 0.2))), (120, int(chance.binomial(120, 0.4)))
        low, high = bias.impact_between(group, others, 0.05)
        outside += not low <= 0.5 <= high
    assert outside / 2000 <= 0.06
