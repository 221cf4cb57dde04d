"""Object versions to analyse: which version an object has now, and what its record says."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from image_analysis.backfill.candidates import DELETED, QUARANTINED, Candidate
from shared import errors, quarantine, records
from shared.dynamodb import Fields, from_item, to_item
from shared.errors import Transient
from shared.s3_events import ObjectVersion, found

THREADS = 16
# "BatchGetItem" in the Amazon DynamoDB API reference.
MOST_KEYS = 100
_TRIES = 6
_NAMES = (
    "announced",
    "calls_saved",
    "decision",
    "quarantined",
    "reviewed",
    "settings",
    "sk",
    "pk",
    "status",
)


@dataclass(frozen=True)
class Finder:
    """Looks objects up.

    s3, dynamodb: clients. bucket: where the objects lie. table: of the records. sleep: waits
    seconds.
    """

    s3: Any
    dynamodb: Any
    bucket: str
    table: str
    sleep: Callable[[float], None] = time.sleep

    def versions(self, candidates: Sequence[Candidate]) -> list[ObjectVersion | str]:
        """Return the version of each candidate, or why there is none to analyse."""
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(self._version, candidates))

    def _version(self, candidate: Candidate) -> ObjectVersion | str:
        make = partial(found, self.bucket, modified=candidate.modified)
        if candidate.version is not None and len(candidate.keys) == 1:
            return make(candidate.keys[0], candidate.version)
        for key in candidate.keys:
            # Tells the version, and whether it is in quarantine, without a right to read it.
            answer = self._tags(key)
            if answer is not None:
                if quarantine.is_on(answer["TagSet"]):
                    return QUARANTINED
                return make(key, str(answer.get("VersionId") or "null"))
        return DELETED

    def _tags(self, key: str) -> Any:
        try:
            return self.s3.get_object_tagging(Bucket=self.bucket, Key=key)
        except Exception as error:
            if errors.kind_of(error) == "gone":
                return None
            raise

    def records(self, versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Fields]:
        """Return the records of versions, by key and version id, as far as there are any."""
        wanted = list(dict.fromkeys(versions))
        known: dict[tuple[str, str], Fields] = {}
        for start in range(0, len(wanted), MOST_KEYS):
            for record in self._batch(wanted[start : start + MOST_KEYS]):
                key = str(record["pk"]).removeprefix(f"s3://{self.bucket}/")
                known[key, str(record["sk"]).removeprefix("version#")] = record
        return known

    def _batch(self, wanted: Sequence[tuple[str, str]]) -> list[Fields]:
        keys = [
            to_item({"pk": f"s3://{self.bucket}/{key}", "sk": records.version_key(version)})
            for key, version in wanted
        ]
        request: Any = {
            self.table: {
                "Keys": keys,
                "ProjectionExpression": ", ".join(f"#{name}" for name in _NAMES),
                "ExpressionAttributeNames": {f"#{name}": name for name in _NAMES},
            }
        }
        read: list[Fields] = []
        for turn in range(_TRIES):
            answer = self.dynamodb.batch_get_item(RequestItems=request)
            read += [from_item(item) for item in answer["Responses"].get(self.table, ())]
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return read
            self.sleep(0.1 * 2**turn)
        raise Transient("DynamoDB left keys unread, again and again")
