"""What a backfill takes from a list, puts into its queue, waits for, counts and costs."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.response import StreamingBody

from image_analysis.backfill import candidates, costs, handler
from image_analysis.backfill.backlog import MOST_SECONDS, Backlog
from image_analysis.backfill.candidates import Candidate
from image_analysis.backfill.feeder import Batch
from shared import records, s3_events
from shared.clock import Clock
from shared.dynamodb import to_item
from shared.errors import Transient
from tests.unit.lambda_src.world import QUARANTINE, SETTINGS, check, error, model

FOLDERS = ("incoming/", "archive/")
TOLD = {
    "prefixes": FOLDERS,
    "runs": "backfill/",
    "deepest": 100,
    "pace": 2.5,
    "least": 60,
    "image_price": 0.001,
}


class Aws:
    """S3, SQS and DynamoDB of a backfill, in memory; every call is checked by its model.

    newest: version id and tags by key. stored: objects of the runs' bucket. items: of the table.
    depth: messages in the queue. sent: bodies. refuse: Ids that the queue fails next time.
    """

    def __init__(self) -> None:
        self.newest: dict[str, tuple[str, list[dict[str, str]]]] = {}
        self.stored: dict[str, bytes] = {}
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.depth = 0
        self.sent: list[dict[str, Any]] = []
        self.refuse: list[str] = []
        self.leave_unread = 0
        self.looked_up: list[str] = []

    def client(self, service: str) -> Any:
        return _Client(self, service)

    def get_object_tagging(self, Key: str, **_: Any) -> dict[str, Any]:
        self.looked_up.append(Key)
        if Key not in self.newest:
            raise error("NoSuchKey", "GetObjectTagging", 404)
        version, tags = self.newest[Key]
        return {"VersionId": version, "TagSet": tags}

    def put_object(self, Key: str, Body: bytes, IfNoneMatch: str = "", **_: Any) -> None:
        if IfNoneMatch and Key in self.stored:
            raise error("PreconditionFailed", "PutObject", 412)
        self.stored[Key] = Body

    def get_object(self, Key: str, **_: Any) -> dict[str, Any]:
        text = self.stored[Key]
        return {"Body": StreamingBody(io.BytesIO(text), len(text))}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        ((table, asked),) = RequestItems.items()
        keys = asked["Keys"]
        assert len(keys) <= 100
        assert len({json.dumps(key) for key in keys}) == len(keys)
        later: dict[str, Any] = {}
        if self.leave_unread:
            self.leave_unread -= 1
            # "UnprocessedKeys" is never empty where anything is left.
            later, keys = {table: {**asked, "Keys": keys[-1:]}}, keys[:-1]
        found = [self.items.get((key["pk"]["S"], key["sk"]["S"])) for key in keys]
        return {"Responses": {table: [each for each in found if each]}, "UnprocessedKeys": later}

    def get_queue_attributes(self, AttributeNames: list[str], **_: Any) -> dict[str, Any]:
        numbers = dict.fromkeys(AttributeNames, "0")
        return {"Attributes": {**numbers, AttributeNames[0]: str(self.depth)}}

    def send_message_batch(self, Entries: list[dict[str, str]], **_: Any) -> dict[str, Any]:
        assert len(Entries) <= 10
        failed = [each["Id"] for each in Entries if each["Id"] in self.refuse]
        self.refuse = self.refuse[len(failed) :] if failed else self.refuse
        self.sent += [json.loads(e["MessageBody"]) for e in Entries if e["Id"] not in failed]
        return {"Failed": [{"Id": each} for each in failed]}

    def record(self, key: str, version: str, **fields: Any) -> None:
        pk, sk = f"s3://images/{key}", f"version#{version}"
        done = {"pk": pk, "sk": sk, "status": "done", "announced": True, "decision": "accept"}
        self.items[pk, sk] = to_item({**done, "quarantined": False, **fields})


class _Client:
    def __init__(self, aws: Aws, service: str) -> None:
        self.aws, self.model = aws, model(service)

    def __getattr__(self, name: str) -> Any:
        operation = "".join(word.capitalize() for word in name.split("_"))

        def call(**arguments: Any) -> Any:
            check(self.model.operation_model(operation).input_shape, arguments)
            return getattr(self.aws, name)(**arguments)

        return call


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def steps(aws: Aws) -> handler.Backfill:
    variables = {
        "ENVIRONMENT": "test",
        "RESULTS_TABLE": "results",
        "IMAGES_BUCKET": "images",
        "RUNS_BUCKET": "data",
        "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/backfill",
        "BACKFILL": json.dumps(TOLD),
        "SETTINGS": json.dumps(SETTINGS),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }
    clients = (aws.client(name) for name in ("s3", "sqs", "dynamodb"))
    return handler.make(variables, *clients, Clock(lambda: 0, lambda: 0, lambda _: None))


def feed(steps: handler.Backfill, *items: dict[str, Any], dry: bool = False) -> dict[str, Any]:
    shared = {"run": "r", "dry_run": dry, "source": "listing"}
    return steps.step({"action": "feed", "batch": {"Items": list(items), "BatchInput": shared}})


# --- lists ---------------------------------------------------------------------------------------

LISTED = {"Key": "incoming/a.jpg", "Size": 9, "LastModified": 1_668_699_881, "Etag": '"e"'}
ROW = {"Bucket": "images", "Key": "incoming/a.jpg", "VersionId": "v", "IsLatest": "true"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Candidate(("incoming/a.jpg",), None, 1_668_699_881)),
        (
            {"Key": "incoming/a%20b+c.jpg"},
            Candidate(("incoming/a%20b+c.jpg",), None, 1_668_699_881),
        ),
        ({"Size": 0}, Candidate(("incoming/a.jpg",), None, 1_668_699_881)),
        ({"Key": "incoming/sub/", "Size": 0}, "folders"),
        ({"Key": "incoming/odd/", "Size": 5}, Candidate(("incoming/odd/",), None, 1_668_699_881)),
        ({"Key": "results/a.jpg"}, "elsewhere"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "archived"),
        ({"StorageClass": "GLACIER_IR"}, Candidate(("incoming/a.jpg",), None, 1_668_699_881)),
    ],
)
def test_what_a_listing_offers(change: dict[str, Any], expected: Candidate | str) -> None:
    assert candidates.read({**LISTED, **change}, "listing", "images", FOLDERS) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Candidate(("incoming/a.jpg",), "v")),
        (
            {"LastModifiedDate": "2022-11-17T15:44:41.000Z"},
            Candidate(("incoming/a.jpg",), "v", 1_668_699_881),
        ),
        ({"VersionId": ""}, Candidate(("incoming/a.jpg",))),
        (
            {"Key": "incoming/a%2Bb+c.jpg"},
            Candidate(("incoming/a+b c.jpg", "incoming/a%2Bb+c.jpg")),
        ),
        ({"IsLatest": "false"}, "older_versions"),
        ({"IsDeleteMarker": "true"}, "deleted"),
        ({"Bucket": "another"}, "elsewhere"),
        ({"Key": "results%2Fa.jpg"}, "elsewhere"),
        ({"Key": "incoming/sub/", "Size": ""}, "folders"),
        ({"StorageClass": "GLACIER"}, "archived"),
        ({"IntelligentTieringAccessTier": "ARCHIVE_ACCESS"}, "archived"),
    ],
)
def test_what_an_inventory_offers(change: dict[str, Any], expected: Candidate | str) -> None:
    assert candidates.read({**ROW, **change}, "inventory", "images", FOLDERS) == expected


def test_an_item_without_a_key_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no Key, only \['VersionId'\]"):
        candidates.read({"VersionId": "v"}, "inventory", "images", FOLDERS)


def test_a_form_that_is_unknown_is_an_error() -> None:
    with pytest.raises(ValueError, match="source is 'csv', allowed are listing, inventory"):
        Batch.of({"Items": [], "BatchInput": {"run": "r", "dry_run": False, "source": "csv"}})


# --- feeding -------------------------------------------------------------------------------------


def test_messages_are_read_as_the_version_that_was_found(aws: Aws, steps: handler.Backfill) -> None:
    aws.newest["incoming/a.jpg"] = ("v1", [])
    assert feed(steps, LISTED)["counts"]["queued"] == 1
    (sent,) = aws.sent
    version = s3_events.parse(json.dumps(sent))
    assert (version.bucket, version.key, version.version_id) == ("images", "incoming/a.jpg", "v1")
    assert version.created_at == "2022-11-17T15:44:41Z"
    # The list's own may be those of an earlier version.
    assert version.size is version.etag is None


def test_a_version_sorts_among_those_that_events_tell_of_by_its_time() -> None:
    found = s3_events.found("b", "k", "v", 0x55AED6DC)
    order = records.order_of(found.sequencer)
    assert records.order_of("0055AED6DBFFFFFFFF") < order
    assert order < records.order_of("0055AED6DCD90281E5")
    unknown = s3_events.found("b", "k", "v", None)
    assert records.order_of(unknown.sequencer) == ""
    assert "time" not in s3_events.body("b", "k", "v", unknown.sequencer)


def test_an_object_without_versions_has_the_null_version(aws: Aws, steps: handler.Backfill) -> None:
    aws.newest["incoming/a.jpg"] = ("", [])
    feed(steps, LISTED)
    assert aws.sent[0]["detail"]["object"]["version-id"] == "null"


def test_only_what_is_due_is_sent(aws: Aws, steps: handler.Backfill) -> None:
    now = steps.feeder.settings
    cases: dict[str, dict[str, Any] | None] = {
        "new": None,
        "done": {"settings": now},
        "other": {"settings": "old"},
        "unannounced": {"settings": now, "announced": False},
        "at-work": {"settings": now, "status": "in_progress"},
        "kept-back": {"settings": "old", "quarantined": True},
        "reviewed": {"settings": "old", "reviewed": {"decision": "accept"}},
    }
    for name, fields in cases.items():
        aws.newest[f"incoming/{name}"] = ("v", [])
        if fields is not None:
            aws.record(f"incoming/{name}", "v", **fields)
    aws.newest["incoming/tagged"] = ("v", [QUARANTINE])
    keys = [*cases, "tagged", "gone"]
    counts = feed(steps, *({**LISTED, "Key": f"incoming/{key}"} for key in keys))["counts"]
    sent = {each["detail"]["object"]["key"] for each in aws.sent}
    assert sent == {f"incoming/{key}" for key in ("new", "other", "unannounced", "at-work")}
    assert counts["left_out"] == {"done": 3, "quarantined": 1, "deleted": 1}
    assert (counts["objects"], counts["queued"]) == (9, 4)


def test_of_two_readings_of_a_key_the_object_that_is_there_tells(
    aws: Aws, steps: handler.Backfill
) -> None:
    aws.newest["incoming/a b.jpg"] = ("decoded", [])
    aws.newest["incoming/c+d.jpg"] = ("raw", [])
    shared = {"run": "r", "dry_run": False, "source": "inventory"}
    items = [
        {**ROW, "Key": "incoming/a+b.jpg"},
        {**ROW, "Key": "incoming/c+d.jpg"},
        {**ROW, "Key": "incoming/plain.jpg"},
    ]
    steps.step({"action": "feed", "batch": {"Items": items, "BatchInput": shared}})
    found = {
        each["detail"]["object"]["key"]: each["detail"]["object"]["version-id"] for each in aws.sent
    }
    assert found == {
        "incoming/a b.jpg": "decoded",
        "incoming/c+d.jpg": "raw",
        "incoming/plain.jpg": "v",
    }
    assert "incoming/plain.jpg" not in aws.looked_up


def test_a_dry_run_writes_nothing(aws: Aws, steps: handler.Backfill) -> None:
    aws.newest["incoming/a.jpg"] = ("v", [])
    aws.depth = 1_000_000
    assert feed(steps, LISTED, dry=True)["counts"]["queued"] == 1
    assert not aws.sent
    assert not aws.stored


def test_a_batch_that_is_run_again_counts_what_it_sent_first(
    aws: Aws, steps: handler.Backfill
) -> None:
    """Cut off after sending, and some of it analysed before the second try."""
    for name in "ab":
        aws.newest[f"incoming/{name}"] = ("v", [])
    items = [{**LISTED, "Key": f"incoming/{name}"} for name in "ab"]
    first = feed(steps, *items)["counts"]
    for name in "ab":
        aws.record(f"incoming/{name}", "v", settings=steps.feeder.settings)
    again = feed(steps, *items)["counts"]
    assert again["queued"] == first["queued"] == 2
    assert again["left_out"]["done"] == 0
    assert len(aws.stored) == 1


def test_what_the_queue_refuses_is_sent_again(aws: Aws, steps: handler.Backfill) -> None:
    keys = [f"incoming/{number:02}" for number in range(25)]
    aws.newest |= {key: ("v", []) for key in keys}
    aws.refuse = ["3"]
    feed(steps, *({**LISTED, "Key": key} for key in keys))
    assert sorted(each["detail"]["object"]["key"] for each in aws.sent) == keys
    aws.refuse = ["0"] * 9
    with pytest.raises(Transient, match="did not take 1 of 1 messages"):
        feed(steps, {**LISTED, "Key": keys[0], "Size": 10})


def test_records_that_dynamodb_leaves_unread_are_asked_for_again(
    aws: Aws, steps: handler.Backfill
) -> None:
    keys = [f"incoming/{number}" for number in range(3)]
    aws.newest |= {key: ("v", []) for key in keys}
    for key in keys:
        aws.record(key, "v", settings=steps.feeder.settings)
    items = [{**LISTED, "Key": key} for key in keys]
    aws.leave_unread = 2
    assert feed(steps, *items)["counts"]["queued"] == 0
    aws.leave_unread = 99
    with pytest.raises(Transient, match="left keys unread"):
        feed(steps, *items)


# --- the queue -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "seconds"), [(0, 0), (100, 0), (101, 60), (350, 100), (10**6, MOST_SECONDS)]
)
def test_nothing_is_sent_while_the_queue_is_too_deep(
    aws: Aws, steps: handler.Backfill, depth: int, seconds: int
) -> None:
    aws.newest["incoming/a.jpg"] = ("v", [])
    aws.depth = depth
    assert feed(steps, LISTED)["seconds"] == seconds
    assert bool(aws.sent) == (seconds == 0)


def test_the_queue_is_empty_when_two_looks_in_a_row_say_so(
    aws: Aws, steps: handler.Backfill
) -> None:
    quiet, seen = 0, []
    for aws.depth in (500, 0, 3, 0, 0):
        answer = steps.step({"action": "look", "quiet": quiet})
        quiet = answer["quiet"]
        seen.append((answer["empty"], answer["seconds"]))
    assert seen == [(False, 200), (False, 60), (False, 60), (False, 60), (True, 60)]


def test_every_kind_of_message_counts(aws: Aws) -> None:
    asked: list[str] = []

    class Sqs:
        def get_queue_attributes(self, AttributeNames: list[str], **_: Any) -> Any:
            asked.extend(AttributeNames)
            return {"Attributes": dict.fromkeys(AttributeNames, "2")}

    assert Backlog(Sqs(), "url", 1, 1, 1).depth() == 6
    assert "ApproximateNumberOfMessagesNotVisible" in asked


# --- results -------------------------------------------------------------------------------------


def exported(aws: Aws, name: str, *results: dict[str, Any]) -> dict[str, str]:
    lines = "".join(json.dumps(each) + "\n" for each in results)
    aws.stored[f"{name}/0.jsonl"] = lines.encode()
    files = {"SUCCEEDED": [{"Key": f"{name}/0.jsonl"}], "FAILED": [], "PENDING": []}
    aws.stored[f"{name}/manifest.json"] = json.dumps({"ResultFiles": files}).encode()
    return {"Bucket": "data", "Key": f"{name}/manifest.json"}


def test_records_tell_what_became_of_the_plans(aws: Aws, steps: handler.Backfill) -> None:
    keys = [f"incoming/{name}" for name in ("a", "b", "c", "d")]
    aws.newest |= {key: ("v", []) for key in keys}
    feed(steps, *({**LISTED, "Key": key} for key in keys))
    aws.record(keys[0], "v", settings="one", calls_saved=1)
    aws.record(keys[1], "v", settings="two", decision="unusable")
    aws.record(keys[2], "v", settings="one", announced=False)
    plans = [{"Key": key} for key in aws.stored]
    counts = steps.step({"action": "count", "batch": {"Items": plans}})["counts"]
    assert (counts["done"], counts["failed"], counts["reused"]) == (2, 2, 1)
    assert counts["decisions"] == {"accept": 1, "unusable": 1}
    assert counts["settings"] == {"one": 1, "two": 1}


def test_a_report_adds_up_every_batch(aws: Aws, steps: handler.Backfill) -> None:
    one = {"objects": 100, "queued": 90, "left_out": {"done": 8, "folders": 2}, "milliseconds": 500}
    two = {"objects": 50, "queued": 10, "left_out": {"done": 40}, "milliseconds": 300}
    ended = {
        "done": 99,
        "failed": 1,
        "reused": 9,
        "decisions": {"accept": 89, "unusable": 10},
        "settings": {"old": 40, "new": 59},
        "milliseconds": 200,
    }
    given = {
        "action": "report",
        "run": "r",
        "dry_run": False,
        "fed": exported(aws, "fed", one, two),
    }
    report = steps.step({**given, "counted": exported(aws, "counted", ended)})
    assert (report["objects"], report["queued"], report["skipped"]["done"]) == (150, 100, 48)
    assert report["left_out"] == {"folders": 2}
    assert report["results_by_settings"] == {"old": 40, "new": 59}
    # Neither what cannot be analysed nor what the same bytes answer costs a call.
    assert report["usd"]["rekognition"] == pytest.approx(0.08)
    assert json.loads(aws.stored["backfill/r/report.json"]) == report
    dry = steps.step({**given, "dry_run": True})
    assert dry["usd"]["rekognition"] == pytest.approx(0.1)
    assert dry["usd"]["orchestration"] < report["usd"]["orchestration"]


def test_orchestration_of_a_thousand_images_costs_a_fraction_of_a_cent() -> None:
    fed = {"batches": 10, "objects": 1_000, "milliseconds": 20_000}
    counted = {"batches": 1, "milliseconds": 1_000}
    usd = costs.orchestration([fed, counted], queued=1_000, memory_mb=512)
    waits = costs.TRANSITIONS_A_RUN * costs.USD_A_TRANSITION
    # 44 transitions, 10.5 GB-s, 1,000 look-ups, 23 writes and listings, 2,000 records, 111 calls.
    by_hand = 0.0011 + 0.00014 + 0.0004 + 0.000115 + 0.000125 + 0.0000444 + 0.0000022
    assert usd - waits == pytest.approx(by_hand, rel=0.02)


def test_an_action_that_is_unknown_is_an_error(steps: handler.Backfill) -> None:
    with pytest.raises(ValueError, match="no action 'stop'"):
        steps.step({"action": "stop"})
