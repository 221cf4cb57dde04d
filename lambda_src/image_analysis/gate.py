"""The gate before any paid call: one read of the first bytes tells most hopeless images."""

from dataclasses import dataclass
from typing import Any

from image_analysis import errors, image_header
from image_analysis.errors import Denied, Transient, Unusable
from shared.dynamodb import Fields
from shared.s3_events import ObjectVersion

# "Guidelines and quotas in Amazon Rekognition" in the developer guide.
MOST_BYTES = 15 * 1024 * 1024
LEAST_PIXELS = 80
MOST_PIXELS = 10_000

HEAD_BYTES = 65_536

GONE = "the version was deleted before it could be analysed"
EMPTY = "the file is empty"


@dataclass(frozen=True)
class Image:
    """What is known of a stored image: size in bytes, ETag without quotes, header."""

    size: int
    etag: str
    header: image_header.Header

    def fields(self) -> Fields:
        """Return the record's fields that describe the file."""
        return {
            "size": self.size,
            "etag": self.etag,
            "format": self.header.format,
            "width": self.header.width,
            "height": self.header.height,
        }


def read(s3: Any, version: ObjectVersion) -> Image:
    """Return what the version's first bytes say, by one ranged GetObject.

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
    head: bytes = answer["Body"].read(HEAD_BYTES)
    if not head:
        raise Unusable("empty", EMPTY)
    return Image(_size(answer), str(answer["ETag"]).strip('"'), image_header.read(head))


def check(image: Image) -> None:
    """Raise Unusable if `image` lies outside what Rekognition takes.

    Where the header does not tell the pixels, the service decides.
    """
    if image.header.format is None:
        raise Unusable(
            "unsupported_format",
            f"the file is {image.header.name}; only JPEG and PNG can be analysed",
        )
    if image.size > MOST_BYTES:
        raise Unusable("too_large", f"{image.size:,} bytes; at most {MOST_BYTES:,} are allowed")
    sides = [side for side in (image.header.width, image.header.height) if side is not None]
    shape = f"{image.header.width or '?'} x {image.header.height or '?'} pixels"
    if any(side < LEAST_PIXELS for side in sides):
        raise Unusable("too_small", f"{shape}; at least {LEAST_PIXELS} a side are needed")
    if any(side > MOST_PIXELS for side in sides):
        raise Unusable("too_many_pixels", f"{shape}; at most {MOST_PIXELS:,} a side are allowed")


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
