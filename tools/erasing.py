"""Erase what the platform holds of one object.

Sources: "ListObjectVersions" and "DeleteObjects" (Amazon S3 API reference), "DeleteItem" (Amazon
DynamoDB API reference).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.conditions import Key

from tools.environment import address

LARGE_RESULTS = "results/vision/"
IMAGE_ROWS = "results/images/"
BLURRED_COPIES = "copies/faces-blurred/"
AT_ONCE = 1000  # DeleteObjects takes as many


class NotErased(Exception):
    """Something could not be erased; the text says what and what could be done."""


@dataclass(frozen=True)
class Found:
    """What there is of an object.

    Args:
        versions: Version ids of the object itself, delete markers included.
        results: Large results, rows for Athena and blurred copies: key and version id.
        records: Sort keys of its items.
    """

    versions: tuple[str, ...]
    results: tuple[tuple[str, str], ...]
    records: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.versions or self.results or self.records)


@dataclass(frozen=True)
class Eraser:
    """Finds and erases what the platform holds of objects.

    Args:
        s3: A client.
        table: The result table, a boto3 resource.
        data_bucket: Where large results lie.
        objects_too: Whether every version of the object itself goes as well.
        now: The present moment.
    """

    s3: Any
    table: Any
    data_bucket: str
    objects_too: bool
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def of(cls, session: Any, outputs: Mapping[str, str], *, objects_too: bool) -> Eraser:
        """The eraser of an environment.

        Args:
            session: A boto3 session.
            outputs: Of the environment's foundation stack.
            objects_too: Whether every version of the object itself goes as well.
        """
        table = session.resource("dynamodb").Table(outputs["ResultsTableName"])
        return cls(session.client("s3"), table, outputs["DataBucketName"], objects_too)

    def find(self, uri: str) -> Found:
        """What there is of an object now.

        Args:
            uri: ``s3://bucket/key``.
        """
        bucket, key = address(uri)
        versions = [version for name, version in self._versions(bucket, key) if name == key]
        return Found(
            versions=tuple(versions) if self.objects_too else (),
            results=(
                *self._versions(self.data_bucket, folder_of(uri)),
                *self._rows(uri),
                *self._versions(self.data_bucket, f"{BLURRED_COPIES}{name_of(uri)}/"),
            ),
            records=tuple(item["sk"] for item in self._items(uri)),
        )

    def erase(self, uri: str) -> Found:
        """Erase what there is of an object, and return what that was.

        The object goes before its record, so that no event can still lead to its analysis, and
        records last, so that a run that was cut off finds the rest.

        Raises:
            NotErased: It is being analysed now, or S3 refuses something.
        """
        self._not_while_analysed(uri)
        found = self.find(uri)
        bucket, key = address(uri)
        self._delete(bucket, [(key, version) for version in found.versions])
        self._delete(self.data_bucket, list(found.results))
        for sort in found.records:
            self.table.delete_item(Key={"pk": uri, "sk": sort})
        return found

    def _not_while_analysed(self, uri: str) -> None:
        """An analysis under way would write its result after the erasure."""
        now = self.now().timestamp()
        leases = [
            float(item["lease_until"])
            for item in self._items(uri)
            if item.get("status") == "in_progress"
        ]
        left = max(leases, default=0.0) - now
        if left > 0:
            raise NotErased(f"{uri} is being analysed now; try again in {left:.0f} s")

    def _items(self, uri: str) -> Iterator[dict[str, Any]]:
        arguments: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(uri),
            "ProjectionExpression": "sk, #status, lease_until",
            "ExpressionAttributeNames": {"#status": "status"},
            "ConsistentRead": True,
        }
        while True:
            page = self.table.query(**arguments)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _versions(self, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield each["Key"], each["VersionId"]

    def _rows(self, uri: str) -> Iterator[tuple[str, str]]:
        """Rows lie by day, so each day's folder is asked for those of this object."""
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.data_bucket, Prefix=IMAGE_ROWS, Delimiter="/"
        )
        days = {each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())}
        for day in sorted(days):
            yield from self._versions(self.data_bucket, f"{day}{name_of(uri)}")

    def _delete(self, bucket: str, versions: list[tuple[str, str]]) -> None:
        for start in range(0, len(versions), AT_ONCE):
            some = versions[start : start + AT_ONCE]
            objects = [{"Key": key, "VersionId": version} for key, version in some]
            answer = self.s3.delete_objects(
                Bucket=bucket, Delete={"Objects": objects, "Quiet": True}
            )
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise NotErased(
                    f"{len(answer['Errors'])} versions in {bucket} stay: {first['Code']} for "
                    f"{first['Key']}; nothing of the records was erased, so run this again"
                )


def folder_of(uri: str) -> str:
    """The folder of an object's large results, as the image function names it."""
    return f"{LARGE_RESULTS}{name_of(uri)}/"


def name_of(uri: str) -> str:
    """What the platform calls an object where its key must not show."""
    return hashlib.sha256(uri.encode()).hexdigest()[:32]
