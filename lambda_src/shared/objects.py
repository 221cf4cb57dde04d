"""What S3 tells of an object version: its first bytes, and why it cannot be fetched."""

from dataclasses import dataclass
from typing import Any

from shared import errors
from shared.errors import Denied, Transient, Unusable
from shared.s3_events import ObjectVersion

HEAD_BYTES = 65_536

GONE = "the version was deleted before it could be analysed"
EMPTY = "the file is empty"


@dataclass(frozen=True)
class Head:
    """The first bytes of a version, its size in bytes, and its ETag without quotes."""

    start: bytes
    size: int
    etag: str


def read_head(s3: Any, version: ObjectVersion) -> Head:
    """Return the version's first bytes, by one ranged GetObject.

    Raises Unusable for a version that is gone or empty, botocore's ClientError otherwise.
    """
    try:
        answer = s3.get_object(
            Bucket=version.bucket,
            Key=version.key,
            VersionId=version.version_id,
            Range=f"bytes=0-{HEAD_BYTES - 1}",
        )
    except Exception as error:
        unusable = _why_not(error)
        if unusable:
            raise unusable from error
        raise
    start: bytes = answer["Body"].read(HEAD_BYTES)
    if not start:
        raise Unusable("empty", EMPTY)
    return Head(start, _size(answer), str(answer["ETag"]).strip('"'))


def why_not_fetched(s3: Any, version: ObjectVersion) -> Exception:
    """Return why Rekognition could not fetch the version (InvalidS3ObjectException).

    The service says only that it could not: a HEAD of the version tells gone from forbidden.
    If we can see it, the cause was passing or lies between Rekognition and S3.
    """
    try:
        s3.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    except Exception as error:
        if errors.kind_of(error) == "gone":
            return Unusable("object_gone", GONE)
        if errors.kind_of(error) == "denied":
            return Denied("HeadObject of the version is forbidden, so Rekognition cannot fetch it")
        return error
    return Transient("Rekognition could not fetch the version, though it is there and readable")


def _why_not(error: Exception) -> Unusable | None:
    if errors.kind_of(error) == "gone":
        return Unusable("object_gone", GONE)
    # A range of an empty file can never be satisfied ("GetObject", S3 API reference).
    if errors.code_of(error) == "InvalidRange" or errors.status_of(error) == 416:
        return Unusable("empty", EMPTY)
    return None


def _size(answer: dict[str, Any]) -> int:
    # Content-Range reads "bytes 0-65535/1234567"; it is absent where the range was ignored.
    total = str(answer.get("ContentRange") or "").rpartition("/")[2]
    return int(total) if total.isdigit() else int(answer["ContentLength"])
