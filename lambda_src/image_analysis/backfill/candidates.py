"""What a list of objects offers for analysis: one item of a Distributed Map at a time.

An item of a listing is one object of "ListObjectsV2", an item of an inventory one row of its CSV
("ItemReader (Map)", AWS Step Functions; "Amazon S3 Inventory list", Amazon S3 user guide).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote_plus

Source = Literal["listing", "inventory"]
SOURCES = ("listing", "inventory")

# Not readable until somebody restores them ("GetObject", Amazon S3 API reference).
ARCHIVES = frozenset(("GLACIER", "DEEP_ARCHIVE"))
ARCHIVE_TIERS = frozenset(("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"))

FOLDER = "folders"
DELETED = "deleted"
OLDER = "older_versions"
ARCHIVED = "archived"
ELSEWHERE = "elsewhere"
QUARANTINED = "quarantined"
DONE = "done"


@dataclass(frozen=True)
class Candidate:
    """An object that may have to be analysed.

    keys: its key; where it is not known whether a key is encoded, both readings of it, the
    decoded one first. version: its version id, None where the list does not say. modified: when
    it was written, seconds since the epoch, None where the list does not say.
    """

    keys: tuple[str, ...]
    version: str | None = None
    modified: float | None = None


def read(
    item: Mapping[str, Any], source: Source, bucket: str, prefixes: Sequence[str]
) -> Candidate | str:
    """Return the candidate that an item stands for, or why it is left out.

    Raises ValueError for an item that is of neither form.
    """
    if not isinstance(item.get("Key"), str):
        raise ValueError(f"an item of the {source} has no Key, only {sorted(item)}")
    reading = _listed if source == "listing" else _inventoried
    return reading(item, bucket, prefixes)


def _listed(item: Mapping[str, Any], bucket: str, prefixes: Sequence[str]) -> Candidate | str:
    key = str(item["Key"])
    if not _within(key, prefixes):
        return ELSEWHERE
    # What the console makes for a folder ("Organizing objects by using folders").
    if key.endswith("/") and int(item.get("Size") or 0) == 0:
        return FOLDER
    if item.get("StorageClass") in ARCHIVES:
        return ARCHIVED
    return Candidate((key,), modified=_seconds(item.get("LastModified")))


def _inventoried(item: Mapping[str, Any], bucket: str, prefixes: Sequence[str]) -> Candidate | str:
    given = str(item["Key"])
    # Keys are form-encoded in an inventory's CSV, and whether Step Functions decodes them is not
    # documented: where it makes a difference, the object that exists tells.
    keys = tuple(dict.fromkeys((unquote_plus(given), given)))
    if item.get("Bucket", bucket) != bucket or not _within(keys[0], prefixes):
        return ELSEWHERE
    if _true(item.get("IsDeleteMarker")):
        return DELETED
    if not _true(item.get("IsLatest", "true")):
        return OLDER
    if keys[0].endswith("/") and str(item.get("Size", "0")) in ("", "0"):
        return FOLDER
    tier = item.get("IntelligentTieringAccessTier")
    if item.get("StorageClass") in ARCHIVES or tier in ARCHIVE_TIERS:
        return ARCHIVED
    if len(keys) > 1:
        return Candidate(keys)
    modified = _seconds(item.get("LastModifiedDate"))
    return Candidate(keys, str(item.get("VersionId") or "") or None, modified)


def _within(key: str, prefixes: Sequence[str]) -> bool:
    return any(key.startswith(prefix) for prefix in prefixes)


def _true(value: object) -> bool:
    return str(value).lower() == "true"


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
