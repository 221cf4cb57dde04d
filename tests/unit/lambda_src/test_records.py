import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dynamodb import Fields
from shared.errors import Busy, RecordTooLarge
from shared.records import Records, order_of
from shared.s3_events import ObjectVersion
from tests.unit.lambda_src.world import World, error

HEX = st.text("0123456789abcdefABCDEF", min_size=1, max_size=24)
VERDICT: Fields = {
    "decision": "accept",
    "reasons": [],
    "analyses": {},
    "settings": "S",
    "analysed_at": "2026-11-12T00:00:00.000Z",
    "quarantined": False,
    "duration_ms": 1,
}
NOW = 1_000.0


@pytest.fixture
def version(world: World) -> ObjectVersion:
    return world.put()


def records(world: World, seconds: int | None = None) -> Records:
    return Records(world.clients.dynamodb, "results", seconds)


def claim(world: World, version: ObjectVersion, owner: str, now: float = NOW, settings: str = "S"):
    return records(world).claim(version, owner, settings, now, lease=90)


def done(world: World, version: ObjectVersion, **changes: object) -> Fields:
    taken = claim(world, version, "a")
    return records(world).complete(taken.record, "a", {**VERDICT, **changes})


def _padded(one: str, other: str) -> int:
    """The rule as Amazon S3 words it."""
    length = max(len(one), len(other))
    left, right = (text.lower().ljust(length, "0") for text in (one, other))
    return (left > right) - (left < right)


@given(HEX, HEX)
def test_order_is_that_of_padded_sequencers(one: str, other: str):
    a, b = order_of(one), order_of(other)
    assert (a > b) - (a < b) == _padded(one, other)
    assert order_of(one + "000") == a


@given(st.lists(HEX, min_size=2, max_size=6))
def test_order_is_total(sequencers: list[str]):
    ordered = sorted(sequencers, key=order_of)
    assert all(_padded(a, b) <= 0 for a, b in itertools.combinations(ordered, 2))


def test_first_claim_makes_the_record(world: World, version: ObjectVersion):
    taken = records(world, 100).claim(version, "a", "S", NOW, 90)
    assert taken.state == "mine"
    assert taken.record == {
        "pk": "s3://images/incoming/a.jpg", "sk": "version#v1", "kind": "image",
        "bucket": "images", "key": "incoming/a.jpg", "version_id": "v1", "sequencer": "01",
        "etag": "e", "size": version.size, "created_at": "2026-11-12T00:00Z",
        "status": "in_progress", "owner": "a", "lease_until": 1090, "attempts": 1,
        "expires_at": 1100,
    }  # fmt: skip


def test_a_live_lease_keeps_others_off_until_it_ends(world: World, version: ObjectVersion):
    claim(world, version, "a")
    busy = claim(world, version, "b", NOW + 90)
    assert (busy.state, busy.record["lease_until"]) == ("busy", 1090)
    taken = claim(world, version, "b", NOW + 90.5)
    assert (taken.state, taken.record["attempts"]) == ("mine", 2)


def test_an_own_lease_after_a_lost_answer_is_ours(world: World, version: ObjectVersion):
    claim(world, version, "a")
    assert claim(world, version, "a").state == "mine"


def test_released_is_free_at_once(world: World, version: ObjectVersion):
    claim(world, version, "a")
    records(world).release(version, "b")
    assert claim(world, version, "b").state == "busy"
    records(world).release(version, "a")
    assert claim(world, version, "b").state == "mine"


def test_release_never_makes_a_record(world: World, version: ObjectVersion):
    records(world).release(version, "a")
    assert world.table == {}


def test_complete_ends_the_lease(world: World, version: ObjectVersion):
    record = done(world, version)
    assert (record["status"], record["announced"]) == ("done", False)
    assert not {"owner", "lease_until", "pending"} & set(record)
    assert claim(world, version, "b").state == "done"


def test_only_the_owner_completes(world: World, version: ObjectVersion):
    old = claim(world, version, "a")
    claim(world, version, "b", NOW + 200)
    for write in (records(world).complete, records(world).plan):
        with pytest.raises(Busy):
            write(old.record, "a", VERDICT)
    assert world.record(version)["owner"] == "b" and "pending" not in world.record(version)


def test_completing_again_after_a_lost_answer_is_fine(world: World, version: ObjectVersion):
    taken = claim(world, version, "a")
    first = records(world).complete(taken.record, "a", VERDICT)
    assert records(world).complete(taken.record, "a", VERDICT) == first


def test_other_settings_take_a_result_up_again(world: World, version: ObjectVersion):
    done(world, version)
    again = claim(world, version, "b", settings="T")
    assert again.state == "mine" and again.record["decision"] == "accept"


def test_but_never_a_quarantined_one(world: World, version: ObjectVersion):
    done(world, version, decision="reject", quarantined=True)
    assert claim(world, version, "b", settings="T").state == "done"


def test_noted_verdict_comes_with_the_next_claim(world: World, version: ObjectVersion):
    taken = claim(world, version, "a")
    records(world).plan(taken.record, "a", {**VERDICT, "decision": "reject"})
    assert claim(world, version, "b", NOW + 200).record["pending"]["decision"] == "reject"


def test_current_only_moves_forward(world: World):
    order = ["05", "0500", "04ff", "06", "050", "06"]
    moved = [
        records(world).advance(done(world, world.put(version=f"v{at}", sequencer=sequencer)))
        for at, sequencer in enumerate(order)
    ]
    # "0500" is "05" padded, so not newer; so is the second "06".
    assert moved == [True, False, False, True, False, False]
    assert world.current(world.put(version="v3"))["version_id"] == "v3"


def test_current_follows_a_new_result_of_its_version(world: World, version: ObjectVersion):
    record = done(world, version)
    assert records(world).advance(record)
    assert records(world).advance({**record, "decision": "review"})
    assert world.current(version)["decision"] == "review"


def test_announced_is_not_noted_for_another_result(world: World, version: ObjectVersion):
    record = done(world, version)
    records(world).mark_announced({**record, "settings": "T"})
    assert world.record(version)["announced"] is False
    records(world).mark_announced(record)
    assert world.record(version)["announced"] is True


def test_null_record_days_lifts_an_expiry(world: World, version: ObjectVersion):
    records(world, 100).claim(version, "a", "S", NOW, 90)
    taken = records(world).claim(version, "b", "S", NOW + 500, 90)
    assert "expires_at" not in taken.record


def test_a_record_too_large_fails_loudly(world: World, version: ObjectVersion):
    taken = claim(world, version, "a")
    huge = {**VERDICT, "analyses": {"text": {"words": ["x" * 1000] * 400}}}
    for write in (records(world).complete, records(world).plan):
        with pytest.raises(RecordTooLarge, match="at most 350,000"):
            write(taken.record, "a", huge)


def test_other_failures_pass_through(world: World, version: ObjectVersion):
    world.fail("UpdateItem", "ThrottlingException")
    with pytest.raises(type(error("x", "y")), match="ThrottlingException"):
        claim(world, version, "a")
