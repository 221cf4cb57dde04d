"""Which calls one image needs: calls that the analyses can share are made once.

Two calls become one when both are of the same operation, both name the same argument as
shared, and their other arguments do not contradict each other. The one call has the wishes of
both in the shared argument: DetectLabels with the features GENERAL_LABELS and IMAGE_PROPERTIES
serves labels and image quality at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from image_analysis.analyses import Analysis, Call


@dataclass(frozen=True)
class Plan:
    """The calls to make.

    uses: by analysis, which of the calls answer it, in the order of the analysis's own calls.
    """

    calls: tuple[Call, ...]
    uses: Mapping[str, tuple[int, ...]]


def plan(analyses: Sequence[Analysis]) -> Plan:
    """Return the fewest calls that answer all of `analyses`."""
    calls: list[Call] = []
    uses = {each.name: tuple(_place(call, calls) for call in each.calls) for each in analyses}
    return Plan(tuple(calls), uses)


def operations(analyses: Sequence[Analysis]) -> tuple[str, ...]:
    """Return the operations that `analyses` call, each once."""
    return tuple(dict.fromkeys(call.operation for each in analyses for call in each.calls))


def _place(call: Call, calls: list[Call]) -> int:
    for index, other in enumerate(calls):
        joined = _joined(other, call)
        if joined is not None:
            calls[index] = joined
            return index
    calls.append(call)
    return len(calls) - 1


def _joined(one: Call, other: Call) -> Call | None:
    shared = one.shared
    if shared is None or (one.operation, shared) != (other.operation, other.shared):
        return None
    wishes = sorted({*one.arguments.get(shared, ()), *other.arguments.get(shared, ())})
    rest = _merged(_without(one.arguments, shared), _without(other.arguments, shared))
    return None if rest is None else Call(one.operation, {shared: wishes, **rest}, shared)


def _without(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if key != name}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    """Both mappings in one, None if they contradict each other."""
    merged = {**one, **other}
    for key in one.keys() & other.keys():
        first, second = one[key], other[key]
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            inner = _merged(cast("Mapping[str, Any]", first), cast("Mapping[str, Any]", second))
            if inner is None:
                return None
            merged[key] = inner
        elif first != second:
            return None
    return merged
