"""Resource types that nobody acts on here: checked against their schema, then written down.

The schemas are those that cfn-lint brings, offline. A recorded resource does nothing; it is
logged, and the control API lists it, so that nobody takes it for real.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from rehearsal.environment import ACCOUNT

REGION_FILE = "us-east-1.json"
logger = logging.getLogger("rehearsal")


@dataclass(frozen=True)
class Recorded:
    """One resource that was written down only."""

    type: str
    logical_id: str
    stack: str
    physical_id: str


def _schemas() -> Path:
    spec = find_spec("cfnlint")  # found, not imported: importing it takes a second
    if spec is None or spec.origin is None:
        raise RuntimeError("cfn-lint is not installed; see requirements-dev.txt")
    return Path(spec.origin).parent / "data" / "schemas"


@lru_cache(maxsize=1)
def known_types() -> dict[str, str]:
    """Every resource type with a schema, and the schema's file name."""
    text = (_schemas() / "providers" / REGION_FILE).read_text(encoding="utf-8")
    return cast("dict[str, str]", json.loads(text))


@lru_cache(maxsize=64)
def schema(resource_type: str) -> dict[str, Any]:
    """The CloudFormation registry schema of a type."""
    path = _schemas() / "resources" / f"{known_types()[resource_type]}.json"
    return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))


class Recorder:
    """Creates, updates and deletes by writing down.

    Args:
        region: for the ARNs that it makes up.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self.resources: dict[str, Recorded] = {}

    def reset(self) -> None:
        """Forget every resource."""
        self.resources.clear()

    def create(
        self, resource_type: str, logical_id: str, props: dict[str, Any], stack: str
    ) -> tuple[str, Mapping[str, Any]]:
        """Check the properties and make up an identifier and the read-only attributes."""
        kind = schema(resource_type)
        check(resource_type, kind, props)
        physical_id = _identifier(kind, logical_id, props, stack)
        self.resources[physical_id] = Recorded(resource_type, logical_id, stack, physical_id)
        logger.warning(
            "RECORDED only: %s (%s in %s) does nothing here", resource_type, logical_id, stack
        )
        return physical_id, self._attributes(resource_type, kind, physical_id, props)

    def update(
        self, resource_type: str, physical_id: str, new: dict[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """Check the new properties; the resource keeps its identifier."""
        kind = schema(resource_type)
        check(resource_type, kind, new)
        return physical_id, self._attributes(resource_type, kind, physical_id, new)

    def delete(self, physical_id: str) -> None:
        """Forget one resource."""
        self.resources.pop(physical_id, None)

    def _attributes(
        self, resource_type: str, kind: dict[str, Any], physical_id: str, props: dict[str, Any]
    ) -> dict[str, Any]:
        _, service, name = resource_type.split("::")[:3]
        attributes: dict[str, Any] = dict(props)
        for pointer in kind.get("readOnlyProperties", []):
            path = pointer.removeprefix("/properties/").replace("/", ".")
            last = path.rpartition(".")[2]
            if last.endswith("Arn"):
                attributes[path] = (
                    f"arn:aws:{service.lower()}:{self._region}:{ACCOUNT}:{name.lower()}/{physical_id}"
                )
            else:
                attributes[path] = physical_id
        return attributes


def check(resource_type: str, kind: dict[str, Any], props: dict[str, Any]) -> None:
    """Required and unknown properties, as CloudFormation's own validation names them."""
    known = cast("dict[str, Any]", kind.get("properties", {}))
    missing = [name for name in kind.get("required", []) if name not in props]
    unknown = [name for name in props if name not in known]
    if kind.get("additionalProperties") is not False:
        unknown = []
    if missing:
        raise ValueError(f"{resource_type}: required key [{missing[0]}] not found")
    if unknown:
        allowed = ", ".join(sorted(known))
        raise ValueError(
            f"{resource_type}: extraneous key [{unknown[0]}] is not permitted; "
            f"allowed are {allowed}"
        )


def _identifier(kind: dict[str, Any], logical_id: str, props: dict[str, Any], stack: str) -> str:
    parts = [p.removeprefix("/properties/") for p in kind.get("primaryIdentifier", [])]
    given = [str(props[part]) for part in parts if isinstance(props.get(part), str | int)]
    if parts and len(given) == len(parts):
        return "|".join(given)
    return f"{stack}-{logical_id}-{uuid4().hex[:12]}"
