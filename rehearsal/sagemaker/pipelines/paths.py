"""Paths into a document: `Outputs['train'].S3Output.S3Uri`, `metrics.auc.value`, `$.rows[0]`."""

import re
from typing import Any, cast

from rehearsal.sagemaker.pipelines.errors import UndefinedValueError

PART = re.compile(r"\.?([A-Za-z0-9_\-:]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
# An element of a list is found by one of these ("Properties", SageMaker Python SDK, lists of them
# by the name of an output, an input, a metric, a channel).
NAMES = ("OutputName", "InputName", "MetricName", "ChannelName", "Name")


def split(path: str) -> list[str | int]:
    """The parts of a path.

    Raises:
        ValueError: it is not one.
    """
    rest = path.removeprefix("$").removeprefix(".")
    parts: list[str | int] = []
    place = 0
    while place < len(rest):
        found = PART.match(rest, place)
        if found is None or (rest[place] == "." and not parts):
            raise ValueError(f"{path!r} is not a path: it breaks at {rest[place:]!r}")
        name, index, single, double = found.groups()
        parts.append(int(index) if index is not None else name or single or double or "")
        place = found.end()
    if not parts:
        raise ValueError(f"{path!r} is not a path: it is empty")
    return parts


def look_up(document: Any, path: str, what: str) -> Any:
    """The value at a path.

    Args:
        document: to look into.
        path: in it.
        what: the document, for the error.

    Raises:
        UndefinedValueError: nothing is there; says where the path ends and what is there instead.
    """
    value = document
    walked = ""
    for part in split(path):
        found, value = _step_into(value, part)
        if not found:
            raise UndefinedValueError(
                f"{what} has nothing at {path!r}: {walked or 'the top'} holds {_shape_of(value)}"
            )
        walked += f"[{part}]" if isinstance(part, int) else f".{part}" if walked else str(part)
    return value


def _step_into(value: Any, part: str | int) -> tuple[bool, Any]:
    """Whether the part is there, and its value (else the value given)."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return str(part) in members, members.get(str(part), members)
    if not isinstance(value, list):
        return False, value
    items = cast("list[Any]", value)
    if isinstance(part, int):
        return part < len(items), items[part] if part < len(items) else items
    for item in items:
        members = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        if part in (members.get(name) for name in NAMES):
            return True, members
    return False, items


def _shape_of(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(sorted(cast("dict[str, Any]", value))[:20]) or "an empty object"
    if isinstance(value, list):
        return f"a list of {len(cast('list[Any]', value))}"
    return f"{value!r:.60}"
