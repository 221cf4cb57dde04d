"""What the stand-in for Rekognition can say of a video file: its container and whether it is H.264.

Facts: "Guidelines and quotas in Amazon Rekognition" (developer guide).
"""

from rehearsal.aws_json import ServiceError

MOST_BYTES = 10 * 1024**3
_CONTAINERS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
# Sample entries of H.264 in MP4 and MOV (ISO/IEC 14496-15).
_H264 = (b"avc1", b"avc3")


def check_size(content: bytes) -> None:
    """Refuse a file that is too large for a job."""
    if len(content) > MOST_BYTES:
        raise ServiceError("VideoTooLargeException", "The video is larger than 10 GB")


def why_unreadable(content: bytes) -> str | None:
    """Why a job on this file fails; None if it can be read."""
    if content[4:8] not in _CONTAINERS and content[:4] != b"RIFF":
        return "Unsupported file format: the file is no MP4, MOV or AVI"
    if content[:4] != b"RIFF" and not any(name in content for name in _H264):
        return "Unsupported codec: the video is not encoded with H.264"
    return None
