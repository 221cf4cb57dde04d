"""Files for tests: real headers, nothing behind them."""

import json
import struct
from typing import Any


def png(width: int = 640, height: int = 480, size: int = 0) -> bytes:
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + ihdr + b"\0\0\0\0"
    return data.ljust(size, b"\0")


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(width: int = 640, height: int = 480, before: bytes = b"", frame: int = 0xC0) -> bytes:
    sof = struct.pack(">BHHB", 8, height, width, 3) + b"\x01\x11\0\x02\x11\x01\x03\x11\x01"
    app0 = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    return b"\xff\xd8" + app0 + before + segment(frame, sof) + segment(0xDA, b"\0" * 10)


def event(key: str = "incoming/a.jpg", version: str = "v1", **changes: Any) -> dict[str, Any]:
    """An "Object Created" event as the Amazon S3 user guide shows it, with `changes` in its
    detail.object."""
    thing = {
        "key": key,
        "size": 5,
        "etag": "b57f9512698f4b09e608f4f2a65852e5",
        "version-id": version,
        "sequencer": "617f08299329d189",
        **changes,
    }
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-12T00:00:00Z",
        "region": "ca-central-1",
        "resources": ["arn:aws:s3:::images"],
        "detail": {
            "version": "0",
            "bucket": {"name": "images"},
            "object": {name: value for name, value in thing.items() if value is not None},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


def body(key: str = "incoming/a.jpg", version: str = "v1", **changes: Any) -> str:
    return json.dumps(event(key, version, **changes))


def label(name: str, confidence: float, parent: str = "", level: int = 1) -> dict[str, Any]:
    return {"Name": name, "Confidence": confidence, "ParentName": parent, "TaxonomyLevel": level}


def moderation(*labels: dict[str, Any]) -> dict[str, Any]:
    return {"ModerationLabels": list(labels), "ModerationModelVersion": "7.0", "ContentTypes": []}
