"""Brings the row of a record in step with the record."""

from dataclasses import dataclass
from typing import Any

from image_results import rows
from shared import following
from shared.dynamodb import Fields
from shared.following import DONE, Moving, Outcome, Reference

TRIES = 3


@dataclass(frozen=True)
class Export:
    """Writes rows to a bucket.

    s3, dynamodb: clients. bucket: where rows lie, and large results.
    """

    s3: Any
    dynamodb: Any
    bucket: str

    def follow(self, reference: Reference) -> Outcome:
        """Write the row of the record as it is now.

        The record is read once more after the row is written: of two at the same time the one that
        read an older record would otherwise have the last word, and a row of a record that was
        erased meanwhile would stay. Raises Moving if it changes again and again.
        """
        record = following.read(self.dynamodb, reference)
        for _ in range(TRIES):
            # One that is being analysed anew announces that itself.
            if record is None or record.get("status") != DONE:
                return "nothing"
            key, version = self._write(record)
            now = following.read(self.dynamodb, reference)
            if rows.is_same(now, record):
                return "made"
            if now is None:
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)
                return "removed"
            record = now
        raise Moving("the record changed while its row was written")

    def _write(self, record: Fields) -> tuple[str, str]:
        key = rows.key_of(record)
        row = rows.row_of(record, following.analyses_of(self.s3, record))
        put = self.s3.put_object(
            Bucket=self.bucket, Key=key, Body=rows.line_of(row), ContentType="application/json"
        )
        return key, put["VersionId"]
