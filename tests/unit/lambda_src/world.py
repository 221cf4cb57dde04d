"""A small world for the flow: five clients in memory, a clock that is turned by hand.

Every call is checked against botocore's own service model, DynamoDB's conditions are really
evaluated, and S3 really denies quarantined versions. A fault may strike before or after any call.
"""

import hashlib
import io
import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from image_analysis import handler as image_handler
from image_analysis import settings as image_settings
from image_analysis.flow import Attempt, Flow, Outcome
from shared.clients import Clients
from shared.clock import Clock
from shared.dynamodb import Fields, from_item
from shared.s3_events import ObjectVersion
from tests.unit.lambda_src.expressions import Condition, update
from tests.unit.lambda_src.images import jpeg, moderation

SETTINGS: dict[str, Any] = {
    "analyses": {"moderation": {"minimum_confidence": 40}},
    "policy": {"moderation": {"*": {"accept": [0, 60], "review": [60, 90], "reject": [90, 100]}}},
    "pace": {"DetectModerationLabels": 100},
    "retry": {"first": 5, "most": 300, "denied": 900},
}
QUARANTINE = {"Key": "sagelens-quarantine", "Value": "rejected"}
SERVICES = ("s3", "rekognition", "dynamodb", "sqs", "events")


class Killed(BaseException):
    """The execution environment is gone: nothing after it runs, no clean-up either."""


@cache
def model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


def check(shape: Any, value: Any) -> None:
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()


