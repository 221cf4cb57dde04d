"""S3: reading an object for another service, emptying a bucket, and events with their version."""

import json
from contextvars import ContextVar
from typing import Any

from rehearsal.ministack_adapter.iam import Caller
from rehearsal.ministack_adapter.modules import eventbridge, responses, s3

SSE = "x-amz-server-side-encryption"
SSE_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
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
    _event_versions()
    _missing_objects()
    _default_key()


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


def _event_versions() -> None:
    """Events of a versioned bucket carry `version-id`.

    ("EventBridge events detail message structure", Amazon S3 User Guide.)
    """
    fire = s3._fire_s3_event
    dispatch = eventbridge._dispatch_event

    def fire_with_version(*args: Any, version_id: str | None = None, **kwargs: Any) -> None:
        token = _version.set(version_id)
        try:
            fire(*args, version_id=version_id, **kwargs)
        finally:
            _version.reset(token)

    def dispatch_with_version(event: dict[str, Any], view: Any = None) -> None:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"].setdefault("version-id", version)
            event = {**event, "Detail": json.dumps(detail)}
        dispatch(event, view)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version
