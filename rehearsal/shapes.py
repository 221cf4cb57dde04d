"""A value against a shape of a service's model: every problem, by its place in the value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from rehearsal.service_model import ServiceModel, Shape

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "blob": (bytes,),
    "timestamp": (int, float, str),
    "list": (list,),
    "structure": (dict,),
    "map": (dict,),
}
NUMBERS = ("integer", "long", "float", "double")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a value.

    Attributes:
        path: where, for example ModerationLabels[0].Confidence.
        value: what was given.
        text: what is wrong, in plain words.
        constraint: the broken constraint as AWS words it; None if the type or name is wrong.
    """

    path: str
    value: Any
    text: str
    constraint: str | None = None

    def __str__(self) -> str:
        return f"{self.path or 'the value'}: {self.text}"


def problems(
    model: ServiceModel, shape: Shape, value: Any, *, ignore_unknown: bool = False
) -> list[Problem]:
    """Every problem of a value by a shape.

    Args:
        model: that the shape belongs to.
        shape: to fit.
        value: the decoded value (blobs as bytes).
        ignore_unknown: accept members that the shape does not have, as a service does.
    """
    return list(_Walk(model, ignore_unknown).walk(shape, value, ""))


@dataclass(frozen=True)
class _Walk:
    model: ServiceModel
    loose: bool

    def walk(self, shape: Shape, value: Any, path: str) -> Iterator[Problem]:
        kind = str(shape["type"])
        wanted = TYPES.get(kind, (object,))
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
            yield Problem(path, value, f"given {value!r:.80}, wanted a {kind}")
        elif kind == "structure":
            yield from self._members(shape, cast("dict[str, Any]", value), path)
        elif kind == "list":
            items = cast("list[Any]", value)
            yield from _size(shape, len(items), items, path, "length")
            item_shape = self.model.resolve(shape["member"])
            for index, item in enumerate(items):
                yield from self.walk(item_shape, item, f"{path}[{index}]")
        elif kind == "map":
            pairs = cast("dict[str, Any]", value)
            yield from _size(shape, len(pairs), pairs, path, "length")
            key_shape, item_shape = (self.model.resolve(shape[part]) for part in ("key", "value"))
            for key, item in pairs.items():
                yield from self.walk(key_shape, key, f"{path} (a key)")
                yield from self.walk(item_shape, item, f"{path}[{key!r}]")
        elif kind in NUMBERS:
            yield from _size(shape, value, value, path, "value")
        elif kind in ("string", "blob"):
            yield from _text(shape, value, path)

    def _members(self, shape: Shape, value: dict[str, Any], path: str) -> Iterator[Problem]:
        prefix = f"{path}." if path else ""
        members = cast("dict[str, dict[str, Any]]", shape.get("members", {}))
        for name in cast("list[str]", shape.get("required", [])):
            if value.get(name) is None:
                yield Problem(prefix + name, None, "is missing", "not be null")
        for name, item in value.items():
            if name in members:
                yield from self.walk(self.model.resolve(members[name]), item, prefix + name)
            elif not self.loose:
                allowed = ", ".join(sorted(members)) or "none"
                yield Problem(prefix + name, item, f"is not a member; allowed are {allowed}")


def _text(shape: Shape, value: Any, path: str) -> Iterator[Problem]:
    if shape["type"] == "blob":
        # Their upper limit is the service's own affair: it has an error of its own for it.
        shape = {name: limit for name, limit in shape.items() if name != "max"}
    yield from _size(shape, len(value), value, path, "length")
    choices = cast("list[str]", shape.get("enum", []))
    if choices and value not in choices:
        text = f"given {value!r}, allowed are {', '.join(choices)}"
        yield Problem(path, value, text, f"satisfy enum value set: [{', '.join(choices)}]")
    pattern = cast("str | None", shape.get("pattern"))
    if pattern and not _matches(pattern, value):
        text = f"given {value!r}, wanted the pattern {pattern}"
        yield Problem(path, value, text, f"satisfy regular expression pattern: {pattern}")


def _size(shape: Shape, amount: float, value: Any, path: str, what: str) -> Iterator[Problem]:
    low = cast("float | None", shape.get("min"))
    high = cast("float | None", shape.get("max"))
    for limit, broken, words in (
        (low, low is not None and amount < low, "greater than or equal to"),
        (high, high is not None and amount > high, "less than or equal to"),
    ):
        if broken:
            text = f"given {amount}, wanted a {what} {words} {limit}"
            yield Problem(path, value, text, f"have {what} {words} {limit}")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "re.Pattern[str] | None":
    try:
        return re.compile(pattern)
    except re.error:
        return None  # some of AWS's patterns are Java's own


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
