import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import events

RECORD: dict[str, Any] = {
    "pk": "s3://images/a b+ü.jpg",
    "sk": "version#v1",
    "bucket": "images",
    "key": "a b+ü.jpg",
    "version_id": "v1",
    "etag": "e",
    "size": 5,
    "decision": "reject",
    "reasons": [
        {"analysis": "moderation", "label": "Secret", "rule": "*"},
        {"analysis": "moderation", "label": "Other", "rule": "*"},
    ],
    "analyses": {"moderation": {}},
    "settings": "0123456789abcdef",
    "analysed_at": "2026-11-12T00:00:00.000Z",
}


def test_is_of_the_contract_and_holds_no_labels():
    detail = events.build(RECORD, "results")
    events.validate(detail)
    assert detail["codes"] == ["moderation:*"]
    assert detail["record"] == {"table": "results", "pk": RECORD["pk"], "sk": "version#v1"}
    assert "Secret" not in json.dumps(detail)


def test_unusable_images_give_their_codes():
    reasons = [{"code": "empty", "message": "the file is empty"}]
    record = {**RECORD, "decision": "unusable", "reasons": reasons, "analyses": {}}
    detail = events.build(record, "results")
    events.validate(detail)
    assert (detail["codes"], detail["analyses"]) == (["empty"], [])


def test_what_was_never_known_is_null():
    record = {name: value for name, value in RECORD.items() if name not in ("etag", "size")}
    detail = events.build(record, "results")
    events.validate(detail)
    assert (detail["object"]["etag"], detail["object"]["size"]) == (None, None)


def test_id_is_deterministic_and_pinned():
    assert events.event_id("s3://b/k", "v1", "0" * 16) == events.event_id(
        "s3://b/k", "v1", "0" * 16
    )
    # Changing this value means that consumers see every redelivery as new.
    assert events.event_id("s3://b/k", "v1", "0" * 16) == "915d12473f3213f57469e29cc1335efb"


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_ids_differ_where_anything_does(one: tuple[str, ...], other: tuple[str, ...]):
    assert (events.event_id(*one) == events.event_id(*other)) == (one == other)


def test_entry_carries_the_detail():
    entry = events.entry({"key": "ü"}, "platform")
    assert entry["EventBusName"] == "platform" and json.loads(entry["Detail"]) == {"key": "ü"}
    assert (entry["Source"], entry["DetailType"]) == ("sagelens.vision", "Image Analysed")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "2"}, "schema is '2'"),
        ({"decision": "maybe"}, "'maybe', not one of accept"),
        ({"codes": "x"}, "detail.codes is of type str"),
        ({"object": {"bucket": "b"}}, "object.key is missing"),
    ],
)
def test_validate_names_what_is_wrong(change: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=says):
        events.validate({**events.build(RECORD, "t"), **change})


@pytest.mark.parametrize("detail", [None, [], "x", {}])
def test_validate_refuses_other_things(detail: object):
    with pytest.raises(ValueError, match="not an 'Image Analysed' event"):
        events.validate(detail)


def test_each_kind_of_record_has_its_detail_type():
    assert events.analysed_type("image") == "Image Analysed"
    assert events.analysed_type("video") == "Video Analysed"
