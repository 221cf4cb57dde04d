"""The same bytes under the same settings are looked at once, and never answered wrongly."""

import hashlib
import json
from typing import Any

import pytest

from image_analysis import reuse
from image_analysis.flow import Outcome
from image_analysis.worker import _report
from shared.logs import Log
from shared.s3_events import ObjectVersion
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.images import jpeg, label
from tests.unit.lambda_src.test_all_analyses import settings as all_settings
from tests.unit.lambda_src.world import SETTINGS, World

REUSE = {"days": 30, "image_price": 0.001}
BAD = label("Weapons", 95.0)
DAY = 86_400
LARGE = jpeg() + b"\0" * 3_000_000


def world(settings: dict[str, Any] = SETTINGS, **changes: Any) -> World:
    return World({**settings, "reuse": REUSE, **changes})


def asked(world: World) -> int:
    return len(world.asked)


@pytest.mark.parametrize("data", [jpeg(), LARGE])
def test_the_same_bytes_are_answered_from_the_first_record(data: bytes) -> None:
    one = world()
    first = one.put("incoming/a.jpg", "v1", data, labels=(label("Alcohol", 70.0),))
    second = one.put("incoming/b.jpg", "v2", data)
    one.run(first)
    outcome = one.run(second)
    assert asked(one) == 1
    known, answered = one.record(first), one.record(second)
    for name in ("decision", "reasons", "analyses", "settings", "content", "answered_at"):
        assert answered[name] == known[name]
    assert answered["decision"] == "review" and answered["review"] == "waiting"
    assert known["content"] == f"{hashlib.sha256(data).hexdigest()}:{one.settings.fingerprint}"
    assert (answered["calls_saved"], outcome.kind) == (1, "analysed")
    assert "calls_saved" not in known
    assert [detail["object"]["key"] for detail in one.details()] == [first.key, second.key]
    # Nothing in the second record leads to the first object.
    assert first.key not in json.dumps(answered, default=str)


def test_a_byte_beyond_what_the_gate_reads_makes_another_image() -> None:
    one = world()
    for version, data in (("v1", LARGE), ("v2", LARGE[:-1] + b"\1")):
        one.run(one.put(f"incoming/{version}.jpg", version, data))
    assert asked(one) == 2


def test_a_rejected_picture_is_rejected_and_quarantined_again() -> None:
    one = world()
    for version in ("v1", "v2"):
        one.run(one.put(f"incoming/{version}.jpg", version, labels=(BAD,)))
    assert asked(one) == 1
    assert all(one.objects[f"incoming/{each}.jpg", each].quarantined for each in ("v1", "v2"))


def test_all_calls_of_an_image_are_saved_and_counted() -> None:
    one = world(all_settings())
    for version in ("v1", "v2"):
        one.run(one.put(f"incoming/{version}.jpg", version, sees=seen.SEEN))
    assert asked(one) == 6
    assert one.record(one.put("incoming/v2.jpg", "v2"))["calls_saved"] == 6


def changed(one: World) -> None:
    one.configure({**one_settings(), "policy": {"moderation": {"*": {"accept": [0, 100]}}}})


def one_settings() -> dict[str, Any]:
    return {**SETTINGS, "reuse": REUSE}


def expired(one: World) -> None:
    one.configure(one_settings(), days="1")
    for item in one.table.values():
        item["expires_at"] = {"N": str(int(one.now) - 1)}


def erased(one: World) -> None:
    one.table.clear()


def renewed(one: World) -> None:
    """Meanwhile another image was answered by a newer model."""
    version = one.put("incoming/z.jpg", "z", jpeg(width=320))
    one.seen["z"]["DetectModerationLabels"]["ModerationModelVersion"] = "8.0"
    one.run(version)
    one.asked.clear()
    one.asked.append(("the first", {}))


def aged(one: World) -> None:
    one.now += 31 * DAY


def judged_anew(one: World) -> None:
    """The index still names the first, whose record says something else by now."""
    for item in one.table.values():
        item.pop("content", None)


