"""Which step needs which, and whether that can be."""

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.sagemaker.pipelines.expressions import (
    EXECUTION_VARIABLES,
    Reference,
    references,
)
from rehearsal.sagemaker.pipelines.parameters import Parameter

Placed = tuple[dict[str, Any], str | None]  # a step and the condition that it stands under


def own_part(raw: dict[str, Any]) -> dict[str, Any]:
    """A step without the steps inside it."""
    if raw["Type"] != "Condition":
        return raw
    conditions = raw["Arguments"].get("Conditions", [])
    return {**raw, "Arguments": {"Conditions": conditions}}


def needs(raw: dict[str, Any], condition: str | None) -> frozenset[str]:
    """The steps that have to come before a step: referred to, depended on, and its condition."""
    named = {
        reference.name
        for reference in references(own_part(raw))
        if reference.kind in ("Steps", "PropertyFiles")
    }
    named.update(raw.get("DependsOn") or [])
    if condition is not None:
        named.add(condition)
    return frozenset(named)


def problems(placed: list[Placed], parameters: Mapping[str, Parameter]) -> list[str]:
    """Names that are not there, or there twice, and steps that wait for each other in a circle."""
    steps: dict[str, dict[str, Any]] = {}
    found: list[str] = []
    for raw, _ in placed:
        if raw["Name"] in steps:
            found.append(f"Step names must be unique: there are two steps {raw['Name']!r}.")
        steps[raw["Name"]] = raw
    for raw, _ in placed:
        found += [f"The step {raw['Name']!r} {text}" for text in _dangling(raw, steps, parameters)]
    if not found:
        edges = {raw["Name"]: needs(raw, condition) for raw, condition in placed}
        circle = _circle(edges)
        if circle:
            found.append(f"The steps depend on each other in a circle: {' → '.join(circle)}.")
    return found


def _dangling(
    raw: dict[str, Any], steps: Mapping[str, dict[str, Any]], parameters: Mapping[str, Parameter]
) -> Iterator[str]:
    depends: list[str] = raw.get("DependsOn") or []
    for name in depends:
        if name not in steps:
            yield f"depends on the step {name!r}, which is not there; there are {_names(steps)}."
    for reference in references(own_part(raw)):
        if reference.kind == "Parameters" and reference.name not in parameters:
            yield (
                f"refers to the parameter {reference.name!r}, which is not there; "
                f"there are {_names(parameters)}."
            )
        elif reference.kind == "Execution" and reference.name not in EXECUTION_VARIABLES:
            yield (
                f"refers to the variable Execution.{reference.name}, which is not there; "
                f"there are {', '.join(EXECUTION_VARIABLES)}."
            )
        elif reference.kind in ("Steps", "PropertyFiles"):
            yield from _step_dangling(reference, steps)


def _step_dangling(reference: Reference, steps: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    target = steps.get(reference.name)
    if target is None:
        known = _names(steps)
        yield f"refers to the step {reference.name!r}, which is not there; there are {known}."
        return
    declared: list[dict[str, str]] = target.get("PropertyFiles") or []
    files = [each["PropertyFileName"] for each in declared]
    if reference.kind == "PropertyFiles" and reference.path not in files:
        yield (
            f"refers to the property file {reference.path!r} of the step {reference.name!r}, "
            f"which is not there; there are {', '.join(files) or 'none'}."
        )


def _names(known: Mapping[str, Any]) -> str:
    return ", ".join(known) or "none"


def _circle(edges: Mapping[str, frozenset[str]]) -> list[str]:
    """Some steps that wait for each other, the first one again at the end; empty if none do."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        if _walk(start, edges, done, path):
            return path[path.index(path[-1]) :]
    return []


def _walk(step: str, edges: Mapping[str, frozenset[str]], done: set[str], path: list[str]) -> bool:
    if step in done:
        return False
    path.append(step)
    if step in path[:-1]:
        return True
    if any(_walk(each, edges, done, path) for each in sorted(edges[step])):
        return True
    path.pop()
    done.add(step)
    return False
