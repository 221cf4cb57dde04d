"""Where people work: SageMaker must be able to assume the role that they work by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.security.judges.edges.checks import Edge, check_trust, role_of, unjudged
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

SAGEMAKER = "sagemaker.amazonaws.com"
PAGE = "Amazon SageMaker AI, How to use SageMaker AI execution roles, {}"
# Where each type names the role, and the part of the page that tells of it.
ROLES = (
    (
        "AWS::SageMaker::NotebookInstance",
        ("RoleArn",),
        "notebook-to-role",
        "CreateNotebookInstance",
    ),
    (
        "AWS::SageMaker::Domain",
        ("DefaultUserSettings", "ExecutionRole"),
        "studio-to-role",
        "CreateDomain",
    ),
    (
        "AWS::SageMaker::Domain",
        ("DefaultSpaceSettings", "ExecutionRole"),
        "studio-to-role",
        "CreateDomain",
    ),
    (
        "AWS::SageMaker::UserProfile",
        ("UserSettings", "ExecutionRole"),
        "studio-to-role",
        "CreateUserProfile",
    ),
)


def findings(world: World) -> Iterator[Finding]:
    """Judge every notebook instance, Studio domain and user profile."""
    for kind, path, edge, operation in ROLES:
        for node in world.of(kind):
            named = _at(world, node, path)
            if named is not None:
                yield from _trusted(world, node, named, edge, PAGE.format(operation))


def _trusted(world: World, node: Node, named: Any, kind: str, page: str) -> Iterator[Finding]:
    role = role_of(world, named)
    if role is None:
        yield unjudged(node, f"the role {named} is not in these templates")
        return
    yield from check_trust(world, Edge(kind, node, role, world.arn(role), page), role, SAGEMAKER)


def _at(world: World, node: Node, path: tuple[str, ...]) -> Any:
    value: Any = world.properties(node)
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
