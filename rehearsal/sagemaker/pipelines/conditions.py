"""Conditions of Condition steps ("Condition step", SageMaker Developer Guide)."""

import operator
from collections.abc import Callable
from typing import Any, cast

from rehearsal.sagemaker.pipelines.errors import UndefinedValueError
from rehearsal.sagemaker.pipelines.expressions import is_expression

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
FIELDS = {
    **dict.fromkeys(COMPARISONS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Expression",),
    "Or": ("Conditions",),
}
MOST = 200  # conditions of one step ("Amazon SageMaker AI endpoints and quotas")


def evaluate(condition: dict[str, Any]) -> bool:
    """Whether a condition holds, its expressions already resolved.

    Raises:
        UndefinedValueError: values that cannot be compared.
    """
    kind = str(condition["Type"])
    if kind == "Not":
        return not evaluate(condition["Expression"])
    if kind == "Or":
        return any(evaluate(each) for each in condition["Conditions"])
    if kind == "In":
        query = condition["QueryValue"]
        return any(_same_kind(query, value) and query == value for value in condition["Values"])
    left, right = condition["LeftValue"], condition["RightValue"]
    if not _same_kind(left, right) or (kind != "Equals" and isinstance(left, bool)):
        raise UndefinedValueError(
            f"the condition {kind} cannot compare {left!r:.80} ({_kind(left)}) "
            f"with {right!r:.80} ({_kind(right)})"
        )
    return COMPARISONS[kind](left, right)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int | float):
        return "number"
    return "String" if isinstance(value, str) else type(value).__name__


def _same_kind(left: Any, right: Any) -> bool:
    known = ("Boolean", "number", "String")
    return _kind(left) == _kind(right) and _kind(left) in known


def condition_problems(condition: Any, where: str) -> list[str]:
    """Everything wrong with the form of a condition."""
    if not isinstance(condition, dict):
        return [f"{where} is an object, given {condition!r:.60}."]
    given = cast("dict[str, Any]", condition)
    kind = given.get("Type")
    if kind not in FIELDS:
        return [f"{where}.Type: given {kind!r:.60}, allowed are {', '.join(sorted(FIELDS))}."]
    wanted = FIELDS[kind]
    found = [
        f"{where}: Cannot parse object, unknown property '{name}'; "
        f"allowed are {', '.join(('Type', *wanted))}."
        for name in given
        if name not in ("Type", *wanted)
    ]
    missing = [name for name in wanted if name not in given]
    found += [f"{where}.{name} is missing." for name in missing]
    return found if missing else found + _inner_problems(kind, given, where)


def _inner_problems(kind: str, given: dict[str, Any], where: str) -> list[str]:
    if kind == "Not":
        return condition_problems(given["Expression"], f"{where}.Expression")
    if kind in ("Or", "In"):
        name = FIELDS[kind][-1]
        items: Any = given[name]
        if not isinstance(items, list) or not items:
            return [f"{where}.{name} is a list of at least one item, given {items!r:.60}."]
        if kind == "Or":
            pairs = enumerate(cast("list[Any]", items))
            return [p for i, c in pairs for p in condition_problems(c, f"{where}.{name}[{i}]")]
    values: list[Any] = [given[n] for n in FIELDS[kind] if n != "Values"]
    values += given.get("Values", [])
    return [
        f"{where} compares strings, numbers, Booleans and expressions, given {value!r:.60}."
        for value in values
        if not is_expression(value) and not isinstance(value, str | int | float)
    ]
