"""Object versions out of queue messages.

A message's body is an EventBridge event of Amazon S3 ("Object Created"; see "EventBridge event
message structure" in the Amazon S3 user guide). Object keys stand in it plain, not form-encoded
as in S3's own notifications, so they are never decoded here. What lay in a bucket before anybody
listened comes in messages of the same form with a source of their own; see `body`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

SOURCE = "aws.s3"
DETAIL_TYPE = "Object Created"
BACKFILL_SOURCE = "sagelens.backfill"
BACKFILL_TYPE = "Object Found"
# What a message may be: what S3 tells, and what a backfill found.
KINDS = ((SOURCE, DETAIL_TYPE), (BACKFILL_SOURCE, BACKFILL_TYPE))
_HEX = frozenset("0123456789abcdefABCDEF")


class Malformed(ValueError):
    """The message is not an event of a new object version; it never will be."""


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one object, as its event tells of it.

    size: bytes, None if the event does not say. sequencer: hexadecimal, orders the events of
    one key. created_at: the event's time, ISO 8601.
    """

    bucket: str
    key: str
    version_id: str
    sequencer: str
    size: int | None = None
    etag: str | None = None
    created_at: str | None = None

    @property
    def uri(self) -> str:
        """The object's address, `s3://bucket/key`, with the key as it is."""
        return f"s3://{self.bucket}/{self.key}"


def found(bucket: str, key: str, version_id: str, modified: float | None) -> ObjectVersion:
    """Return a version that was found lying in a bucket, of which no event tells.

    modified: when it was written, in seconds since the epoch; None where that is not known.

    Its sequencer is made of that time in the form that S3's own have been seen to have (seconds
    in eight digits after two zeros), which S3 does not document. It decides only which version
    `current` points to where events and backfills know different ones; a version whose time is
    not known never takes that place from another.
    """
    sequencer = "0" if modified is None else f"00{int(modified):08X}"
    return ObjectVersion(bucket, key, version_id, sequencer)


def body(bucket: str, key: str, version_id: str, sequencer: str) -> dict[str, Any]:
    """Return the message that tells of a version found lying in a bucket; `parse` reads it.

    It names neither size nor ETag: between the list and the look-up of its version an object may
    have been overwritten, and the image function learns both when it reads the version.
    """
    detail = {
        "bucket": {"name": bucket},
        "object": {"key": key, "version-id": version_id, "sequencer": sequencer},
    }
    event: dict[str, Any] = {
        "version": "0",
        "source": BACKFILL_SOURCE,
        "detail-type": BACKFILL_TYPE,
        "detail": detail,
    }
    seconds = int(sequencer, 16)
    if seconds:
        event["time"] = datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    return event


def parse(body: str) -> ObjectVersion:
    """Return the object version that a message tells of.

    Unknown fields and versions of the event are tolerated. Raises Malformed for what is not
    JSON, not an "Object Created" event, or lacks bucket, key, version id or sequencer.
    """
    return read(_event(body))


def read(event: Mapping[str, Any]) -> ObjectVersion:
    """Return the object version that an EventBridge event tells of; see `parse`."""
    _check_kind(event)
    detail = _mapping(event, "detail", "")
    thing = _mapping(detail, "object", "detail.")
    return ObjectVersion(
        bucket=_text(_mapping(detail, "bucket", "detail."), "name", "detail.bucket."),
        key=_text(thing, "key", "detail.object."),
        version_id=_version_id(thing),
        sequencer=_sequencer(thing),
        size=_optional(thing, "size", int),
        etag=_optional(thing, "etag", str),
        created_at=_optional(event, "time", str),
    )


def _event(body: str) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    # RecursionError: a body of nested brackets only.
    except (ValueError, RecursionError) as error:
        raise Malformed("the message body is not JSON") from error
    if not isinstance(event, dict):
        raise Malformed(f"the message body is JSON but no object: {type(event).__name__}")
    return cast("dict[str, Any]", event)


def _check_kind(event: Mapping[str, Any]) -> None:
    if event.get("Event") == "s3:TestEvent":
        raise Malformed("the message is the test event of an S3 notification, not of an object")
    if "Records" in event:
        raise Malformed(
            "the message is an S3 notification sent straight to the queue; "
            "only S3 events that come through EventBridge are read"
        )
    source, kind = event.get("source"), event.get("detail-type")
    if (source, kind) not in KINDS:
        raise Malformed(
            f"the message is an event {kind!r} of {source!r}; "
            f"only {DETAIL_TYPE!r} of {SOURCE!r} is analysed"
        )


def _mapping(holder: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise Malformed(f"the event's {path}{name} is missing or no object")
    return cast("dict[str, Any]", value)


def _text(holder: Mapping[str, Any], name: str, path: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"the event's {path}{name} is missing, empty or no string")
    if not value.isprintable() and any("\ud800" <= each <= "\udfff" for each in value):
        raise Malformed(f"the event's {path}{name} is no valid Unicode text")
    return value


def _version_id(thing: Mapping[str, Any]) -> str:
    if "version-id" not in thing:
        raise Malformed("the event has no detail.object.version-id: its bucket is not versioned")
    return _text(thing, "version-id", "detail.object.")


def _sequencer(thing: Mapping[str, Any]) -> str:
    value = _text(thing, "sequencer", "detail.object.")
    if not _HEX.issuperset(value):
        raise Malformed(f"the event's detail.object.sequencer is not hexadecimal: {value!r}")
    return value


def _optional(holder: Mapping[str, Any], name: str, kind: type) -> Any:
    value = holder.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None
