"""Cut off, or failed, before and after every single call: a redelivery ends as a clean run does."""

from typing import Any

import pytest

from shared.dynamodb import Fields
from shared.errors import Busy
from tests.unit.lambda_src.images import label
from tests.unit.lambda_src.world import Killed, World, error

CASES: dict[str, dict[str, Any]] = {
    "accepted": {},
    "rejected": {"labels": (label("Explicit", 97.5),), "tags": 2},
    "rejected, ten tags": {"labels": (label("Explicit", 97.5),), "tags": 10},
    "unusable": {"data": b"just a text"},
}
# What may differ from a clean run: how often and how long it took.
VARIES = ("attempts", "duration_ms", "analysed_at", "expires_at")


def _clean(case: str) -> tuple[World, list[str]]:
    world = World()
    world.run(world.put(**CASES[case]))
    return world, world.calls


def _points() -> list[tuple[str, int, str]]:
    return [
        (case, number, when)
        for case in CASES
        for number in range(len(_clean(case)[1]))
        for when in ("before", "after")
    ]


def _lasting(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in VARIES}


def _strike_once(world: World, number: int, when: str, raised: BaseException) -> None:
    def strike(called: int, moment: str, operation: str) -> None:
        if (called, moment) == (number, when):
            raise raised

    world.strike = strike


def _same_end(world: World, case: str) -> None:
    clean, _ = _clean(case)
    version = clean.put(**CASES[case])
    assert _lasting(world.record(version)) == _lasting(World.record(_clean(case)[0], version))
    assert _lasting(world.current(version)) == _lasting(_clean(case)[0].current(version))
    assert world.objects[version.key, "v1"].tags == _clean(case)[0].objects[version.key, "v1"].tags
    # Announced at least once, and every copy is recognisable as one.
    assert len({detail["id"] for detail in world.details()}) == 1
    assert 1 <= len(world.bus) <= 2


@pytest.mark.parametrize(("case", "number", "when"), _points())
def test_cut_off_at_every_point(world: World, case: str, number: int, when: str):
    version = world.put(**CASES[case])
    _strike_once(world, number, when, Killed())
    with pytest.raises(Killed):
        world.run(version)
    world.strike = lambda *_: None

    record = world.table.get((version.uri, "version#v1"), {})
    if record.get("status") == {"S": "in_progress"}:
        with pytest.raises(Busy) as busy:  # redelivered too early: the lease still stands
            world.run(version)
        world.now += busy.value.seconds + 1
    world.run(version)

    _same_end(world, case)
    assert world.count()["DetectModerationLabels"] <= 2
    assert world.run(version).kind == "repeated"


@pytest.mark.parametrize(("case", "number", "when"), _points())
def test_failed_at_every_point_retries_at_once(world: World, case: str, number: int, when: str):
    version = world.put(**CASES[case])
    _strike_once(world, number, when, error("InternalServerError", "X", 500))
    with pytest.raises(type(error("", "")), match="InternalServerError"):
        world.run(version)
    world.strike = lambda *_: None
    world.run(version)  # no turn of the clock in between
    _same_end(world, case)
    assert world.run(version).kind == "repeated"


@pytest.mark.parametrize("number", range(4, 7))
def test_cut_off_at_the_quarantine_is_finished_without_reading_again(world: World, number: int):
    """From the noted verdict on, the version may be tagged: its author cannot read it any more."""
    version = world.put(**CASES["rejected"])
    _strike_once(world, number, "after", Killed())
    with pytest.raises(Killed):
        world.run(version)
    world.strike = lambda *_: None
    world.now += 1000
    world.run(version)
    _same_end(world, "rejected")
    assert world.count()["DetectModerationLabels"] == world.count()["GetObject"] == 1


@pytest.mark.parametrize(("number", "decision"), [(4, "accept"), (5, "reject")])
def test_other_settings_after_a_noted_verdict(world: World, number: int, decision: str):
    """Noted but not tagged (4): judged anew. Tagged (5): only a person lifts that."""
    version = world.put(**CASES["rejected"])
    _strike_once(world, number, "after", Killed())
    with pytest.raises(Killed):
        world.run(version)
    world.strike = lambda *_: None
    world.now += 1000
    settings = {
        "analyses": {"moderation": {"minimum_confidence": 40}},
        "policy": {"moderation": {"*": {"accept": [0, 100]}}},
        "pace": {"DetectModerationLabels": 100},
        "retry": {"first": 5, "most": 300, "denied": 900},
    }
    world.configure(settings)
    record = world.run(version).record
    assert (record["decision"], record["quarantined"]) == (decision, decision == "reject")
    assert "pending" not in world.record(version)
    assert world.objects[version.key, "v1"].quarantined is (decision == "reject")


def test_a_release_that_fails_hides_nothing(world: World):
    version = world.put()

    def strike(number: int, when: str, operation: str) -> None:
        if operation == "GetObject":
            raise error("SlowDown", operation, 503)
        if operation == "UpdateItem" and number > 0:
            raise error("InternalServerError", operation, 500)

    world.strike = strike
    with pytest.raises(type(error("", "")), match="SlowDown"):
        world.run(version)
