"""Functions in a VPC: joining it takes rights, and calling services from it takes endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.security.judges.documents import role_statements, statements
from tests.security.judges.edges.checks import Edge, check_role
from tests.security.judges.edges.context import role_context
from tests.security.judges.edges.functions import execution_role
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import Call, as_list, decide
from tests.security.judges.resolver import World

PAGE = "AWS Lambda, Connecting inbound interface VPC endpoints; Amazon VPC, AWS PrivateLink"
POLICY_PAGE = "Amazon VPC, Control access to VPC endpoints using endpoint policies"

JOIN_PAGE = "AWS Lambda, Giving Lambda functions access to resources in an Amazon VPC"
JOIN = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)

# Called for the function from outside of its network: by the Lambda service (network interfaces,
# logs, polling a queue) or by the service that holds the encrypted resource (keys).
FROM_OUTSIDE = {"ec2", "kms", "logs"}
BY_POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# No call at all: the service that a role is passed to asks whether the caller may pass it.
NO_CALL = {"iam:PassRole"}


def findings(world: World) -> Iterator[Finding]:
    """Judge every function in a VPC; endpoints are asked for where no route leads out."""
    for function in world.of("AWS::Lambda::Function"):
        config = world.properties(function).get("VpcConfig", {})
        subnets = [world.find(item, "AWS::EC2::Subnet") for item in config.get("SubnetIds", [])]
        role = execution_role(world, function)
        known = [subnet for subnet in subnets if subnet is not None]
        if role is not None and subnets:
            edge = Edge("function-to-network", function, function, world.arn(role), JOIN_PAGE)
            for action in JOIN:
                yield from check_role(world, edge, role, action, "*")
        if role is not None and known and not all(_way_out(world, item) for item in known):
            yield from _function(world, function, role, known)


def _tables(world: World, subnet: Node) -> set[str]:
    """The ids of the route tables that a subnet uses."""
    return {
        str(properties.get("RouteTableId"))
        for properties in map(world.properties, world.of("AWS::EC2::SubnetRouteTableAssociation"))
        if world.find(properties.get("SubnetId"), subnet.type) == subnet
    }


def _way_out(world: World, subnet: Node) -> bool:
    tables = _tables(world, subnet)
    return any(
        properties.get("RouteTableId") in tables
        and properties.get("DestinationCidrBlock") == "0.0.0.0/0"
        for properties in map(world.properties, world.of("AWS::EC2::Route"))
    )


def _function(world: World, function: Node, role: Node, subnets: list[Node]) -> Iterator[Finding]:
    endpoints = list(_endpoints(world, subnets))
    for statement in role_statements(world, role):
        if statement.get("Effect") != "Allow":
            continue
        for action in as_list(statement.get("Action")):
            service = action.partition(":")[0]
            if service in FROM_OUTSIDE or action in BY_POLLER | NO_CALL:
                continue
            serving = [node for node in endpoints if _serves(world, node, service)]
            edge = Edge("function-to-endpoint", function, function, world.arn(role), PAGE)
            if not serving:
                yield edge.finding(
                    f"its subnets have no way to {service}, which {action} needs: "
                    "no endpoint serves it there"
                )
            elif not any(_lets(world, node, role, action, statement) for node in serving):
                yield edge.finding(
                    f"the policy of {serving[0].label} does not let {role.label} "
                    f"{action} ({POLICY_PAGE})"
                )


def _endpoints(world: World, subnets: list[Node]) -> Iterator[Node]:
    """The endpoints that can be used from every one of the subnets."""
    vpcs = {world.properties(subnet).get("VpcId") for subnet in subnets}
    for node in world.of("AWS::EC2::VPCEndpoint"):
        properties = world.properties(node)
        if properties.get("VpcId") not in vpcs:
            continue
        if properties.get("VpcEndpointType") == "Interface":
            if properties.get("PrivateDnsEnabled") is True:
                yield node
            continue
        tables = set(as_list(properties.get("RouteTableIds")))
        if all(_tables(world, subnet) & tables for subnet in subnets):
            yield node


def _serves(world: World, endpoint: Node, service: str) -> bool:
    return str(world.properties(endpoint).get("ServiceName")).rpartition(".")[2] == service


def _lets(world: World, endpoint: Node, role: Node, action: str, statement: dict[str, Any]) -> bool:
    """Whether an endpoint's policy allows a role's action; without a policy it allows all."""
    policy = world.properties(endpoint).get("PolicyDocument")
    if policy is None:
        return True
    account = world.account(role.stack)
    context = {**role_context(world, role), "aws:sourcevpce": world.name(endpoint)}
    samples = [item.replace("*", "sample") for item in as_list(statement.get("Resource"))]
    return all(
        decide(statements(policy), Call(action, sample, world.arn(role), account, context)).allowed
        for sample in samples
    )
