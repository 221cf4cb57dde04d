"""Evaluates the Condition block of a policy statement against the keys of one request."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any

Context = Mapping[str, str]
"""A request's condition keys, in lower case, with one value each."""

NEGATED = {
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "ArnNotEquals",
    "ArnNotLike",
    "NumericNotEquals",
    "NotIpAddress",
}


def wildcard(pattern: str, text: str) -> bool:
    """Whether a text matches an IAM pattern, where `*` is any run and `?` any one character."""
    escaped = re.sub(r"([\[\]])", lambda match: f"[{match.group(1)}]", pattern)
    return fnmatch.fnmatchcase(text, escaped)


def _arn(pattern: str, text: str) -> bool:
    """IAM compares ARNs field by field: a wildcard does not reach into the next of the six."""
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    if pattern == "*":
        return True
    return len(wanted) == len(given) and all(
        wildcard(left, right) for left, right in zip(wanted, given, strict=True)
    )


def _equal(expected: str, actual: str) -> bool:
    return expected == actual


def _equal_ignoring_case(expected: str, actual: str) -> bool:
    return expected.lower() == actual.lower()


MATCHERS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": wildcard,
    "StringNotLike": wildcard,
    "ArnEquals": _arn,
    "ArnNotEquals": _arn,
    "ArnLike": _arn,
    "ArnNotLike": _arn,
    "Bool": _equal_ignoring_case,
    "NumericEquals": _equal,
    "NumericNotEquals": _equal,
}


def unmet(condition: Mapping[str, Any], context: Context) -> list[str]:
    """List the parts of a Condition block that the request does not meet; empty: all hold.

    A key that the request lacks fails its test, except under a negated operator, `…IfExists`,
    `ForAllValues:` and `Null`, as the IAM User Guide's "Condition operators" page says.
    An operator that is not known here counts as not met.
    """
    failures: list[str] = []
    for operator, tests in condition.items():
        for key, values in tests.items():
            expected = [str(value) for value in (values if isinstance(values, list) else [values])]
            actual = context.get(key.lower())
            if not _holds(operator, expected, actual):
                shown = "absent from this call" if actual is None else f"{actual!r} in this call"
                failures.append(f"{operator} {key} is {expected}, but it is {shown}")
    return failures


def _holds(operator: str, expected: list[str], actual: str | None) -> bool:
    for_all = operator.startswith("ForAllValues:")
    base = operator.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    if base == "Null":
        return any((actual is None) == (value.lower() == "true") for value in expected)
    if actual is None:
        return for_all or base.endswith("IfExists") or base in NEGATED
    base = base.removesuffix("IfExists")
    matcher = MATCHERS.get(base)
    if matcher is None:
        return False
    return any(matcher(value, actual) for value in expected) != (base in NEGATED)
