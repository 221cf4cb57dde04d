"""CloudWatch alarms to their actions."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.judges.documents import resource_statements
from tests.security.judges.edges.checks import Edge, check_key, check_policy, unjudged
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import as_list
from tests.security.judges.resolver import World

CLOUDWATCH = "cloudwatch.amazonaws.com"
TOPIC_PAGE = (
    "Amazon SNS, Managing Amazon SNS encryption keys and costs, Enable compatibility between "
    "event sources from AWS services and encrypted topics"
)
FUNCTION_PAGE = "Amazon CloudWatch, Alarm actions, Lambda alarm actions"
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def findings(world: World) -> Iterator[Finding]:
    """Judge every action of every alarm."""
    for alarm in world.of("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        properties = world.properties(alarm)
        for arn in {item for name in ACTIONS for item in as_list(properties.get(name))}:
            yield from _action(world, alarm, arn)


def _action(world: World, alarm: Node, arn: str) -> Iterator[Finding]:
    target = world.find(arn)
    if target is None:
        yield unjudged(alarm, f"the action {arn} is not in these templates")
    elif target.type == "AWS::SNS::Topic":
        edge = Edge("alarm-to-topic", alarm, target, CLOUDWATCH, TOPIC_PAGE)
        # A topic without a policy of its own lets its account's alarms publish.
        if resource_statements(world, target) is not None:
            yield from check_policy(world, edge, "sns:Publish")
        yield from check_key(world, edge, ("kms:Decrypt", "kms:GenerateDataKey"))
    elif target.type.startswith("AWS::Lambda::"):
        service = "lambda.alarms.cloudwatch.amazonaws.com"
        edge = Edge("alarm-to-function", alarm, target, service, FUNCTION_PAGE)
        yield from check_policy(world, edge, "lambda:InvokeFunction")
    else:
        yield unjudged(alarm, f"alarm actions of the type {target.type} ({target.label})")
