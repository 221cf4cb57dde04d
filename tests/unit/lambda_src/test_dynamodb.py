from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dynamodb import from_item, size_of, to_attribute, to_item

VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(10**37), 10**37),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_values_survive(fields: dict[str, Any]):
    assert from_item(to_item(fields)) == fields


@given(st.floats(0, 100))
def test_confidences_keep_every_digit(value: float):
    assert float(from_item({"c": to_attribute(value)})["c"]) == value


def test_agrees_with_boto3():
    from boto3.dynamodb.types import TypeSerializer

    fields = {"a": None, "b": True, "c": "ü", "d": Decimal("97.5"), "e": [1, {"f": "g"}]}
    assert to_item(fields) == {k: TypeSerializer().serialize(v) for k, v in fields.items()}


@pytest.mark.parametrize("value", [b"x", {1}, object(), float("nan"), float("inf")])
def test_refuses_what_it_does_not_know(value: Any):
    with pytest.raises(TypeError, match="a record cannot hold"):
        to_attribute(value)


def test_refuses_types_no_record_uses():
    with pytest.raises(TypeError, match="'SS'"):
        from_item({"a": {"SS": ["x"]}})


@given(st.dictionaries(st.text(), VALUES))
def test_size_is_never_below_the_texts(fields: dict[str, Any]):
    assert size_of(fields) > sum(len(name.encode()) for name in fields)
