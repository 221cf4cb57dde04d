"""The gate before any paid call: one read of the first bytes tells most hopeless images."""

from dataclasses import dataclass, field
from typing import Any

from image_analysis import image_header
from shared import objects
from shared.dynamodb import Fields
from shared.errors import Unusable
from shared.s3_events import ObjectVersion

# "Guidelines and quotas in Amazon Rekognition" in the developer guide.
MOST_BYTES = 15 * 1024 * 1024
LEAST_PIXELS = 80
MOST_PIXELS = 10_000


@dataclass(frozen=True)
class Image:
    """What is known of a stored image: size in bytes, ETag without quotes, header, and the first
    bytes themselves."""

    size: int
    etag: str
    header: image_header.Header
    head: bytes = field(repr=False)

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
    """Return what the version's first bytes say; it raises what `objects.read_head` does."""
    head = objects.read_head(s3, version)
    return Image(head.size, head.etag, image_header.read(head.start), head.start)


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
