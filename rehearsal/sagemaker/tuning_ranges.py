"""Ranges of hyperparameters: checked, and drawn from at random.

("Define Hyperparameter Ranges", Amazon SageMaker Developer Guide.) SageMaker's Bayesian search is
its own; here every strategy but Grid draws at random, which finds less for the same number of jobs
and tells nothing about the search on AWS.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.sagemaker.surroundings import refuse
from rehearsal.sagemaker.tables import Fields
from rehearsal.sagemaker.training_checks import invalid

Values = dict[str, str]
NUMBERS = ("IntegerParameterRanges", "ContinuousParameterRanges")


def check(ranges: Mapping[str, Any], static: Mapping[str, str], strategy: str) -> None:
    """Refuse ranges that cannot be drawn from: ValidationException, all problems at once."""
    if ranges.get("AutoParameters"):
        raise refuse("the rehearsal does not know AutoParameters: give ranges")
    named = [each["Name"] for part in ranges.values() for each in part]
    problems = [f"{name} has more than one range" for name in sorted(_twice(named))]
    problems += [f"{name} has a range and a static value" for name in named if name in static]
    if not named:
        problems.append("at least one hyperparameter range is required")
    for kind in NUMBERS:
        for each in ranges.get(kind, []):
            problems += _problems(kind, each)
    if strategy == "Grid" and any(ranges.get(kind) for kind in NUMBERS):
        problems.append("the Grid strategy takes categorical ranges only")
    if problems:
        raise invalid(f"ParameterRanges: {'; '.join(problems)}.")


def _twice(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def _problems(kind: str, each: Fields) -> list[str]:
    number = int if kind.startswith("Integer") else float
    try:
        least, most = number(each["MinValue"]), number(each["MaxValue"])
    except ValueError:
        given = f"{each['MinValue']!r} to {each['MaxValue']!r}"
        return [f"{each['Name']}: {given} are no {number.__name__} values"]
    if least > most:
        return [f"{each['Name']}: MinValue {least} is more than MaxValue {most}"]
    scale = each.get("ScalingType", "Auto")
    if scale == "Logarithmic" and least <= 0:
        return [f"{each['Name']}: Logarithmic needs a MinValue above 0, given {least}"]
    if scale == "ReverseLogarithmic" and not (number is float and least >= 0 and most < 1):
        return [f"{each['Name']}: ReverseLogarithmic needs continuous values from 0 to below 1"]
    return []


def candidates(ranges: Mapping[str, Any], strategy: str, seed: int | None) -> Iterator[Values]:
    """Values to try, one after another: without end, or the whole grid once."""
    if strategy == "Grid":
        categories: list[Fields] = ranges["CategoricalParameterRanges"]
        for values in itertools.product(*(each["Values"] for each in categories)):
            yield {each["Name"]: value for each, value in zip(categories, values, strict=True)}
        return
    chance = random.Random(seed)
    while True:
        yield _draw(ranges, chance)


def grid_size(ranges: Mapping[str, Any]) -> int:
    """How many combinations a grid has."""
    return math.prod(len(each["Values"]) for each in ranges["CategoricalParameterRanges"])


def _draw(ranges: Mapping[str, Any], chance: random.Random) -> Values:
    drawn: Values = {}
    for each in ranges.get("IntegerParameterRanges", []):
        least, most = int(each["MinValue"]), int(each["MaxValue"])
        value = round(_between(least - 0.5, most + 0.5, each, chance, float(least)))
        drawn[each["Name"]] = str(min(max(value, least), most))
    for each in ranges.get("ContinuousParameterRanges", []):
        least, most = float(each["MinValue"]), float(each["MaxValue"])
        drawn[each["Name"]] = repr(_between(least, most, each, chance, least))
    for each in ranges.get("CategoricalParameterRanges", []):
        drawn[each["Name"]] = chance.choice(each["Values"])
    return drawn


def _between(low: float, high: float, each: Fields, chance: random.Random, least: float) -> float:
    scale = each.get("ScalingType", "Auto")
    if scale == "Logarithmic":
        start = max(low, least / 2)
        return math.exp(chance.uniform(math.log(start), math.log(high)))
    if scale == "ReverseLogarithmic":
        return 1 - math.exp(chance.uniform(math.log(1 - high), math.log(1 - low)))
    return chance.uniform(low, high)
