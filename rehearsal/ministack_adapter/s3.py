"""S3: reading an object for another service, emptying a bucket, and events with their version."""

import json
import time
from contextvars import ContextVar
from typing import Any

from rehearsal.ministack_adapter.iam import Caller
from rehearsal.ministack_adapter.modules import eventbridge, responses, s3

SSE = "x-amz-server-side-encryption"
SSE_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
# Detail types of EventBridge by the event of a notification; MiniStack knows neither.
TAG_EVENTS = {
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}
_version: ContextVar[str | None] = ContextVar("rehearsal_event_version", default=None)


def read_object(bucket: str, key: str, version: str | None) -> bytes | None:
    """The bytes of an object (or of one version), or None if there is none.

    Permissions are the caller's affair: ask Caller.may_read_object first.
    """
    return s3._get_object_data(bucket, key, version)


def bucket_region(bucket: str) -> str | None:
    """The Region that a bucket is in, or None if there is no such bucket."""
    return s3.bucket_region(bucket)


def bucket_tags(bucket: str) -> dict[str, str] | None:
    """The tags of a bucket, or None if there is no such bucket."""
    if s3._buckets.get(bucket) is None:
        return None
    return dict(s3._bucket_tags.get(bucket) or {})


def empty_bucket(bucket: str) -> int:
    """Delete every object, version and delete marker of a bucket; return how many.

    Multipart uploads in progress are dropped as well. A bucket that is gone already has nothing.
    """
    record = s3._buckets.get(bucket)
    if record is None:
        return 0
    count = 0
    for name, key in [pair for pair in s3._object_versions if pair[0] == bucket]:
        for version in list(s3._object_versions.get((name, key), [])):
            s3._delete_object(name, key, {}, {"versionId": [version["version_id"]]})
            count += 1
    for key in list(record["objects"]):
        s3._delete_object(bucket, key, {}, {"versionId": ["null"]})
        count += 1
    record["objects"].clear()
    for upload in [u for u, v in s3._multipart_uploads.items() if v.get("bucket") == bucket]:
        s3._multipart_uploads.pop(upload, None)
    return count


def install() -> None:
    """Wrap the events, the default key and the answers about missing objects."""
    _event_details()
    _tag_events()
    _missing_objects()
    _default_key()
    _sequencers()


def _sequencers() -> None:
    """Sequencers have the form that those of S3 have been seen to have, such as
    0055AED6DCD90281E5: the time in seconds, eight digits after two zeros, then a fraction.

    MiniStack's only count. S3 documents their order among the events of a key, not their form.
    """
    original, last = s3._next_event_sequencer, 0

    def sequencer(event_name: str) -> str | None:
        nonlocal last
        if original(event_name) is None:
            return None
        last = max(last + 1, time.time_ns() // 1_000)
        return f"00{last // 1_000_000:08X}{last % 1_000_000 << 12:08X}"

    s3._next_event_sequencer = sequencer


def _default_key() -> None:
    """A write that asks for aws:kms without naming a key uses AWS's own key for S3.

    ("Specifying server-side encryption with AWS KMS", Amazon S3 User Guide.) The CDK CLI writes its
    assets so.
    """
    original = s3._resolve_sse_write_headers

    def resolve(headers: dict[str, str], bucket_name: str) -> Any:
        if headers.get(SSE) == "aws:kms" and not headers.get(SSE_KEY):
            place = f"{responses.get_region()}:{responses.get_account_id()}"
            headers = {**headers, SSE_KEY: f"arn:aws:kms:{place}:alias/aws/s3"}
        return original(headers, bucket_name)

    s3._resolve_sse_write_headers = resolve


def _missing_objects() -> None:
    """Whoever may not list a bucket is told 403, not 404, of an object that is missing.

    ("GetObject" and "HeadObject", permissions, Amazon S3 API Reference.)
    """
    original = s3.handle_request

    async def handle(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
        **more: Any,
    ) -> Any:
        answer = await original(method, path, headers, body, query, **more)
        bucket, _, key = path.lstrip("/").partition("/")
        if answer[0] != 404 or method not in ("GET", "HEAD") or not key or more.get("internal"):
            return answer
        if s3._buckets.get(bucket) is None or Caller.of(headers, query).may_list_bucket(bucket):
            return answer
        return s3._error("AccessDenied", "Access Denied", 403, path)

    s3.handle_request = handle


def _tag_events() -> None:
    """Every change of an object's tags is an event of its own.

    ("Using EventBridge" and "Supported event types for SQS, SNS, and Lambda", Amazon S3 User
    Guide.) Tags that an upload carries are part of its `Object Created`.
    """
    put, delete = s3._put_object_tagging, s3._delete_object_tagging

    def put_and_tell(bucket: str, key: str, body: bytes, query: Any = None) -> Any:
        answer = put(bucket, key, body, query)
        _tell_of_tags(answer, bucket, key, query, "s3:ObjectTagging:Put")
        return answer

    def delete_and_tell(bucket: str, key: str, query: Any = None) -> Any:
        answer = delete(bucket, key, query)
        _tell_of_tags(answer, bucket, key, query, "s3:ObjectTagging:Delete")
        return answer

    s3._S3_EVENTBRIDGE_EVENT_DETAIL_TYPE.update(TAG_EVENTS)
    s3._put_object_tagging, s3._delete_object_tagging = put_and_tell, delete_and_tell


def _tell_of_tags(answer: Any, bucket: str, key: str, query: Any, event: str) -> None:
    if answer[0] >= 300:
        return
    record = s3._buckets.get(bucket)
    version = s3._resolve_subresource_version(query, record, key)
    kept: list[dict[str, Any]] = list(s3._object_versions.get((bucket, key), []))
    tagged = next((each for each in kept if each["version_id"] == version), None)
    tagged = tagged or record["objects"][key]
    s3._fire_s3_event_async(
        bucket, key, event, size=tagged["size"], etag=tagged["etag"], version_id=version
    )


def _event_details() -> None:
    """Events of a versioned bucket carry `version-id`; those of tags have fewer fields.

    ("EventBridge event message structure", Amazon S3 User Guide.) An event of tags has neither
    size nor sequencer.
    """
    fire = s3._fire_s3_event
    dispatch = eventbridge._dispatch_event

    def fire_with_version(*args: Any, version_id: str | None = None, **kwargs: Any) -> None:
        token = _version.set(version_id)
        try:
            fire(*args, version_id=version_id, **kwargs)
        finally:
            _version.reset(token)

    def dispatch_with_details(event: dict[str, Any], view: Any = None) -> None:
        if event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            if version := _version.get():
                detail["object"].setdefault("version-id", version)
            if event.get("DetailType") in TAG_EVENTS.values():
                for name in ("size", "sequencer"):
                    detail["object"].pop(name, None)
            event = {**event, "Detail": json.dumps(detail)}
        dispatch(event, view)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_details