@pytest.mark.parametrize("meanwhile", [changed, expired, erased, renewed, aged, judged_anew])
def test_an_answer_that_no_longer_holds_is_not_used(meanwhile: Any) -> None:
    one = world()
    one.run(one.put("incoming/a.jpg", "v1"))
    meanwhile(one)
    second = one.put("incoming/b.jpg", "v2")
    one.run(second)
    assert asked(one) == 2
    assert "calls_saved" not in one.record(second)


def test_an_answer_does_not_grow_younger_by_being_used() -> None:
    one = world()
    one.run(one.put("incoming/a.jpg", "v1"))
    one.now += 29 * DAY
    one.run(one.put("incoming/b.jpg", "v2"))
    assert asked(one) == 1
    one.now += 2 * DAY
    one.run(one.put("incoming/c.jpg", "v3"))
    assert asked(one) == 2


def test_what_a_person_decided_about_one_object_holds_for_that_one() -> None:
    one = world()
    first = one.put("incoming/a.jpg", "v1", labels=(label("Alcohol", 70.0),))
    one.run(first)
    item = one.table[first.uri, "version#v1"]
    item["decision"] = {"S": "accept"}
    item["reviewed"] = {"M": {"previous": {"S": "review"}, "decision": {"S": "accept"}}}
    second = one.put("incoming/b.jpg", "v2")
    one.run(second)
    assert asked(one) == 1
    assert one.record(second)["decision"] == "review"


def test_two_at_the_same_time_are_both_looked_at() -> None:
    one = world()
    first, second = one.put("incoming/a.jpg", "v1"), one.put("incoming/b.jpg", "v2")
    look = one.look

    def meanwhile(operation: str, **arguments: Any) -> Any:
        if one.count()["DetectModerationLabels"] == 1:
            one.run(second)
        return look(operation, **arguments)

    one.look = meanwhile
    one.run(first)
    assert asked(one) == 2
    assert one.record(first)["content"] == one.record(second)["content"]


def test_a_partial_record_answers_nobody() -> None:
    one = world(all_settings())
    first = one.put("incoming/a.jpg", "v1", sees=seen.SEEN)
    one.fail("DetectText", "ThrottlingException")
    with pytest.raises(Exception, match="Throttling"):
        one.run(first)
    one.asked.clear()
    one.run(one.put("incoming/b.jpg", "v2", sees=seen.SEEN))
    assert asked(one) == 6


def test_results_that_lie_elsewhere_answer_nobody() -> None:
    one = world(all_settings())
    many = {**seen.FACES, "FaceDetails": [seen.full_face(99.0)] * 900}
    for version in ("v1", "v2"):
        one.run(
            one.put(f"incoming/{version}.jpg", version, sees={**seen.SEEN, "DetectFaces": many})
        )
    assert asked(one) == 12
    assert all(
        "results" in one.record(ObjectVersion("images", f"incoming/{each}.jpg", each, "01"))
        for each in ("v1", "v2")
    )


def test_off_it_reads_and_asks_nothing_more() -> None:
    one = World()
    for version in ("v1", "v2"):
        one.run(one.put(f"incoming/{version}.jpg", version, LARGE))
    assert asked(one) == 2
    assert one.count()["Query"] == 0 and one.count()["GetObject"] == 2


def test_a_model_of_ones_own_counts_as_its_version() -> None:
    models = reuse.Models()
    old = {"custom_labels": {"models": [{"model": "arn:v1"}]}}
    assert models.are_current(old)
    models.note({"custom_labels": {"models": [{"model": "arn:v2"}]}})
    assert not models.are_current(old)


def test_the_saving_is_a_metric(capsys: Any) -> None:
    record = {"decision": "accept", "duration_ms": 3, "calls_saved": 6}
    _report(Log("dev"), Outcome("analysed", record), 0.00475)
    line = json.loads(capsys.readouterr().out)
    assert (line["CallsSaved"], line["DollarsSaved"]) == (6, 0.00475)
    units = {each["Name"]: each["Unit"] for each in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["CallsSaved"], units["DollarsSaved"]) == ("Count", "None")
