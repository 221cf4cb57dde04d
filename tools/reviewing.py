"""What waits for a person, and a person's decision on it: once, by whom, why, and announced.

A decision goes through these steps. Each is conditional or harmless to repeat, so one that was
cut off is finished by giving it again:

    note who decided what and why → set or lift the quarantine → current → event → done

Sources: "Using Global Secondary Indexes" and "Condition expressions" (Amazon DynamoDB),
"PutObjectTagging" (Amazon S3 API reference), "PutEvents" (Amazon EventBridge API reference).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from tools.environment import address

INDEX = "reviews"
WAITING, DECIDING = "waiting", "deciding"
QUARANTINE = {"Key": "sagelens-quarantine", "Value": "rejected"}
MOST_TAGS = 10
GONE = ("NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "404", "405")

Decision = Literal["accept", "reject"]
Record = dict[str, Any]


class NotDecided(Exception):
    """A decision that cannot be made; the text says why and what could be done."""


@dataclass(frozen=True)
class Desk:
    """Where a reviewer decides.

    Args:
        table: The result table, a boto3 resource.
        s3: A client that acts as the reviewer.
        events: A client that acts as the reviewer.
        bus: Name of the platform's event bus.
        now: The present moment.
    """

    table: Any
    s3: Any
    events: Any
    bus: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def of(cls, session: Any, outputs: Mapping[str, str]) -> Desk:
        """The desk of an environment.

        Args:
            session: A boto3 session of the reviewer's role.
            outputs: Of the environment's foundation stack.
        """
        return cls(
            table=session.resource("dynamodb").Table(outputs["ResultsTableName"]),
            s3=session.client("s3"),
            events=session.client("events"),
            bus=outputs["EventBusName"],
        )

    def waiting(self, most: int = 50) -> list[Record]:
        """What waits for a person, the oldest first: decisions that were cut off, then the rest.

        Args:
            most: How many records to read at most.
        """
        found: list[Record] = []
        for state in (DECIDING, WAITING):
            for keys in self._listed(state):
                if len(found) >= most:
                    return found
                record = self._read(keys["pk"], keys["sk"])
                # The index follows the table a moment later.
                if record and record.get("review") == state:
                    found.append(record)
        return found

    def decide(
        self, uri: str, decision: Decision, *, by: str, reason: str, version: str | None = None
    ) -> tuple[Record, bool]:
        """Accept or reject an object version that waits, or accept one that was rejected.

        Args:
            uri: ``s3://bucket/key``.
            decision: What is decided.
            by: Who decides: an ARN.
            reason: Why, in words.
            version: Its version id; the newest when absent.

        Returns:
            The record as it is then, and whether anything was still to be done.

        Raises:
            NotDecided: There is nothing to decide, or someone has decided otherwise.
        """
        address(uri)
        if not reason.strip():
            raise NotDecided("a decision needs a reason, which the record keeps")
        record = self._record(uri, version)
        note = record.get("reviewed")
        if note is None:
            record = self._take(record, decision, by, reason)
        elif note["decision"] != decision:
            raise NotDecided(_decided(uri, note))
        elif "review" not in record:
            return record, False
        quarantined = self._quarantine(record, decision)
        self._point(record, decision)
        self._announce(record)
        return self._finish(record, decision, quarantined), True

    def _listed(self, state: str) -> Iterator[Record]:
        arguments: dict[str, Any] = {
            "IndexName": INDEX,
            "KeyConditionExpression": Key("review").eq(state),
        }
        while True:
            page = self.table.query(**arguments)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _read(self, pk: str, sk: str) -> Record | None:
        return self.table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")

    def _record(self, uri: str, version: str | None) -> Record:
        if version is None:
            current = self._read(uri, "current")
            if current is None:
                raise NotDecided(f"{uri} has no record; was it uploaded under the prefix?")
            version = str(current["version_id"])
        record = self._read(uri, f"version#{version}")
        if record is None:
            raise NotDecided(f"version {version} of {uri} has no record")
        return record

    def _take(self, record: Record, decision: Decision, by: str, reason: str) -> Record:
        _check(record, decision)
        at = self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        note = {
            "decision": decision,
            "previous": record["decision"],
            "by": by,
            "at": at,
            "reason": reason,
        }
        # Of all who decide at once one is first; nobody decides on what was judged anew meanwhile.
        unchanged = (
            Attr("status").eq("done")
            & Attr("announced").eq(True)
            & Attr("reviewed").not_exists()
            & Attr("analysed_at").eq(record["analysed_at"])
        )
        taken = self._update(
            record, "SET reviewed = :note, review = :state", unchanged, note=note, state=DECIDING
        )
        if taken is not None:
            return taken
        now = self._read(record["pk"], record["sk"]) or {}
        if "reviewed" in now:
            raise NotDecided(_decided(record["pk"], now["reviewed"]))
        raise NotDecided(f"{record['pk']} is being judged anew; look at it again")

    def _quarantine(self, record: Record, decision: Decision) -> bool:
        """Set or lift the tag; return whether the version is in quarantine then."""
        place = {"Bucket": record["bucket"], "Key": record["key"]}
        place["VersionId"] = record["version_id"]
        try:
            tags: list[dict[str, str]] = self.s3.get_object_tagging(**place)["TagSet"]
            wanted = self._tags(record, tags, decision)
            if wanted != tags:
                self.s3.put_object_tagging(**place, Tagging={"TagSet": wanted})
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return False  # deleted: nothing is left to keep from anyone
            raise
        return QUARANTINE in wanted

    def _tags(
        self, record: Record, tags: list[dict[str, str]], decision: Decision
    ) -> list[dict[str, str]]:
        others = [tag for tag in tags if tag["Key"] != QUARANTINE["Key"]]
        displaced = record.get("displaced_tag")
        if decision == "reject":
            if QUARANTINE in tags:
                return tags
            if len(others) >= MOST_TAGS:
                last = others.pop()
                self._update(
                    record,
                    "SET displaced_tag = :tag",
                    _noted(record),
                    tag={"key": last["Key"], "value": last["Value"]},
                )
            return [*others, QUARANTINE]
        names = {tag["Key"] for tag in others}
        if QUARANTINE in tags and displaced and displaced["key"] not in names:
            others.append({"Key": displaced["key"], "Value": displaced["value"]})
        return others if QUARANTINE in tags else tags

    def _point(self, record: Record, decision: Decision) -> None:
        newest = {"pk": record["pk"], "sk": "current"}
        same = Attr("version_id").eq(record["version_id"])
        self._update(newest, "SET decision = :decision", same, decision=decision)

    def _announce(self, record: Record) -> None:
        entry = {
            "EventBusName": self.bus,
            "Source": "sagelens.vision",
            "DetailType": f"{str(record.get('kind', 'image')).capitalize()} Reviewed",
            "Detail": json.dumps(detail_of(record, self.table.name), ensure_ascii=False),
        }
        answer = self.events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode")
            raise NotDecided(f"the event bus did not take the event ({code}); decide again")

    def _finish(self, record: Record, decision: Decision, quarantined: bool) -> Record:
        expression = "SET decision = :decision, quarantined = :quarantined REMOVE review"
        if decision == "accept":
            expression += ", displaced_tag"
        done = self._update(
            record, expression, _noted(record), decision=decision, quarantined=quarantined
        )
        if done is None:
            raise NotDecided(f"the record of {record['pk']} is gone: it expired or was erased")
        return done

    def _update(
        self, record: Record, expression: str, condition: ConditionBase, **values: Any
    ) -> Record | None:
        """Write to the record if a condition holds; return it as it is then, else None."""
        try:
            answer = self.table.update_item(
                Key={"pk": record["pk"], "sk": record["sk"]},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return None
        return answer["Attributes"]


def detail_of(record: Mapping[str, Any], table: str) -> dict[str, Any]:
    """The detail of ``Image Reviewed`` or ``Video Reviewed``; lambda_src/shared/events.py has its
    contract.

    Args:
        record: With the note of the decision.
        table: Name of the result table.
    """
    note = record["reviewed"]
    identity = json.dumps([record["pk"], record["version_id"], note["at"], note["decision"]])
    names = ("bucket", "key", "version_id", "etag", "size")
    size = record.get("size")
    return {
        "schema": "1",
        "id": hashlib.sha256(identity.encode()).hexdigest()[:32],
        "object": {
            **{name: record.get(name) for name in names},
            "size": None if size is None else int(size),
        },
        "decision": note["decision"],
        "previous": note["previous"],
        "record": {"table": table, "pk": record["pk"], "sk": record["sk"]},
        "reviewed_at": note["at"],
    }


def _noted(record: Record) -> ConditionBase:
    return Attr("reviewed").eq(record["reviewed"])


def _check(record: Record, decision: Decision) -> None:
    found = record.get("decision") if record.get("status") == "done" else "being analysed"
    decidable = ("review", "reject") if decision == "accept" else ("review",)
    if found not in decidable:
        raise NotDecided(
            f"{record['pk']} does not wait for a person: it is {found!r}; "
            f"{decision} is for {' or '.join(repr(each) for each in decidable)}"
        )


def _decided(uri: str, note: Mapping[str, Any]) -> str:
    return f"{uri}: {note['by']} decided {note['decision']!r} at {note['at']}: {note['reason']}"
