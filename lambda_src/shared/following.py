"""Functions that follow the platform's events about images: what each of them does alike.

An event carries references only, so whoever follows reads the record as it is now. Events come at
least once and in any order; what is made of a record must therefore depend on the record alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from shared import batch, errors, events, logs
from shared.batch import Message
from shared.dynamodb import Fields, from_item, to_item
from shared.logs import Log
from shared.s3_events import Malformed

DETAIL_TYPES = (events.DETAIL_TYPE, "Image Reviewed")
DONE = "done"
LONGEST_WAIT_SECONDS = 900

Outcome = Literal["made", "removed", "nothing", "impossible"]


@dataclass(frozen=True)
class Reference:
    """The record that an event tells of, and the object version that it is about."""

    table: str
    pk: str
    sk: str
    bucket: str
    key: str
    version_id: str


class Moving(Exception):
    """The record changed each time that something was made of it; another try will do."""


def parse(body: str) -> Reference:
    """Return what a queue message refers to.

    Raises Malformed for what is no event of `shared.events`.
    """
    try:
        event: object = json.loads(body)
    # RecursionError: a body of nested brackets only.
    except (ValueError, RecursionError) as error:
        raise Malformed("the message body is not JSON") from error
    told = cast("dict[str, Any]", event) if isinstance(event, dict) else dict[str, Any]()
    kind = told.get("detail-type")
    if told.get("source") != events.SOURCE or kind not in DETAIL_TYPES:
        raise Malformed(
            f"the message is an event {kind!r} of {told.get('source')!r}; only "
            f"{' and '.join(DETAIL_TYPES)} of {events.SOURCE} are followed"
        )
    try:
        events.validate(told.get("detail"), str(kind))
    except ValueError as error:
        raise Malformed(str(error)) from error
    detail: Mapping[str, Any] = told["detail"]
    thing, record = detail["object"], detail["record"]
    return Reference(
        table=record["table"],
        pk=record["pk"],
        sk=record["sk"],
        bucket=thing["bucket"],
        key=thing["key"],
        version_id=thing["version_id"],
    )


def read(dynamodb: Any, reference: Reference) -> Fields | None:
    """Return the record as it is now, None if it is no more."""
    place = to_item({"pk": reference.pk, "sk": reference.sk})
    item = dynamodb.get_item(TableName=reference.table, Key=place, ConsistentRead=True).get("Item")
    record = from_item(item) if item else None
    # A person's decision is noted, then announced, then written over the policy's.
    if record and "reviewed" in record:
        record["decision"] = record["reviewed"]["decision"]
    return record


def analyses_of(s3: Any, record: Fields) -> Mapping[str, Fields]:
    """Return what the analyses found: the record's own, or what lies elsewhere for its size."""
    place: Mapping[str, str] | None = record.get("results")
    if place is None:
        return record["analyses"]
    answer = s3.get_object(Bucket=place["bucket"], Key=place["key"])
    return json.loads(answer["Body"].read())


@dataclass(frozen=True)
class Follower:
    """Works off the messages of one invocation; safe to share between threads.

    follow: brings what follows from a record in step with it. metrics: by outcome, and for
    "malformed" and "failed", the metric that counts it. first_seconds: the wait after a first
    failure, which doubles with each further one.
    """

    sqs: Any
    queue_url: str
    log: Log
    follow: Callable[[Reference], Outcome]
    metrics: Mapping[str, str]
    first_seconds: float
    log_keys: bool = field(default_factory=logs.log_keys)

    def process(self, message: Message) -> bool:
        """Process one message; return whether it is done with."""
        log = self.log.bind(message_id=message.id)
        try:
            reference = parse(message.body)
            log = log.bind(
                **logs.object_fields(reference.bucket, reference.key, reference.version_id)
            )
            outcome = self.follow(reference)
        except Malformed as error:
            batch.give_up(self.sqs, self.queue_url, message)
            log.error("message is malformed", {self.metrics["malformed"]: 1}, reason=str(error))
            return False
        except Exception as error:
            seconds = self._wait(message.receives)
            batch.give_back(self.sqs, self.queue_url, message, seconds)
            fields = {
                "kind": errors.kind_of(error),
                "error": errors.code_of(error),
                "reason": errors.text_of(error, self.log_keys),
                "receives": message.receives,
                "retry_seconds": seconds,
            }
            log.error("message failed", {self.metrics["failed"]: 1}, **fields)
            return False
        metric = self.metrics.get(outcome)
        log.info(f"followed: {outcome}", {metric: 1} if metric else None)
        return True

    def _wait(self, receives: int) -> int:
        return round(min(LONGEST_WAIT_SECONDS, self.first_seconds * 2 ** min(receives - 1, 10)))
