"""Resources of several stacks, and the place where they are imagined to be deployed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """One resource of one stack."""

    stack: str
    logical_id: str
    type: str
    body: dict[str, Any] = field(compare=False, repr=False)

    @property
    def label(self) -> str:
        """`<stack>/<logical id>`, as findings name it."""
        return f"{self.stack}/{self.logical_id}"

    def __str__(self) -> str:
        return f"{self.type} {self.label}"


@dataclass(frozen=True)
class Place:
    """Where the stacks are imagined to be deployed."""

    partition: str = "aws"
    region: str = "eu-central-1"
    account: str = "111122223333"

    @property
    def url_suffix(self) -> str:
        """The domain that ends the partition's service names."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
