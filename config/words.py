"""What a field allows, in words, read off the JSON Schema of the settings."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from config.base import Loc
from config.report import shown

Node = Mapping[str, Any]


@cache
def schema() -> Node:
    """Return the JSON Schema of the settings, still with its private x- keywords."""
    from config.settings import EnvironmentSettings  # only needed for reports and documents

    return EnvironmentSettings.model_json_schema()


def node_at(path: Loc) -> Node | None:
    """Return the schema of the field at a path, or None if there is no such field."""
    node: Node | None = schema()
    for part in path:
        node = resolved(node)
        if isinstance(part, int):
            node = node.get("items")
        else:
            node = node.get("properties", {}).get(part) or values(node)
        if node is None:
            return None
    return node


def values(node: Node) -> Node | None:
    """Return the schema of the values of a mapping with free keys, or None."""
    patterns: dict[str, Node] = node.get("patternProperties", {})
    return next(iter(patterns.values()), None) or node.get("additionalProperties") or None


def resolved(node: Node) -> Node:
    """Return the schema behind a reference or a nullable choice."""
    while "$ref" in node or "anyOf" in node:
        if "$ref" in node:
            node = schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
        else:
            node = next(one for one in node["anyOf"] if one.get("type") != "null")
    return node


def keys(node: Node) -> tuple[str, ...]:
    """Return the keys that a mapping may have; none if they are free."""
    node = resolved(node)
    return tuple(node.get("properties") or node.get("propertyNames", {}).get("enum", ()))


def allowed(node: Node) -> str:
    """Return what a field allows, in words."""
    if "x-allowed" in node:
        return node["x-allowed"]
    if "anyOf" in node:
        return "; or ".join(allowed(one) for one in _options(node))
    if "$ref" in node:
        return allowed(resolved(node))
    if "enum" in node:
        return "one of " + ", ".join(shown(one) for one in node["enum"])
    return _by_type(node)


def _options(node: Node) -> list[Node]:
    """Return the choices of a nullable field; a key that is there or not has no null."""
    return [one for one in node["anyOf"] if not (node.get("x-key") and one.get("type") == "null")]


def _by_type(node: Node) -> str:
    match node.get("type"):
        case "integer":
            return "a whole number" + _range(node)
        case "number":
            return "a number" + _range(node)
        case "boolean":
            return "true or false"
        case "null":
            return "null"
        case "array":
            return f"a list, each item {allowed(node['items'])}"
        case "object":
            return _mapping(node)
        case _:
            return "text"


def _range(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if "exclusiveMinimum" in node:
        return f" above {node['exclusiveMinimum']}, at most {high:,}"
    return f" from {low:,} to {high:,}" if low is not None and high is not None else ""


def _mapping(node: Node) -> str:
    if names := keys(node):
        return "a mapping with the keys " + ", ".join(names)
    return "a mapping of names to " + allowed(values(node) or {})
