"""The check that a definition's references lead somewhere, and never round in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

from .steps import AnyStep, Step
from .values import EXECUTION_VARIABLES

STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)\.(.+)")
PROPERTY_FILE = re.compile(r"PropertyFiles\.(.+)")
OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']+)'\]\..+")
ANSWER = re.compile(r"OutputParameters\['([^']+)'\]")


def references(value: Any) -> Iterator[str]:
    """Every ``Get`` in a value, however deep."""
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        if set(found) == {"Get"}:
            yield str(found["Get"])
            return
        for inner in found.values():
            yield from references(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in cast("Sequence[Any]", value):
            yield from references(inner)


def graph_problems(parameters: set[str], steps: Sequence[AnyStep]) -> list[str]:
    """What is wrong with the references among steps.

    Args:
        parameters: Names of the parameters.
        steps: The steps, conditions with their own.
    """
    places = dict(_places(steps, ()))
    problems: list[str] = []
    before: dict[str, set[str]] = {name: set() for name in places}
    for name, (one, branches) in places.items():
        # An inner step waits for the condition that it is in.
        before[name] |= {branch.rpartition(".")[0] for branch in branches}
        for reference in references(one.values):
            wrong = _wrong(reference, parameters, places)
            if wrong:
                problems.append(f"step {name!r}: {reference}: {wrong}")
            found = STEP.fullmatch(reference)
            if found and found[1] in places:
                before[name].add(found[1])
        for needed in one.depends_on:
            if needed in places:
                before[name].add(needed)
            else:
                problems.append(f"step {name!r}: DependsOn: {needed!r} is no step{_known(places)}")
        problems += [*_misplaced_files(one), *_unreachable(name, before[name], places)]
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        circle = " → ".join(cast("list[str]", error.args[1]))
        problems.append(f"steps wait for each other in a circle: {circle}")
    return problems


Places = Mapping[str, tuple[AnyStep, tuple[str, ...]]]
"""Each step by name, with the branches that it lies in, the outermost first."""


def _places(
    steps: Sequence[AnyStep], branches: tuple[str, ...]
) -> Iterator[tuple[str, tuple[AnyStep, tuple[str, ...]]]]:
    for one in steps:
        yield one.name, (one, branches)
        for branch, child in one.children():
            yield from _places([child], (*branches, branch))


def _wrong(reference: str, parameters: set[str], places: Places) -> str | None:
    kind, _, name = reference.partition(".")
    if kind == "Parameters":
        if name in parameters:
            return None
        return f"there is no such parameter, there are {', '.join(sorted(parameters)) or 'none'}"
    if kind == "Execution":
        if name in EXECUTION_VARIABLES:
            return None
        return f"allowed are {', '.join(EXECUTION_VARIABLES)}"
    found = STEP.fullmatch(reference)
    if found is None:
        return "allowed are Parameters.…, Execution.… and Steps.<step>.<property>"
    if found[1] not in places:
        return f"there is no such step{_known(places)}"
    step = places[found[1]][0]
    if not isinstance(step, Step):
        return None if found[2] == "Outcome" else "a condition has only its Outcome"
    return _wrong_property(step, found[2])


def _wrong_property(step: Step, path: str) -> str | None:
    if step.type == "Fail":
        return "a step that fails gives nothing"
    for pattern, names in (
        (PROPERTY_FILE, [file.name for file in step.property_files]),
        (OUTPUT, _outputs(step)),
        (ANSWER, list(step.outputs)),
    ):
        found = pattern.fullmatch(path)
        if found and found[1] not in names:
            return f"the step has no {found[1]!r}, it has {', '.join(names) or 'none'}"
    return None


def _misplaced_files(step: AnyStep) -> Iterator[str]:
    for file in step.property_files if isinstance(step, Step) else ():
        if file.output not in _outputs(step):
            names = ", ".join(_outputs(step)) or "none"
            yield (
                f"step {step.name!r}: its file {file.name!r} lies in {file.output!r}, which is no "
                f"output of it, it has {names}"
            )


def _outputs(step: AnyStep) -> list[str]:
    if not isinstance(step, Step):
        return []
    config = step.arguments.get("ProcessingOutputConfig", {})
    return [one["OutputName"] for one in config.get("Outputs", [])]


def _unreachable(name: str, needed: set[str], places: Places) -> list[str]:
    """A step cannot wait for one in a branch that may never be taken."""
    own = places[name][1]
    return [
        f"step {name!r} waits for {other!r}, which lies in the branch {places[other][1][-1]}"
        for other in sorted(needed)
        if places[other][1] != own[: len(places[other][1])]
    ]


def _known(places: Places) -> str:
    return f"; there are {', '.join(places)}"
