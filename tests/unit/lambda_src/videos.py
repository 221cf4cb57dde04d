"""Video files as small as can be: boxes with a track's codec and nothing to see."""

from __future__ import annotations

import struct
from typing import Any


def box(name: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), name) + content


def track(codec: bytes, kind: bytes = b"vide") -> bytes:
    entries = box(b"stsd", bytes(4), struct.pack(">I", 1), box(codec, bytes(70)))
    media = box(b"minf", box(b"stbl", entries))
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), kind, bytes(12)), media))


def mp4(codec: bytes = b"avc1", brand: bytes = b"isom", *, early: bool = True) -> bytes:
    """An MP4 file with a sound track and a video track; early: its `moov` comes first."""
    head = box(b"ftyp", brand, bytes(4))
    moov = box(b"moov", track(b"mp4a", b"soun"), track(codec))
    data = box(b"mdat", bytes(100))
    return head + (moov + data if early else data + moov)


METADATA = {"Codec": "h264", "DurationMillis": 10_000, "Format": "QuickTime / MOV"}


def moderation(*labels: tuple[str, float, int, int], **more: Any) -> dict[str, Any]:
    """Results of GetContentModeration: name, confidence, start and end of each label."""
    return {
        "JobStatus": "SUCCEEDED",
        "VideoMetadata": METADATA,
        "ModerationLabels": [
            {
                "Timestamp": start,
                "StartTimestampMillis": start,
                "EndTimestampMillis": end,
                "ModerationLabel": {"Name": name, "Confidence": sure, "ParentName": ""},
            }
            for name, sure, start, end in labels
        ],
        **more,
    }
