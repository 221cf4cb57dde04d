"""Rows of results: made of the record alone, and never of one that is no more."""

import json
import re
from typing import Any

import pytest

from image_results import rows
from image_results.export import Export
from image_results.handler import METRICS
from sagelens import results_catalog
from shared import events, following, results
from shared.batch import Message
from shared.dynamodb import to_item
from shared.following import Follower, Moving
from shared.logs import Log
from shared.s3_events import Malformed
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.images import label
from tests.unit.lambda_src.test_all_analyses import settings
from tests.unit.lambda_src.world import World, error

PRIMITIVES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "int": int,
    "bigint": int,
    "double": (int, float),
    "boolean": bool,
}


def fits(value: Any, kind: str) -> bool:
    """Whether a JSON value is of a type of Hive's, as the table declares it."""
    if value is None:
        return True
    if kind.startswith("array<"):
        return isinstance(value, list) and all(fits(each, kind[6:-1]) for each in value)
    if kind.startswith("struct<"):
        fields = re.findall(r"(\w+):((?:[^<>,]|<[^<>]*>)+)", kind[7:-1])
        return set(value) == {name for name, _ in fields} and all(
            fits(value[name], type) for name, type in fields
        )
    return isinstance(value, PRIMITIVES[kind]) and (kind == "boolean" or value is not True)


def world() -> World:
    rules = {"Vehicle": {"review": [0, 100]}, "*": {"accept": [0, 100]}}
    return World(settings(labels=rules))


def analysed(one: World, key: str = "incoming/a.jpg") -> dict[str, Any]:
    version = one.put(key, "v/1", sees=seen.SEEN, labels=(label("Beer", 71.5, "Alcohol", 2),))
    one.run(version)
    return one.record(version)


class Stage:
    """Records and rows: S3 and DynamoDB as far as the export calls them."""

    def __init__(self, *records: dict[str, Any] | None) -> None:
        self.records = list(records)
        self.put: dict[str, Any] = {}
        self.deleted: list[tuple[str, str]] = []

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["ConsistentRead"]
        record = self.records.pop(0) if len(self.records) > 1 else self.records[0]
        return {"Item": to_item(record)} if record else {}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> dict[str, str]:
        self.put[Key] = Body
        return {"VersionId": f"row-{len(self.put)}"}

    def delete_object(self, Bucket: str, Key: str, VersionId: str) -> None:
        self.deleted.append((Key, VersionId))

    def follow(self, record: dict[str, Any]) -> str:
        thing = {name: record[name] for name in ("bucket", "key", "version_id", "pk", "sk")}
        return Export(self, self, "data").follow(following.Reference(table="results", **thing))


@pytest.mark.parametrize("kind", ["everything", "unusable"])
def test_a_row_has_the_tables_columns_in_their_types(kind: str) -> None:
    one = world()
    record = analysed(one)
    if kind == "unusable":
        version = one.put("incoming/b.gif", "v2", b"GIF89a" + b"0" * 900)
        one.run(version)
        record = one.record(version)
    line = rows.line_of(rows.row_of(record, record["analyses"]))
    assert line.count(b"\n") == 1
    row = json.loads(line)
    assert set(row) == {name for name, _, _ in results_catalog.COLUMNS}
    assert [name for name, kind, _ in results_catalog.COLUMNS if not fits(row[name], kind)] == []
    if kind == "everything":
        assert row["labels"][:2] == ["Example Celebrity", "gap"] and row["labels"][-1] == "Beer"
        beer = {"analysis": "moderation", "name": "Beer", "confidence": 71.5}
        assert row["findings"][-1] == {**beer, "parents": ["Alcohol"]}
        assert (row["face_count"], row["sharpness"]) == (2, 12.5)
        assert row["text_lines"] == ["CALL 555 0100"]
        assert json.loads(row["analyses"])["faces"]["count"] == 2
    else:
        assert (row["decision"], row["codes"]) == ("unusable", ["unsupported_format"])


def test_the_types_are_really_told_apart() -> None:
    assert not fits("1", "int") and not fits(True, "int") and not fits(1, "string")
    assert not fits([1], "array<string>") and fits([], "array<string>")
    kind = {name: kind for name, kind, _ in results_catalog.COLUMNS}["findings"]
    assert not fits([{"name": "x"}], kind)


def test_where_a_row_lies_tells_the_day_and_nothing_of_the_key() -> None:
    record = analysed(world(), "incoming/jane-doe.jpg")
    key = rows.key_of(record)
    assert re.fullmatch(r"results/images/day=\d{4}-\d\d-\d\d/[0-9a-f]{32}-v%2F1\.json", key)
    assert record["analysed_at"].startswith(key.split("day=")[1][:10])
    assert results.name_of(record["pk"]) in key
    # Written once in the library and once in the function.
    assert results_catalog.IMAGE_ROWS == rows.PREFIX


