"""Finds every policy document in the templates, with its intrinsics resolved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tests.security.judges.nodes import Node
from tests.security.judges.policies import as_list, statements
from tests.security.judges.resolver import World

DocumentKind = Literal["identity", "trust", "resource", "key"]


@dataclass(frozen=True)
class PolicyDocument:
    """One policy document.

    Args:
        kind: identity (on a role), trust (who may assume it), key (a KMS key's policy) or
            resource (any other).
        node: the resource that holds it.
        path: where in its properties.
        body: the document, resolved.
    """

    kind: DocumentKind
    node: Node
    path: str
    body: dict[str, Any]


# Everything else that looks like a policy document counts as a resource policy.
IDENTITY = {
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
}


def documents(world: World) -> Iterator[PolicyDocument]:
    """Every policy document of every resource, wherever in the properties it sits."""
    for node in world.nodes:
        if node.type.startswith("Custom::"):
            continue
        for path, body in _inside(world.properties(node), ""):
            yield PolicyDocument(_kind(node.type, path), node, path, body)


def _kind(resource_type: str, path: str) -> DocumentKind:
    if path.endswith("AssumeRolePolicyDocument"):
        return "trust"
    if resource_type.startswith("AWS::KMS::"):
        return "key"
    if resource_type in IDENTITY or resource_type in ("AWS::IAM::Role", "AWS::IAM::User"):
        return "identity"
    return "resource"


def _inside(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value:
        value = json.loads(value)
    if isinstance(value, dict):
        if "Statement" in value and all("Effect" in item for item in statements(value)):
            yield path, value
            return
        for key, item in value.items():
            yield from _inside(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _inside(item, f"{path}[{index}]")


def role_statements(world: World, role: Node) -> list[dict[str, Any]]:
    """Every statement attached to a role by the templates: inline, by policy, by managed policy.

    Policies that AWS manages are not in the templates, so they add nothing here.
    """
    own = world.properties(role)
    found = [
        statement
        for inline in own.get("Policies", [])
        for statement in statements(inline.get("PolicyDocument"))
    ]
    name, managed = world.name(role), as_list(own.get("ManagedPolicyArns"))
    for policy in world.of("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"):
        properties = world.properties(policy)
        attached = [*as_list(properties.get("Roles")), *as_list(properties.get("RoleName"))]
        if name in attached or world.arn(policy) in managed:
            found += statements(properties.get("PolicyDocument"))
    return found


def resource_statements(world: World, node: Node) -> list[dict[str, Any]] | None:
    """The statements of a resource's own policy; None if the templates give it none."""
    if node.type == "AWS::KMS::Key":
        return statements(world.properties(node).get("KeyPolicy"))
    if node.type == "AWS::Events::EventBus":
        return _bus_statements(world, node)
    if node.type in ("AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Version"):
        return _permissions(world, node)
    attachment = {
        "AWS::SQS::Queue": (("AWS::SQS::QueuePolicy",), "Queues"),
        "AWS::SNS::Topic": (("AWS::SNS::TopicPolicy",), "Topics"),
        "AWS::S3::Bucket": (("AWS::S3::BucketPolicy",), "Bucket"),
    }
    types, target = attachment.get(node.type, ((), ""))
    found: list[dict[str, Any]] | None = None
    for policy in world.of(*types):
        properties = world.properties(policy)
        if any(world.find(item, node.type) == node for item in as_list(properties.get(target))):
            found = (found or []) + statements(properties.get("PolicyDocument"))
    return found


def _bus_statements(world: World, bus: Node) -> list[dict[str, Any]] | None:
    found: list[dict[str, Any]] = statements(world.properties(bus).get("Policy"))
    for policy in world.of("AWS::Events::EventBusPolicy"):
        properties = world.properties(policy)
        if world.find(properties.get("EventBusName", "default"), bus.type) == bus:
            found += statements({"Statement": properties.get("Statement", [])})
    return found or None


def _permissions(world: World, function: Node) -> list[dict[str, Any]] | None:
    """AWS::Lambda::Permission resources as the statements that Lambda makes of them."""
    found: list[dict[str, Any]] = []
    for permission in world.of("AWS::Lambda::Permission"):
        properties = world.properties(permission)
        if world.find(properties.get("FunctionName"), function.type) != function:
            continue
        condition: dict[str, dict[str, str]] = {}
        if "SourceArn" in properties:
            condition["ArnLike"] = {"aws:SourceArn": properties["SourceArn"]}
        if "SourceAccount" in properties:
            condition["StringEquals"] = {"aws:SourceAccount": properties["SourceAccount"]}
        principal = str(properties["Principal"])
        service = "Service" if "." in principal else "AWS"
        found.append(
            {
                "Sid": permission.logical_id,
                "Effect": "Allow",
                "Principal": {service: principal},
                "Action": properties["Action"],
                "Resource": world.arn(function),
                "Condition": condition,
            }
        )
    return found or None
