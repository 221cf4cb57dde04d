"""Turns pydantic's errors into words: what is wrong, what is allowed, how to mend it."""

from collections.abc import Callable
from typing import Any, cast

from pydantic_core import ErrorDetails

from config.base import Loc, meant
from config.document import Document, core_tag
from config.report import Problem, field_path, shown
from config.words import allowed, keys, node_at, resolved

_KINDS = {
    "NoneType": "null",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "dict": "a mapping",
}
_EXPECTED = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
}
_FIXED = {
    "finite_number": "is not a finite number",
    "literal_error": "is not one of the values allowed",
    "string_too_long": "is too long",
    "string_too_short": "is too short",
    "too_long": "has too many entries",
    "too_short": "has too few entries",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "less_than": "is too large",
    "less_than_equal": "is too large",
}


def explain(document: Document, path: Loc, detail: ErrorDetails) -> Problem:
    """Return one of pydantic's errors as a problem of the document.

    Args:
        document: the file that the error is in.
        path: the field in the file.
        detail: the error as pydantic gives it.
    """
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(document, path, detail["input"])
    if kind == "missing":
        return document.problem(path, "is required", allowed=_allowed(path))
    context = detail.get("ctx", {})
    given = detail["input"]
    if kind in ("rule", "shape"):
        more: dict[str, Any] = {"given": given} if given is not None else {}
        return document.problem(path, context["problem"], allowed=context["allowed"], **more)
    problem = _FIXED.get(kind) or _wrong_type(path, given)
    words = _longest(context, path) or _allowed(path)
    return document.problem(path, problem, given=given, allowed=words, mend=_mend(path, given))


def _unknown_key(document: Document, path: Loc, given: object) -> Problem:
    parent = node_at(path[:-1])
    names = keys(parent) if parent else ()
    close = meant(str(path[-1]), names)
    elsewhere = None if close else _elsewhere(str(path[-1]))
    return document.problem(
        path,
        "unknown key",
        given=given,
        allowed=", ".join(names),
        mend=f"did you mean {close}?" if close else elsewhere,
    )


def _elsewhere(key: str, node: Any = None, path: Loc = ()) -> str | None:
    """Say where a key belongs that is right but in the wrong section."""
    properties = resolved(node if node is not None else _root()).get("properties", {})
    if path and key in properties:
        return f"did you mean {field_path((*path, key))}?"
    found = (_elsewhere(key, child, (*path, name)) for name, child in properties.items())
    return next((words for words in found if words), None)


def _root() -> Any:
    return node_at(())


def _allowed(path: Loc) -> str | None:
    node = node_at(path)
    return allowed(node) if node is not None else None


def _longest(context: dict[str, Any], path: Loc) -> str | None:
    """Return how many entries or characters there may be, where that is what is wrong."""
    if "actual_length" in context:  # only lists and mappings tell theirs
        if "max_length" not in context:
            least = context["min_length"]
            return f"at least {least} {'entry' if least == 1 else 'entries'}"
        return f"at most {context['max_length']} entries"
    if "max_length" in context:
        words = _allowed(path)
        return (
            words if words and "at most" in words else f"at most {context['max_length']} characters"
        )
    return None


def _wrong_type(path: Loc, given: object) -> str:
    node = node_at(path)
    expected = _EXPECTED.get(resolved(node).get("type", "")) if node is not None else None
    kind = _KINDS.get(type(given).__name__, "a value")
    return f"is {kind}, not {expected}" if expected else f"is {kind}, which is not allowed here"


def _mend(path: Loc, given: object) -> str | None:
    node = node_at(path)
    if node is None:
        return None
    kind = resolved(node).get("type")
    mends: dict[str, Callable[[Any], str | None]] = {
        "string": _mend_text,
        "array": _mend_list,
        "integer": _mend_number,
        "number": _mend_number,
        "boolean": _mend_number,
    }
    if kind == "object" and given is None:
        return "write {} for the defaults, or leave the key out"
    return mends[kind](given) if kind in mends else None


def _mend_text(given: object) -> str | None:
    quoted = isinstance(given, bool | int | float)
    return f'put it in quotes: "{shown(given)}"' if quoted else None


def _mend_list(given: object) -> str | None:
    if isinstance(given, str):
        return f"write a list: [{shown(given)}]"
    return "write [] for an empty list" if given is None else None


def _mend_number(given: object) -> str | None:
    plain = isinstance(given, str) and core_tag(given) in ("int", "float", "bool")
    return f"remove the quotes: {cast(str, given)}" if plain else None