def test_what_a_person_decided_is_what_holds() -> None:
    record = {**analysed(world()), "decision": "accept"}
    record["reviewed"] = {"previous": "review", "by": "arn:jane", "at": "2026-01-02T00:00:00Z"}
    row = rows.row_of(record, record["analyses"])
    assert (row["decision"], row["policy_decision"]) == ("accept", "review")
    assert row["reviewed_at"] == "2026-01-02T00:00:00Z"
    assert b"jane" not in rows.line_of(row)


def test_a_record_becomes_a_row() -> None:
    record = analysed(world())
    stage = Stage(record)
    assert stage.follow(record) == "made"
    assert list(stage.put) == [rows.key_of(record)]


def test_a_record_that_changed_meanwhile_has_the_last_word() -> None:
    old = analysed(world())
    new = {**old, "decision": "reject", "quarantined": True}
    stage = Stage(old, new, new)
    assert stage.follow(old) == "made"
    assert json.loads(stage.put[rows.key_of(new)])["decision"] == "reject"


def test_the_row_of_a_record_that_was_erased_meanwhile_goes_again() -> None:
    record = analysed(world())
    stage = Stage(record, None)
    assert stage.follow(record) == "removed"
    assert stage.deleted == [(rows.key_of(record), "row-1")]


@pytest.mark.parametrize("status", [None, "in_progress"])
def test_what_is_not_there_or_not_done_makes_no_row(status: str | None) -> None:
    known = analysed(world())
    stage = Stage({**known, "status": status} if status else None)
    assert stage.follow(known) == "nothing"
    assert not stage.put


def test_a_record_that_never_rests_comes_back_later() -> None:
    record = analysed(world())
    stage = Stage(*[{**record, "decision": str(number)} for number in range(9)])
    with pytest.raises(Moving):
        stage.follow(record)


class Queue:
    def __init__(self) -> None:
        self.hidden: list[int] = []

    def change_message_visibility(self, VisibilityTimeout: int, **arguments: Any) -> None:
        self.hidden.append(VisibilityTimeout)


def follower(queue: Queue, follow: Any) -> Follower:
    return Follower(queue, "url", Log("dev"), follow, METRICS, 5)


def message(detail: Any, receives: int = 1, kind: str = events.DETAIL_TYPE) -> Message:
    body = {"source": events.SOURCE, "detail-type": kind, "detail": detail}
    return Message("m", "r", json.dumps(body), receives)


def test_an_event_leads_to_its_record(capsys: Any) -> None:
    record = analysed(world(), "incoming/jane-doe.jpg")
    detail = events.build(record, "results")
    heard: list[Any] = []

    def follow(reference: Any) -> Any:
        heard.append(reference)
        return "made"

    assert follower(Queue(), follow).process(message(detail))
    (reference,) = heard
    known = (reference.table, reference.pk, reference.key)
    assert known == ("results", record["pk"], record["key"])
    line = json.loads(capsys.readouterr().out)
    assert line["RowsWritten"] == 1 and "jane" not in json.dumps(line)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "an event None"),
        (message({}, kind="Video Analysed").body, "an event 'Video Analysed'"),
        (message({}).body, "detail.schema is missing"),
    ],
)
def test_what_is_no_such_event_is_set_aside_at_once(body: str, words: str, capsys: Any) -> None:
    with pytest.raises(Malformed, match=words):
        following.parse(body)
    queue = Queue()
    assert not follower(queue, None).process(Message("m", "r", body, 1))
    assert queue.hidden == [0]
    assert json.loads(capsys.readouterr().out)["RowsMalformed"] == 1


@pytest.mark.parametrize(("receives", "seconds"), [(1, 5), (2, 10), (4, 40), (30, 900)])
def test_a_failure_waits_longer_each_time_and_tells_no_key(
    receives: int, seconds: int, capsys: Any
) -> None:
    detail = events.build(analysed(world(), "incoming/jane-doe.jpg"), "results")

    def follow(reference: Any) -> Any:
        raise error("AccessDenied", "PutObject", 403, "arn:aws:s3:::data/jane-doe")

    queue = Queue()
    assert not follower(queue, follow).process(message(detail, receives))
    assert queue.hidden == [seconds]
    text = capsys.readouterr().out
    assert json.loads(text)["RowsFailed"] == 1 and "jane" not in text
