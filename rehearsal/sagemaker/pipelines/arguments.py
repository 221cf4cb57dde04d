"""A step's Arguments against the API operation that they belong to, before anything runs.

By botocore's model, as the service does it when a pipeline is created: an unknown member, a wrong
type or a value outside its enumeration is found there and not hours later.
"""

from typing import Any, cast

from rehearsal.sagemaker.pipelines.expressions import is_expression
from rehearsal.sagemaker.pipelines.step_types import STEP_TYPES
from rehearsal.service_model import service_model
from rehearsal.shapes import Problem, problems


class _Later:
    """Stands for a value that is known only while the pipeline runs."""

    def __repr__(self) -> str:
        return "an expression"


LATER = _Later()


def argument_problems(step_type: str, arguments: dict[str, Any], where: str) -> list[str]:
    """Everything wrong with a step's Arguments, as far as it can be seen now."""
    known = STEP_TYPES[step_type]
    if known.operation is None:
        return []
    found: list[str] = []
    if known.name_member is not None and known.name_member in arguments:
        found.append(
            f"{where}.{known.name_member}: the rehearsal names jobs as Pipelines does by default "
            "and has no stand-in for names of one's own; leave it out."
        )
    model = service_model("sagemaker")
    shape = model.input(known.operation)
    if shape is None:
        return found
    value = _without_expressions(arguments)
    return found + [
        _in_words(problem, where)
        for problem in problems(model, shape, value)
        if problem.value is not LATER and problem.path != known.name_member
    ]


def _in_words(problem: Problem, where: str) -> str:
    place = f"{where}.{problem.path}" if problem.path else where
    return f"Model Validation failed: {place}: {problem.text}."


def _without_expressions(node: Any) -> Any:
    if is_expression(node):
        return LATER
    if isinstance(node, dict):
        return {k: _without_expressions(v) for k, v in cast("dict[str, Any]", node).items()}
    if isinstance(node, list):
        return [_without_expressions(item) for item in cast("list[Any]", node)]
    return node
