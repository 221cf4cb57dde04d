import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.s3_events import Malformed, parse
from tests.unit.lambda_src.images import body, event

# Anything UTF-8 can say, up to 1,024 bytes of it (Amazon S3 user guide, "Naming objects").
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024).filter(
    lambda key: len(key.encode()) <= 1024
)
NASTY = ["a b.jpg", "a+b.jpg", "100%25.jpg", "%2F", "ü/雪/🦊.png", "a\nb", "x" * 1024, "ü" * 512]


@given(KEYS)
def test_any_key_survives_unchanged(key: str):
    assert parse(body(key)).key == key
    assert parse(json.dumps(event(key), ensure_ascii=False)).key == key


@pytest.mark.parametrize("key", NASTY)
def test_nasty_keys_survive_unchanged(key: str):
    assert parse(body(key)).uri == f"s3://images/{key}"


def test_reads_every_field():
    version = parse(body(size=0))
    assert (version.bucket, version.key, version.version_id) == ("images", "incoming/a.jpg", "v1")
    assert (version.size, version.sequencer) == (0, "617f08299329d189")
    assert version.etag == "b57f9512698f4b09e608f4f2a65852e5"
    assert version.created_at == "2026-11-12T00:00:00Z"


def test_tolerates_unknown_fields_and_versions():
    told = event(**{"new-field": {"a": 1}})
    told |= {"version": "0.7", "surprise": [1]}
    told["detail"] |= {"version": "1.4", "more": None}
    assert parse(json.dumps(told)) == parse(body())


def test_size_etag_and_time_may_be_missing():
    told = event(size=None, etag=None)
    del told["time"]
    version = parse(json.dumps(told))
    assert (version.size, version.etag, version.created_at) == (None, None, None)


def _with(path: str, value: Any) -> str:
    told = event()
    holder: Any = told
    *above, last = path.split(".")
    for name in above:
        holder = holder[name]
    holder[last] = value
    return json.dumps(told)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "no object: list"),
        ("null", "no object: NoneType"),
        ("{}", "event None of None"),
        (json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}), "test event"),
        (json.dumps({"Records": [{"eventSource": "aws:s3"}]}), "through EventBridge"),
        (_with("detail-type", "Object Deleted"), "'Object Deleted'"),
        (_with("detail-type", "Object Restore Completed"), "only 'Object Created'"),
        (_with("source", "my.app"), "'my.app'"),
        (_with("detail", None), "detail is missing"),
        (_with("detail.bucket", "images"), "detail.bucket is missing or no object"),
        (_with("detail.object", []), "detail.object is missing or no object"),
        (_with("detail.object.key", ""), "detail.object.key is missing, empty"),
        (_with("detail.object.key", 7), "detail.object.key is missing, empty or no string"),
        (_with("detail.object.key", "\ud800"), "no valid Unicode"),
        (body(**{"version-id": None}), "its bucket is not versioned"),
        (body(sequencer=None), "detail.object.sequencer is missing"),
        (body(sequencer="later"), "not hexadecimal: 'later'"),
    ],
)
def test_refuses_what_is_no_object_version(text: str, says: str):
    with pytest.raises(Malformed, match=says):
        parse(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text()
                | st.sampled_from(["detail", "object", "bucket", "source", "detail-type", "key"]),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_is_read_or_malformed(value: Any):
    with pytest.raises(Malformed):
        parse(json.dumps(value))
