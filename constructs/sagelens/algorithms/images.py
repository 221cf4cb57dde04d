"""Which image serves which algorithm in which Region: the generated table as data.

The table is generated from the SageMaker Python SDK by ``python -m tools.image_table`` and
checked in, so that synth needs neither the SDK nor a network.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict, cast

from .instances import Processor

Purpose = Literal["training", "inference"]

TABLE = Path(__file__).with_name("image_table.json")


class ImageRow(TypedDict):
    """One image of the table."""

    accounts: str
    repository: str
    tags: dict[str, str]
    version: str


class MonitorRow(TypedDict):
    """Model Monitor's image: its registry account by Region, and its repository."""

    accounts: dict[str, str]
    repository: str


class ImageTable(TypedDict):
    """The generated table."""

    accounts: dict[str, dict[str, str]]
    images: dict[str, dict[str, ImageRow]]
    monitor: MonitorRow
    sdk: dict[str, str]


@cache
def table() -> ImageTable:
    """The generated table, read once."""
    return cast("ImageTable", json.loads(TABLE.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Image:
    """One image in Amazon's registries.

    Attributes:
        name: Its key in the table and what it is for, such as "xgboost training".
        repository: The repository, the same in every Region.
        version: The framework's or algorithm's version.
        tags: The tag by processor; one for "any" where both use the same image, "" for none.
        group: Name of the group of registry accounts that it lies in.
        accounts: Registry account by Region.
    """

    name: str
    repository: str
    version: str
    tags: tuple[tuple[str, str], ...]
    group: str
    accounts: tuple[tuple[str, str], ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """The Regions that have it."""
        return tuple(region for region, _ in self.accounts)

    def account(self, region: str) -> str:
        """The registry's account in a Region.

        Raises:
            ValueError: If the Region has no such image; it lists those that have.
        """
        found = dict(self.accounts).get(region)
        if found is None:
            raise ValueError(
                f"the image of {self.name} ({self.repository}:{self.version}) is not offered in "
                f"{region}; it is in {', '.join(self.regions)}"
            )
        return found

    def path(self, processor: Processor = "cpu") -> str:
        """Repository and tag for a processor.

        Raises:
            ValueError: If there is no image for this processor.
        """
        tags = dict(self.tags)
        tag = tags.get(processor) or tags.get("any")
        if tag is None:
            raise ValueError(
                f"the image of {self.name} has no variant for {processor}; it has one for "
                f"{', '.join(tags)}"
            )
        return f"{self.repository}:{tag}" if tag else self.repository


@cache
def image(key: str, purpose: Purpose) -> Image:
    """The image of the table for an algorithm's key and a purpose."""
    row = table()["images"][key][purpose]
    return Image(
        name=f"{key} {purpose}",
        repository=row["repository"],
        version=row["version"],
        tags=tuple(row["tags"].items()),
        group=row["accounts"],
        accounts=tuple(table()["accounts"][row["accounts"]].items()),
    )


@cache
def monitor_image() -> Image:
    """The image of Amazon SageMaker Model Monitor, which is known without a tag."""
    row = table()["monitor"]
    return Image(
        name="Model Monitor",
        repository=row["repository"],
        version="",
        tags=(("any", ""),),
        group="model-monitor",
        accounts=tuple(row["accounts"].items()),
    )
