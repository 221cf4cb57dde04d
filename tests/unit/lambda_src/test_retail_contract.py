"""The contract of counted shelves: the schema and our own reading of it say the same."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator
from hypothesis import given
from hypothesis import strategies as some

from retail import contract

SCHEMA = json.loads(contract.SCHEMA_FILE.read_text())
GOOD: dict[str, Any] = {
    "schema": "1",
    "id": "0" * 32,
    "store": "3",
    "aisle": "drinks",
    "reading": "20261123T073000Z",
    "read_at": "2026-11-23T07:30:00Z",
    "counted_at": "2026-11-23T07:31:00.000Z",
    "rules": "0" * 16,
    "products": [{"product": "cola", "count": 2, "confidence": 71.5, "pictures": [1]}],
    "pictures": [{"number": 1, "bucket": "b", "key": "k", "version_id": "v"}],
}
NUMBERS = some.one_of(some.integers(-5, 500), some.floats(-5, 500))
ANYTHING = some.one_of(some.none(), some.booleans(), NUMBERS, some.text(max_size=5))


def test_an_event_of_the_contract_passes_and_later_fields_are_tolerated() -> None:
    assert contract.validate({**GOOD, "colour": "red"})["store"] == "3"


@given(some.data())
def test_both_judge_a_changed_event_alike(data: some.DataObject) -> None:
    detail = copy.deepcopy(GOOD)
    holders = [detail, *detail["products"], *detail["pictures"]]
    holder = data.draw(some.sampled_from(holders))
    name = data.draw(some.sampled_from(sorted(holder)))
    if data.draw(some.booleans()):
        del holder[name]
    else:
        holder[name] = data.draw(some.one_of(ANYTHING, some.just([]), some.just([{}, 3])))
    valid = not list(StandardValidator(SCHEMA).iter_errors(detail))
    try:
        contract.validate(detail)
    except contract.NotOfContract as error:
        # What no schema can say is refused too.
        assert not valid or "detail.read_at is" in str(error) or "not listed" in str(error)
    else:
        assert valid


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {**GOOD, "schema": "2", "store": "a/b", "products": [{"product": "", "count": 0}]}
    del wrong["aisle"]
    with pytest.raises(contract.NotOfContract) as caught:
        contract.validate(wrong)
    words = str(caught.value)
    for part in ("detail.aisle is missing", "detail.schema is '2'", "detail.store is 'a/b'"):
        assert part in words
    assert "detail.products[0].count is 0" in words
    assert "detail.products[0].pictures is missing" in words


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("read_at", "2026-11-23T07:30:01Z", "but the reading is"),
        ("products", GOOD["products"] * 2, "names 'cola' more than once"),
        (
            "products",
            [{**GOOD["products"][0], "pictures": [2]}],
            "is on a picture that is not listed",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(field: str, value: Any, words: str) -> None:
    with pytest.raises(contract.NotOfContract, match=words):
        contract.validate({**GOOD, field: value})


def test_a_line_end_after_a_name_is_no_name() -> None:
    with pytest.raises(contract.NotOfContract):
        contract.validate({**GOOD, "store": "3\n"})


def test_no_object_at_all_is_refused() -> None:
    with pytest.raises(contract.NotOfContract, match="detail is 'hello'"):
        contract.validate("hello")


def test_ids_depend_on_all_parts_and_on_nothing_else() -> None:
    assert contract.event_id("a", 1, "b") == contract.event_id("a", 1, "b")
    assert contract.event_id("a", "1b") != contract.event_id("a", "1", "b")