def error(
    code: str, operation: str, status: int = 400, message: str = "", **more: Any
) -> ClientError:
    response = {"Error": {"Code": code, "Message": message or f"{code} of the test"}, **more}
    return ClientError({**response, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)


@dataclass
class Stored:
    data: bytes
    tags: list[dict[str, str]] = field(default_factory=list)

    @property
    def quarantined(self) -> bool:
        return QUARANTINE in self.tags


class Fake:
    """A client of one service: checks, traces and then calls `<service>_<method>` of the world."""

    def __init__(self, world: "World", service: str) -> None:
        self.world, self.service = world, service

    def __getattr__(self, method: str) -> Callable[..., Any]:
        names = {xform_name(each): each for each in model(self.service).operation_names}
        operation = names[method]

        def call(**arguments: Any) -> Any:
            shape = model(self.service).operation_model(operation).input_shape
            check(shape, arguments)
            self.world.calls.append(operation)
            number = len(self.world.calls) - 1
            self.world.strike(number, "before", operation)
            if self.service == "rekognition":
                answer = self.world.look(operation, **arguments)
            else:
                answer = getattr(self.world, f"{self.service}_{method}")(**arguments)
            self.world.strike(number, "after", operation)
            return answer

        return call


class World:
    def __init__(self, settings: dict[str, Any] | None = None, days: str = "365") -> None:
        self.now = 1_800_000_000.0
        self.objects: dict[tuple[str, str], Stored] = {}
        self.table: dict[tuple[str, str], dict[str, Any]] = {}
        self.kept: dict[tuple[str, str], Any] = {}
        self.bus: list[dict[str, Any]] = []
        self.hidden: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.seen: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.strike: Callable[[int, str, str], None] = lambda number, when, operation: None
        self.clock = Clock(lambda: self.now, lambda: self.now, self.sleep)
        self.clients = Clients(*(Fake(self, name) for name in SERVICES))
        self.owners = itertools.count(1)
        self.remaining = 60.0
        self.configure(settings or SETTINGS, days)

    def configure(self, settings: dict[str, Any], days: str = "365") -> None:
        self.settings = image_settings.read(variables(settings, days))
        self.flow: Flow = image_handler.make_flow(self.settings, self.clients, self.clock)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def put(
        self, key: str = "incoming/a.jpg", version: str = "v1", data: bytes | None = None,
        labels: tuple[dict[str, Any], ...] = (), sequencer: str = "01", tags: int = 0,
        sees: dict[str, dict[str, Any]] | None = None,
    ) -> ObjectVersion:  # fmt: skip
        """Store an object version whose moderation has `labels`, and of which the operations in
        `sees` answer so; return what its event says."""
        data = jpeg() if data is None else data
        own = [{"Key": f"k{number}", "Value": str(number)} for number in range(tags)]
        self.objects[key, version] = Stored(data, own)
        self.seen[version] = {"DetectModerationLabels": moderation(*labels), **(sees or {})}
        return ObjectVersion("images", key, version, sequencer, len(data), "e", "2026-11-12T00:00Z")

    def run(self, version: ObjectVersion) -> Outcome:
        owner = f"owner-{next(self.owners)}"
        spare = self.remaining - 30
        return self.flow.run(version, Attempt(owner, lambda: self.remaining, lambda: spare))

    def record(self, version: ObjectVersion) -> Fields:
        return from_item(self.table[version.uri, f"version#{version.version_id}"])

    def current(self, version: ObjectVersion) -> Fields:
        return from_item(self.table[version.uri, "current"])

    def details(self) -> list[dict[str, Any]]:
        return [json.loads(entry["Detail"]) for entry in self.bus]

    def count(self) -> Counter[str]:
        return Counter(self.calls)

    def fail(self, operation: str, code: str, status: int = 400, times: int = 1) -> None:
        """Answer the next `times` calls of `operation` with an error."""
        left = [times]

        def strike(number: int, when: str, called: str) -> None:
            if when == "before" and called == operation and left[0] > 0:
                left[0] -= 1
                raise error(code, operation, status)

        self.strike = strike

    # The five services, as far as they are called.

    def _stored(self, operation: str, Key: str, VersionId: str) -> Stored:
        if (Key, VersionId) not in self.objects:
            raise error("NoSuchVersion", operation, 404)
        return self.objects[Key, VersionId]

    def _readable(self, operation: str, Key: str, VersionId: str) -> Stored:
        stored = self._stored(operation, Key, VersionId)
        if stored.quarantined:
            raise error("AccessDenied", operation, 403)
        return stored

    def s3_get_object(self, Bucket: str, Key: str, VersionId: str, Range: str) -> dict[str, Any]:
        data = self._readable("GetObject", Key, VersionId).data
        if Range == "bytes=65536-":
            return {"Body": io.BytesIO(data[65_536:])}
        assert Range == "bytes=0-65535"
        if not data:
            raise error("InvalidRange", "GetObject", 416)
        head = data[:65_536]
        return {
            "Body": io.BytesIO(head),
            "ContentLength": len(head),
            "ContentRange": f"bytes 0-{len(head) - 1}/{len(data)}",
            "ETag": '"' + hashlib.md5(data, usedforsecurity=False).hexdigest() + '"',
        }

    def s3_head_object(self, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:
        if (Key, VersionId) not in self.objects:
            raise error("404", "HeadObject", 404)
        if self.objects[Key, VersionId].quarantined:
            raise error("403", "HeadObject", 403)
        return {}

    def s3_get_object_tagging(self, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:
        return {"TagSet": list(self._stored("GetObjectTagging", Key, VersionId).tags)}

    def s3_put_object_tagging(
        self, Bucket: str, Key: str, VersionId: str, Tagging: dict[str, Any]
    ) -> dict[str, Any]:
        stored = self._readable("PutObjectTagging", Key, VersionId)
        assert len(Tagging["TagSet"]) <= 10
        stored.tags = list(Tagging["TagSet"])
        return {}

    def s3_put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> dict[str, Any]:
        self.kept[Bucket, Key] = json.loads(Body)
        return {}

    def look(self, operation: str, Image: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        thing = Image["S3Object"]
        stored = self.objects.get((thing["Name"], thing["Version"]))
        if stored is None or stored.quarantined:
            raise error("InvalidS3ObjectException", operation)
        self.asked.append((operation, arguments))
        answer = self.seen[thing["Version"]][operation]
        check(model("rekognition").operation_model(operation).output_shape, answer)
        return answer

    def dynamodb_update_item(
        self, TableName: str, Key: dict[str, Any], UpdateExpression: str,
        ConditionExpression: str, ExpressionAttributeNames: dict[str, str],
        ExpressionAttributeValues: dict[str, Any], ReturnValues: str,
        ReturnValuesOnConditionCheckFailure: str,
    ) -> dict[str, Any]:  # fmt: skip
        assert (ReturnValues, ReturnValuesOnConditionCheckFailure) == ("ALL_NEW", "ALL_OLD")
        text = UpdateExpression + " " + ConditionExpression
        names, values = ExpressionAttributeNames, ExpressionAttributeValues
        # DynamoDB refuses names and values that no expression uses.
        assert all(each in text for each in (*names, *values))
        key = (Key["pk"]["S"], Key["sk"]["S"])
        item = self.table.get(key)
        if not Condition(ConditionExpression, names, values).holds(item):
            more = {"Item": item} if item else {}
            raise error("ConditionalCheckFailedException", "UpdateItem", **more)
        self.table[key] = update(item or dict(Key), UpdateExpression, names, values)
        return {"Attributes": dict(self.table[key])}

    def dynamodb_query(
        self, TableName: str, IndexName: str, KeyConditionExpression: str,
        ExpressionAttributeValues: dict[str, Any], ScanIndexForward: bool, Limit: int,
    ) -> dict[str, Any]:  # fmt: skip
        assert IndexName == "contents" and not ScanIndexForward
        assert KeyConditionExpression == "content = :content AND answered_at >= :since"
        content, since = (ExpressionAttributeValues[name]["S"] for name in (":content", ":since"))
        found = [
            item
            for item in self.table.values()
            if item.get("content", {}).get("S") == content and item["answered_at"]["S"] >= since
        ]
        found.sort(key=lambda item: item["answered_at"]["S"], reverse=True)
        names = ("pk", "sk", "content", "answered_at")
        return {"Items": [{name: item[name] for name in names} for item in found[:Limit]]}

    def dynamodb_get_item(
        self, TableName: str, Key: dict[str, Any], ConsistentRead: bool
    ) -> dict[str, Any]:
        assert ConsistentRead
        item = self.table.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {"Item": dict(item)} if item else {}

    def events_put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.bus.extend(Entries)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    def sqs_change_message_visibility(self, **arguments: Any) -> dict[str, Any]:
        self.hidden.append(arguments)
        return {}


def variables(settings: dict[str, Any] | None = None, days: str = "365") -> dict[str, str]:
    return {
        "RESULTS_TABLE": "results",
        "EVENT_BUS": "platform",
        "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/images",
        "RESULTS_BUCKET": "data",
        "ENVIRONMENT": "dev",
        "RECORD_DAYS": days,
        "SETTINGS": json.dumps(settings or SETTINGS),
    }
