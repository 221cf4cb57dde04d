"""What was found in the same bytes before: no call is paid twice for it.

Same bytes are those of the same SHA-256, computed here: an ETag is no hash of an object's bytes
("Checking object integrity in Amazon S3"), and a CRC is easy to hit on purpose. A record that is
done has the attribute `content`, the hash with the fingerprint of the settings it was made under,
by which the table's index `contents` finds it. So an answer goes with its record, when that
expires or is erased; and whoever changes analyses or policy has every image looked at anew.

Two same images at the same time both find nothing, and both pay.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from image_analysis.gate import Image
from shared import clock
from shared.dynamodb import Fields, from_item, to_item
from shared.s3_events import ObjectVersion

INDEX = "contents"
# Of one picture there may be thousands of records; the newest few are as good as all.
CANDIDATES = 5
CHUNK_BYTES = 1_048_576


@dataclass(frozen=True)
class Known:
    """What an earlier record answers, and what an answer to this image is found by.

    content: the attribute `content` of this image's record. found: decision, reasons and analyses
    of an earlier one, None if there is none.
    """

    content: str
    found: Fields | None


@dataclass
class Models:
    """The model versions that this execution environment was last answered with.

    Amazon renews its models without a word: an answer of another version is no longer what a call
    would bring. What this environment has not seen yet it cannot tell; an answer's age bounds that.
    """

    _seen: dict[str, object] = field(default_factory=dict[str, object])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, analyses: Mapping[str, Fields]) -> None:
        """Remember the versions that the service has just answered with."""
        with self._lock:
            self._seen |= {name: _model_of(fields) for name, fields in analyses.items()}

    def are_current(self, analyses: Mapping[str, Fields]) -> bool:
        """Whether no analysis is known to be made by another version now."""
        with self._lock:
            return all(
                _model_of(fields) == self._seen.get(name, _model_of(fields))
                for name, fields in analyses.items()
            )


@dataclass(frozen=True)
class Reuse:
    """Finds what the same bytes were answered with under the same settings.

    seconds: how old an answer may be; None: nothing is reused. settings: their fingerprint.
    are_live: whether answers come from the live versions of the Custom Labels models that the
    configuration names, which the fingerprint does not tell.
    """

    s3: Any
    dynamodb: Any
    table: str
    settings: str
    seconds: float | None
    models: Models = field(default_factory=Models)
    are_live: Callable[[Mapping[str, Fields]], bool] = lambda analyses: True

    def look(self, version: ObjectVersion, image: Image, now: float) -> Known | None:
        """Return what is known of the version's bytes; None where nothing is to be reused.

        image: what the gate has read of it. Raises botocore's ClientError.
        """
        if self.seconds is None:
            return None
        content = f"{sha256_of(self.s3, version, image)}:{self.settings}"
        since = clock.iso(now - self.seconds)
        found = (self._answer(keys, content, now) for keys in self._candidates(content, since))
        return Known(content, next((each for each in found if each), None))

    def _candidates(self, content: str, since: str) -> list[Fields]:
        """Keys of the newest records of these bytes."""
        answer = self.dynamodb.query(
            TableName=self.table,
            IndexName=INDEX,
            KeyConditionExpression="content = :content AND answered_at >= :since",
            ExpressionAttributeValues=to_item({":content": content, ":since": since}),
            ScanIndexForward=False,
            Limit=CANDIDATES,
        )
        return [from_item(item) for item in answer["Items"]]

    def _answer(self, keys: Fields, content: str, now: float) -> Fields | None:
        # The index follows the table a moment later: the record itself is what counts.
        place = to_item({name: keys[name] for name in ("pk", "sk")})
        item = self.dynamodb.get_item(TableName=self.table, Key=place, ConsistentRead=True)
        record = from_item(item.get("Item") or {})
        # Items are deleted some time after they expire ("Using time to live").
        if record.get("content") != content or record.get("expires_at", now) < now:
            return None
        if not self.models.are_current(record["analyses"]):
            return None
        if not self.are_live(record["analyses"]):
            return None
        # What a person decided holds for that very object; this one gets the policy's word.
        reviewed: Fields = record.get("reviewed") or {}
        return {
            "decision": reviewed.get("previous", record["decision"]),
            "reasons": record["reasons"],
            "analyses": record["analyses"],
            "answered_at": record["answered_at"],
        }


def sha256_of(s3: Any, version: ObjectVersion, image: Image) -> str:
    """Return the SHA-256 of the version's bytes in hexadecimal, reading what the gate has not."""
    digest = hashlib.sha256(image.head)
    for chunk in _rest(s3, version, image):
        digest.update(chunk)
    return digest.hexdigest()


def _rest(s3: Any, version: ObjectVersion, image: Image) -> Iterator[bytes]:
    if len(image.head) >= image.size:
        return
    answer = s3.get_object(
        Bucket=version.bucket,
        Key=version.key,
        VersionId=version.version_id,
        Range=f"bytes={len(image.head)}-",
    )
    while chunk := answer["Body"].read(CHUNK_BYTES):
        yield chunk


def _model_of(fields: Fields) -> object:
    """What tells an analysis's model: its version, or which models of one's own answered."""
    models: list[Fields] = fields.get("models") or []
    return fields.get("model_version"), tuple(each["model"] for each in models)
