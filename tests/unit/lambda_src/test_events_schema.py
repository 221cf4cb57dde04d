"""docs/events.schema.json says what `shared.events` writes and accepts, no more and no less."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared import events
from tests.unit.lambda_src.world import World

DOCS = Path(events.__file__).resolve().parents[2] / "docs"
SCHEMA = json.loads((DOCS / "events.schema.json").read_text(encoding="utf-8"))
JUDGE = Draft202012Validator(SCHEMA)
REVIEWED = {
    "decision": "accept",
    "previous": "review",
    "reviewed_at": "2026-01-02T00:00:00Z",
}


def analysed() -> dict[str, Any]:
    world = World()
    world.run(world.put())
    return world.details()[0]


def reviewed() -> dict[str, Any]:
    known = analysed()
    return {**{name: known[name] for name in ("schema", "id", "object", "record")}, **REVIEWED}


DETAILS = {
    **dict.fromkeys((events.DETAIL_TYPE, events.VIDEO_TYPE), analysed),
    **dict.fromkeys(events.REVIEWED_TYPES, reviewed),
}


def event(kind: str, detail: Any) -> dict[str, Any]:
    return {"source": events.SOURCE, "detail-type": kind, "detail": detail}


def accepts(kind: str, detail: Any) -> bool:
    try:
        events.validate(detail, kind)
    except ValueError:
        return False
    return True


def test_both_know_the_same_events() -> None:
    JUDGE.check_schema(SCHEMA)
    assert sorted(SCHEMA["properties"]["detail-type"]["enum"]) == sorted(DETAILS)


@pytest.mark.parametrize("kind", DETAILS)
def test_both_accept_what_is_written_and_fields_to_come(kind: str) -> None:
    detail = {**DETAILS[kind](), "later": 1}
    assert JUDGE.is_valid(event(kind, detail)) and accepts(kind, detail)


@pytest.mark.parametrize("kind", DETAILS)
def test_both_refuse_every_field_that_is_missing_or_of_another_type(kind: str) -> None:
    good = DETAILS[kind]()
    places = [(name,) for name in good]
    places += [(part, name) for part in ("object", "record") for name in good[part]]
    for place in places:
        for wrong in ("missing", 7.5):
            detail = copy.deepcopy(good)
            holder = detail[place[0]] if len(place) == 2 else detail
            if wrong == "missing":
                del holder[place[-1]]
            else:
                holder[place[-1]] = wrong
            assert not accepts(kind, detail), (place, wrong)
            assert not JUDGE.is_valid(event(kind, detail)), (place, wrong)


@pytest.mark.parametrize(("name", "value"), [("schema", "2"), ("decision", "perhaps")])
def test_both_refuse_values_that_are_none(name: str, value: str) -> None:
    detail = {**analysed(), name: value}
    assert not accepts(events.DETAIL_TYPE, detail)
    assert not JUDGE.is_valid(event(events.DETAIL_TYPE, detail))


def test_the_pages_example_is_such_an_event() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    told = json.loads(example)
    JUDGE.validate(told)
    events.validate(told["detail"], told["detail-type"])
