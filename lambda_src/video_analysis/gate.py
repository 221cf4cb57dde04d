"""The gate before any paid job: size, container and codec, as far as the first bytes tell."""

from dataclasses import dataclass
from typing import Any

from shared import objects
from shared.dynamodb import Fields
from shared.errors import Unusable
from shared.s3_events import ObjectVersion
from video_analysis import video_header
from video_analysis.video_header import Header

# "Guidelines and quotas in Amazon Rekognition" in the developer guide: 10 GB, 6 hours, H.264.
MOST_BYTES = 10 * 1024**3
# By the four characters of a sample entry: codecs that surely are not H.264. Anything that is not
# listed (H.264 itself, encrypted or unknown entries) is left to the service.
OTHER_CODECS = {
    "ap4h": "ProRes 4444",
    "apch": "ProRes 422 HQ",
    "apcn": "ProRes 422",
    "apcs": "ProRes 422 LT",
    "av01": "AV1",
    "dvh1": "Dolby Vision",
    "dvhe": "Dolby Vision",
    "hev1": "H.265",
    "hvc1": "H.265",
    "jpeg": "Motion JPEG",
    "mjpa": "Motion JPEG",
    "mjpb": "Motion JPEG",
    "mp4v": "MPEG-4 Part 2",
    "s263": "H.263",
    "vp08": "VP8",
    "vp09": "VP9",
}


@dataclass(frozen=True)
class Video:
    """What is known of a stored video: size in bytes, ETag without quotes, header."""

    size: int
    etag: str
    header: Header

    def fields(self) -> Fields:
        """Return the record's fields that describe the file."""
        return {"size": self.size, "etag": self.etag, "format": self.header.container}


def read(s3: Any, version: ObjectVersion) -> Video:
    """Return what the version's first bytes say; it raises what `objects.read_head` does."""
    head = objects.read_head(s3, version)
    return Video(head.size, head.etag, video_header.read(head.start))


def check(video: Video) -> None:
    """Raise Unusable if `video` surely lies outside what Rekognition takes."""
    if video.header.container is None:
        raise Unusable(
            "unsupported_format", "the file is no MP4, MOV or AVI; only these can be analysed"
        )
    if video.size > MOST_BYTES:
        raise Unusable("too_large", f"{video.size:,} bytes; at most {MOST_BYTES:,} are allowed")
    codec = OTHER_CODECS.get(video.header.codec or "")
    if codec is not None:
        raise Unusable("unsupported_codec", f"the video is {codec}; only H.264 can be analysed")
