"""Where results lie in S3, and how they are written."""

import hashlib
import json
from typing import Any
from urllib.parse import quote

from shared.dynamodb import plain_number

# "results/vision/", then a folder for the object, a folder for the version.
PREFIX = "results/vision/"


def folder_of(pk: str) -> str:
    """Return the folder of all results of one object, `s3://<bucket>/<key>`.

    Its name tells nothing of the object's key, which may be personal.
    """
    return f"{PREFIX}{name_of(pk)}/"


def name_of(pk: str) -> str:
    """Return what an object is called where its key must not show: 32 hex digits of a hash."""
    return hashlib.sha256(pk.encode()).hexdigest()[:32]


def key_of(pk: str, version_id: str, settings: str) -> str:
    """Return where the results of a version under some settings lie."""
    return f"{folder_of(pk)}{file_of(version_id)}/{settings}.json"


def file_of(version_id: str) -> str:
    """Return what a version is called in the name of an object."""
    return quote(version_id, safe="")


def write(s3: Any, place: dict[str, str], content: object) -> None:
    """Write results as JSON; place: bucket and key. Writing again replaces the same object."""
    s3.put_object(
        Bucket=place["bucket"],
        Key=place["key"],
        Body=json.dumps(content, default=plain_number).encode(),
        ContentType="application/json",
    )
