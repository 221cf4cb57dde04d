"""Properties of confidence bands: a partition of 0 to 100 is accepted, nothing else is."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.policy import Bands

DECISIONS = ("accept", "review", "reject")
Given = dict[str, tuple[float, float]]


@st.composite
def partitions(draw: st.DrawFn) -> Given:
    """Return bands of one to three decisions that cover 0 to 100, stricter ones higher."""
    chosen = draw(st.lists(st.sampled_from(DECISIONS), min_size=1, max_size=3, unique=True))
    inner = st.one_of(
        st.integers(1, 99),
        st.floats(0, 100, exclude_min=True, exclude_max=True),
    )
    cuts = draw(st.lists(inner, min_size=len(chosen) - 1, max_size=len(chosen) - 1, unique=True))
    edges = [0, *sorted(cuts), 100]
    decisions = sorted(chosen, key=DECISIONS.index)
    return dict(zip(decisions, pairwise(edges), strict=True))


@given(partitions())
def test_any_partition_is_accepted(bands: Given) -> None:
    assert Bands.model_validate(bands).given() == bands


@given(partitions(), st.data())
def test_an_edge_that_moves_leaves_a_gap_or_an_overlap(bands: Given, data: st.DataObject) -> None:
    decision = data.draw(st.sampled_from(sorted(bands)))
    side = data.draw(st.integers(0, 1))
    edge = data.draw(st.floats(0, 100))
    moved = list(bands[decision])
    assume(edge != moved[side])
    moved[side] = edge
    with pytest.raises(ValidationError, match=r"gap|overlap|empty|lies below"):
        Bands.model_validate({**bands, decision: moved})


@given(partitions().filter(lambda bands: len(bands) > 1), st.data())
def test_a_band_left_out_is_a_gap(bands: Given, data: st.DataObject) -> None:
    left_out = data.draw(st.sampled_from(sorted(bands)))
    rest = {decision: band for decision, band in bands.items() if decision != left_out}
    with pytest.raises(ValidationError, match="no band holds"):
        Bands.model_validate(rest)


@given(partitions().filter(lambda bands: len(bands) > 1))
def test_a_milder_band_above_a_stricter_one_is_refused(bands: Given) -> None:
    swapped = dict(zip(bands, reversed(bands.values()), strict=True))
    with pytest.raises(ValidationError, match="which is less strict"):
        Bands.model_validate(swapped)


@given(partitions())
def test_the_strict_part_begins_where_accept_ends(bands: Given) -> None:
    start = Bands.model_validate(bands).strict_from()
    assert start == (bands["accept"][1] if "accept" in bands and len(bands) > 1 else start)
    assert (start is None) == (list(bands) == ["accept"])
