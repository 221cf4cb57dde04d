"""What is too large for a record lies in S3, and the record points to it.

DynamoDB takes 400 KB an item ("Quotas" in the Amazon DynamoDB developer guide); a hundred faces
with all attributes come to more. The decision and its reasons always stay in the record.
"""

from dataclasses import dataclass
from typing import Any

from shared import results
from shared.dynamodb import Fields, size_of
from shared.records import MOST_BYTES


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
            "key": results.key_of(record["pk"], record["version_id"], verdict["settings"]),
        }
        results.write(self.s3, place, verdict["analyses"])
        # What lies elsewhere answers no other image: that would take reading it there.
        verdict = {name: each for name, each in verdict.items() if name != "content"}
        kept = {name: {"version": each["version"]} for name, each in verdict["analyses"].items()}
        return {**verdict, "analyses": kept, "results": place}
