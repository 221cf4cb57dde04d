"""What is too large for a record lies in S3, and the record points to it.

DynamoDB takes 400 KB an item ("Quotas" in the Amazon DynamoDB developer guide); a hundred faces
with all attributes come to more. The decision and its reasons always stay in the record.
"""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from image_analysis.records import MOST_BYTES
from shared.dynamodb import Fields, size_of

# "results/vision/", then a folder for the object, a folder for the version.
PREFIX = "results/vision/"


@dataclass(frozen=True)
class Overflow:
    """The place for large results: a bucket, or None where there is none."""

    s3: Any
    bucket: str | None

    def fit(self, record: Fields, verdict: Fields) -> Fields:
        """Return the verdict as the record can hold it, its analyses in S3 if need be.

        Writing again replaces the same object by the same bytes. Without a bucket the verdict
        stays as it is, and the record refuses it.
        """
        if self.bucket is None or size_of({**record, "partial": None, **verdict}) <= MOST_BYTES:
            return verdict
        place = {
            "bucket": self.bucket,
            "key": key_of(record["pk"], record["version_id"], verdict["settings"]),
        }
        self.s3.put_object(
            Bucket=place["bucket"],
            Key=place["key"],
            Body=json.dumps(verdict["analyses"], default=_number).encode(),
            ContentType="application/json",
        )
        kept = {name: {"version": each["version"]} for name, each in verdict["analyses"].items()}
        return {**verdict, "analyses": kept, "results": place}


def folder_of(pk: str) -> str:
    """Return the folder of all results of one object, `s3://<bucket>/<key>`.

    Its name tells nothing of the object's key, which may be personal.
    """
    return f"{PREFIX}{hashlib.sha256(pk.encode()).hexdigest()[:32]}/"


def key_of(pk: str, version_id: str, settings: str) -> str:
    """Return where the results of a version under some settings lie."""
    return f"{folder_of(pk)}{quote(version_id, safe='')}/{settings}.json"


def _number(value: object) -> float:
    if isinstance(value, Decimal):  # read back from a record
        return float(value)
    raise TypeError(f"results cannot hold a value of type {type(value).__name__}")
