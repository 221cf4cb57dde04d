"""A pipeline definition: JSON text in, checked and plain data out.

("Pipeline definition JSON schema", SageMaker Developer Guide; its published schema refuses what
AWS's own SDK writes, so it is not what counts here.) A definition is refused with everything that
is wrong with it, not with the first thing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from rehearsal.sagemaker.pipelines import graph, structure
from rehearsal.sagemaker.pipelines.errors import DefinitionError
from rehearsal.sagemaker.pipelines.parameters import Parameter, parse_parameters
from rehearsal.sagemaker.pipelines.retries import RetryPolicy, parse_policies

MOST_BYTES = 1_048_576
MOST_STEPS = 50  # "Amazon SageMaker AI endpoints and quotas": steps of one pipeline


@dataclass(frozen=True)
class Branch:
    """Where a step stands that only runs if a condition turns out so."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: unique in the pipeline.
        type: one of step_types.STEP_TYPES.
        arguments: with their expressions.
        needs: the steps that have to succeed before it.
        branch: the condition that it stands under, if any.
        cache_seconds: how old a run may be that is taken instead; None: always run.
        retries: its own policies.
        property_files: by name: the output and the path in it.
        raw: the step as the definition has it.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    needs: frozenset[str]
    branch: Branch | None
    cache_seconds: float | None
    retries: tuple[RetryPolicy, ...]
    property_files: Mapping[str, tuple[str, str]]
    raw: Mapping[str, Any]


@dataclass(frozen=True)
class Definition:
    """A definition that can be run.

    Attributes:
        text: as it was given.
        parameters: by name.
        steps: by name, those inside conditions as well, in the order of the text.
        experiment: PipelineExperimentConfig, its expressions unresolved; empty if absent.
    """

    text: str
    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any]


def parse(text: str) -> Definition:
    """Read and check a definition.

    Raises:
        DefinitionError: with every problem.
    """
    if len(text.encode()) > MOST_BYTES:
        size = len(text.encode())
        raise DefinitionError([f"It has {size} bytes, allowed are {MOST_BYTES}."])
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DefinitionError([f"It is not JSON: {error}."]) from error
    found = structure.problems(document)
    if found:
        raise DefinitionError(found)
    placed = list(_placed(document["Steps"], None))
    if len(placed) > MOST_STEPS:
        found.append(f"Steps: it has {len(placed)}, allowed are {MOST_STEPS}.")
    parameters = parse_parameters(document.get("Parameters") or [])
    found += graph.problems(
        [(raw, branch and branch.condition) for raw, branch in placed], parameters
    )
    if found:
        raise DefinitionError(found)
    steps = {raw["Name"]: _step(raw, branch) for raw, branch in placed}
    return Definition(text, parameters, steps, document.get("PipelineExperimentConfig") or {})


def _placed(
    steps: list[dict[str, Any]], branch: Branch | None
) -> list[tuple[dict[str, Any], Branch | None]]:
    """Every step and its branch; those inside a condition come after it."""
    found: list[tuple[dict[str, Any], Branch | None]] = []
    for step in steps:
        found.append((step, branch))
        if step["Type"] == "Condition":
            for member, outcome in (("IfSteps", True), ("ElseSteps", False)):
                inner = cast("list[dict[str, Any]]", step["Arguments"].get(member) or [])
                found += _placed(inner, Branch(step["Name"], outcome))
    return found


def _step(raw: dict[str, Any], branch: Branch | None) -> Step:
    cache: dict[str, Any] = raw.get("CacheConfig") or {}
    files: list[dict[str, str]] = raw.get("PropertyFiles") or []
    return Step(
        name=raw["Name"],
        type=raw["Type"],
        arguments=raw.get("Arguments") or {},
        needs=graph.needs(raw, branch.condition if branch else None),
        branch=branch,
        cache_seconds=structure.cache_seconds(cache),
        retries=parse_policies(raw.get("RetryPolicies") or []),
        property_files={
            each["PropertyFileName"]: (each["OutputName"], each["FilePath"]) for each in files
        },
        raw=raw,
    )
