"""Expressions of a definition: `Get`, `Std:Join` and `Std:JsonGet`, found and resolved.

("Pipeline definition JSON schema" and "Pass data between steps", SageMaker Developer Guide.)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from rehearsal.sagemaker.pipelines.paths import look_up

KEYS = ("Get", "Std:Join", "Std:JsonGet")
EXECUTION_VARIABLES = (
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "ProcessingJobName",
    "StartDateTime",
    "TrainingJobName",
)
STEP = re.compile(r"Steps\.([A-Za-z0-9\-_]+)\.(.+)", re.DOTALL)


@dataclass(frozen=True)
class Reference:
    """What a `Get` points at.

    Attributes:
        kind: Parameters, Execution, Steps or PropertyFiles.
        name: of the parameter, the variable or the step.
        path: into the step's properties, or the name of its property file.
    """

    kind: str
    name: str
    path: str = ""


class Scope(Protocol):
    """Where values come from while an execution runs."""

    def parameter(self, name: str) -> Any:
        """The value of a parameter."""
        ...

    def variable(self, name: str) -> Any:
        """The value of an execution variable."""
        ...

    def property(self, step: str, path: str) -> Any:
        """A property of a step that has run."""
        ...

    def property_file(self, step: str, name: str) -> Any:
        """The document in a step's property file."""
        ...

    def document(self, s3_uri: str) -> Any:
        """The JSON document at an S3 URI."""
        ...


def is_expression(node: Any) -> bool:
    """Whether a node of a definition stands for a value that is found while it runs."""
    if not isinstance(node, dict):
        return False
    members = cast("dict[str, Any]", node)
    return len(members) == 1 and next(iter(members)) in KEYS


def parse_get(text: Any) -> Reference:
    """What the text of a `Get` points at.

    Raises:
        ValueError: it is none of the known forms.
    """
    if isinstance(text, str):
        for kind in ("Parameters", "Execution"):
            if text.startswith(f"{kind}.") and text.count(".") == 1:
                return Reference(kind, text.partition(".")[2])
        found = STEP.fullmatch(text)
        if found is not None:
            step, path = found.groups()
            if path.startswith("PropertyFiles."):
                return Reference("PropertyFiles", step, path.removeprefix("PropertyFiles."))
            return Reference("Steps", step, path)
    raise ValueError(
        f"{text!r:.120} is not a reference; allowed are Parameters.<name>, Execution.<variable>, "
        "Steps.<step>.<property> and Steps.<step>.PropertyFiles.<name>."
    )


def expressions(node: Any, where: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every expression in a part of a definition: its place, its key and what the key holds.

    An expression inside another comes after it.
    """
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        if is_expression(members):
            key, held = next(iter(members.items()))
            yield where, key, held
            yield from expressions(held, f"{where}.{key}")
        else:
            for name, item in members.items():
                yield from expressions(item, f"{where}.{name}")
    elif isinstance(node, list):
        for index, item in enumerate(cast("list[Any]", node)):
            yield from expressions(item, f"{where}[{index}]")


def references(node: Any) -> Iterator[Reference]:
    """Every reference in a part of a definition that has been checked."""
    for _, key, held in expressions(node):
        if key == "Get":
            yield parse_get(held)


def resolve(node: Any, scope: Scope) -> Any:
    """The same node with every expression replaced by its value.

    Raises:
        UndefinedValueError: an expression has no value.
    """
    if isinstance(node, list):
        return [resolve(item, scope) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    members = cast("dict[str, Any]", node)
    if not is_expression(members):
        return {name: resolve(item, scope) for name, item in members.items()}
    key, held = next(iter(members.items()))
    if key == "Get":
        return _get(parse_get(held), scope)
    if key == "Std:Join":
        return str(held["On"]).join(text(resolve(item, scope)) for item in held["Values"])
    return _json_get(held, scope)


def text(value: Any) -> str:
    """A value as `Std:Join` writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _get(reference: Reference, scope: Scope) -> Any:
    if reference.kind == "Parameters":
        return scope.parameter(reference.name)
    if reference.kind == "Execution":
        return scope.variable(reference.name)
    if reference.kind == "PropertyFiles":
        return scope.property_file(reference.name, reference.path)
    return scope.property(reference.name, reference.path)


def _json_get(held: dict[str, Any], scope: Scope) -> Any:
    path = text(resolve(held["Path"], scope))
    if "S3Uri" in held:
        uri = text(resolve(held["S3Uri"], scope))
        return look_up(scope.document(uri), path, f"the JSON document {uri}")
    reference = parse_get(held["PropertyFile"]["Get"])
    what = f"the property file {reference.path} of the step {reference.name}"
    return look_up(scope.property_file(reference.name, reference.path), path, what)
