"""Quarantine: a tag on the very version, which the bucket's policy reads as "no one".

S3 replaces a version's tags as a whole and knows no conditional write of them, so a tag that
somebody else writes between our read and our write is lost.
"""

from dataclasses import dataclass
from typing import Any

from shared import errors
from shared.s3_events import ObjectVersion

TAG_KEY = "sagelens-quarantine"
TAG_VALUE = "rejected"
# "Categorizing your objects using tags" in the Amazon S3 user guide.
MOST_TAGS = 10

Tag = dict[str, str]


@dataclass(frozen=True)
class Plan:
    """The tags a version shall have, and the tag that had to make room, if any."""

    tags: tuple[Tag, ...]
    displaced: Tag | None


def read_tags(s3: Any, version: ObjectVersion) -> list[Tag] | None:
    """Return the version's tags, or None if the version is gone."""
    try:
        return s3.get_object_tagging(**_address(version))["TagSet"]
    except Exception as error:
        if errors.kind_of(error) == "gone":
            return None
        raise


def is_on(tags: list[Tag] | None) -> bool:
    """Whether these tags quarantine a version."""
    return {"Key": TAG_KEY, "Value": TAG_VALUE} in (tags or [])


def plan(tags: list[Tag]) -> Plan:
    """Return the tags that quarantine a version and keep its others.

    A version that carries ten tags already loses the last of them to the quarantine.
    """
    others = [tag for tag in tags if tag["Key"] != TAG_KEY]
    displaced = others[-1] if len(others) >= MOST_TAGS else None
    kept = others[: MOST_TAGS - 1]
    return Plan((*kept, {"Key": TAG_KEY, "Value": TAG_VALUE}), displaced)


def write(s3: Any, version: ObjectVersion, tags: tuple[Tag, ...]) -> bool:
    """Give the version these tags; return False if it is gone."""
    try:
        s3.put_object_tagging(**_address(version), Tagging={"TagSet": list(tags)})
    except Exception as error:
        if errors.kind_of(error) == "gone":
            return False
        raise
    return True


def _address(version: ObjectVersion) -> dict[str, str]:
    return {"Bucket": version.bucket, "Key": version.key, "VersionId": version.version_id}
