"""Roles that are passed to a service: the service must be said, and may assume them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.security.judges.documents import role_statements
from tests.security.judges.edges.checks import Edge, as_statements, unjudged
from tests.security.judges.edges.context import service_context
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import Call, as_list, decide
from tests.security.judges.resolver import World

PAGE = "AWS Identity and Access Management, Grant a user permissions to pass a role to a service"


def findings(world: World) -> Iterator[Finding]:
    """Judge every statement that lets a role pass another."""
    for role in world.of("AWS::IAM::Role"):
        for statement in role_statements(world, role):
            passing = "iam:PassRole" in as_list(statement.get("Action"))
            if passing and statement.get("Effect") == "Allow":
                yield from _statement(world, role, statement)


def _statement(world: World, role: Node, statement: Mapping[str, Any]) -> Iterator[Finding]:
    services = _services(statement)
    for arn in as_list(statement.get("Resource")):
        passed = world.find(arn, "AWS::IAM::Role")
        if passed is None:
            yield unjudged(role, f"the role {arn}, which it may pass, is not in these templates")
            continue
        edge = Edge("role-to-passed-role", role, passed, world.arn(role), PAGE)
        if not services:
            yield edge.finding("it may pass the role to any service: no iam:PassedToService")
        for service in services:
            if not any(_trusts(world, passed, service, source) for source in _sources(world, role)):
                yield edge.finding(f"{service} may not assume the role {passed.label}")


def _services(statement: Mapping[str, Any]) -> list[str]:
    condition = statement.get("Condition") or {}
    return [
        service
        for keys in condition.values()
        for key, value in keys.items()
        if key.lower() == "iam:passedtoservice"
        for service in as_list(value)
    ]


def _sources(world: World, role: Node) -> Iterator[dict[str, str]]:
    """What the service may say of where it comes from: some resource of ours, or a schedule's
    group."""
    yield service_context(world, role)
    for group in world.of("AWS::Scheduler::ScheduleGroup"):
        yield service_context(world, role, world.arn(group))


def _trusts(world: World, passed: Node, service: str, context: dict[str, str]) -> bool:
    document = world.properties(passed).get("AssumeRolePolicyDocument", {})
    call = Call("sts:AssumeRole", world.arn(passed), service, context=context)
    return decide(as_statements(document), call).allowed
