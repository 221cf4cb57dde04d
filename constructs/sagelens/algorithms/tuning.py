"""Ranges that a tuning job searches.

Source: "ParameterRanges", "ContinuousParameterRange" (Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from . import numbers
from .hyperparameter import Kind, Real, Whole
from .problems import Problem

Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]


@dataclass(frozen=True)
class ContinuousRange:
    """Any number from ``low`` to ``high``."""

    low: float
    high: float
    scaling: Scaling = "Auto"


@dataclass(frozen=True)
class IntegerRange:
    """Any whole number from ``low`` to ``high``."""

    low: int
    high: int
    scaling: Scaling = "Auto"


@dataclass(frozen=True)
class CategoricalRange:
    """One of a few values."""

    values: tuple[str, ...]


Range = ContinuousRange | IntegerRange | CategoricalRange


def range_problems(name: str, one: Range, kind: Kind) -> Iterator[Problem]:
    """Yield what is wrong with a range for a hyperparameter of a kind."""
    if isinstance(one, CategoricalRange):
        wrong = [value for value in one.values if kind.text(value) is None]
        if wrong or not one.values:
            yield Problem(name, f"got {', '.join(wrong) or 'no value'}", kind.allowed)
        return
    if one.low >= one.high:
        yield Problem(name, f"got {one.low} to {one.high}", "a lower end below the upper")
    if isinstance(kind, Whole | Real):
        for end in (one.low, one.high):
            if not kind.holds(end):
                yield Problem(name, f"got {end} as an end of the range", kind.allowed)


def parameter_ranges(ranges: Mapping[str, Range]) -> dict[str, list[dict[str, object]]]:
    """The ``ParameterRanges`` of a tuning job, in the order given."""
    return {
        "IntegerParameterRanges": list(_numeric(ranges, IntegerRange)),
        "ContinuousParameterRanges": list(_numeric(ranges, ContinuousRange)),
        "CategoricalParameterRanges": [
            {"Name": name, "Values": list(one.values)}
            for name, one in ranges.items()
            if isinstance(one, CategoricalRange)
        ],
    }


def _numeric(
    ranges: Mapping[str, Range], kind: type[IntegerRange] | type[ContinuousRange]
) -> Iterable[dict[str, object]]:
    for name, one in ranges.items():
        if isinstance(one, kind):
            yield {
                "Name": name,
                "MinValue": numbers.text(one.low),
                "MaxValue": numbers.text(one.high),
                "ScalingType": one.scaling,
            }
