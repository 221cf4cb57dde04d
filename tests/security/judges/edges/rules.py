"""EventBridge: rules to their targets, dead-letter queues, and buses with a key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.security.judges.documents import statements
from tests.security.judges.edges.checks import (
    Edge,
    check_key,
    check_policy,
    check_role,
    check_role_key,
    check_trust,
    role_of,
    unjudged,
)
from tests.security.judges.edges.context import service_context
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import Call, decide
from tests.security.judges.resolver import World

EVENTS = "events.amazonaws.com"
QUEUE_PAGE = "Amazon SQS, Key management, Configure KMS permissions for AWS services"
TOPIC_PAGE = (
    "Amazon SNS, Managing Amazon SNS encryption keys and costs: aws:SourceAccount, "
    "aws:SourceArn and aws:SourceOrgID are not supported for EventBridge-to-encrypted topics"
)
POLICY_PAGE = "Amazon EventBridge, Using resource-based policies"
ROLE_PAGE = "Amazon EventBridge, Using identity-based policies"
BUS_PAGE = "Amazon EventBridge, Authorizing EventBridge to use a customer managed key"
DLQ_PAGE = "Amazon EventBridge, Using dead-letter queues to process undelivered events"
S3_PAGE = "Amazon S3, Enabling Amazon EventBridge"

# What a rule's role must be allowed on each kind of target that works with a role.
ROLE_ACTIONS = {
    "AWS::StepFunctions::StateMachine": "states:StartExecution",
    "AWS::Events::EventBus": "events:PutEvents",
    "AWS::Kinesis::Stream": "kinesis:PutRecord",
    "AWS::SageMaker::Pipeline": "sagemaker:StartPipelineExecution",
}


def findings(world: World) -> Iterator[Finding]:
    """Judge every rule's targets and every bus."""
    for rule in world.of("AWS::Events::Rule"):
        yield from _bucket_events(world, rule)
        for target in world.properties(rule).get("Targets", []):
            yield from _target(world, rule, target)
            yield from _dead_letters(world, rule, target.get("DeadLetterConfig"))
    for bus in world.of("AWS::Events::EventBus"):
        yield from _bus(world, bus)


def _target(world: World, rule: Node, target: dict[str, Any]) -> Iterator[Finding]:
    node = world.find(target.get("Arn"))
    role = role_of(world, target.get("RoleArn"))
    if node is None:
        yield unjudged(rule, f"the target {target.get('Arn')} is not in these templates")
    elif node.type == "AWS::SQS::Queue":
        yield from _queue(world, Edge("rule-to-queue", rule, node, EVENTS, QUEUE_PAGE), target)
    elif node.type == "AWS::SNS::Topic":
        edge = Edge("rule-to-topic", rule, node, EVENTS, TOPIC_PAGE)
        yield from check_policy(world, edge, "sns:Publish")
        yield from check_key(
            world,
            edge,
            ("kms:Decrypt", "kms:GenerateDataKey"),
            unsupported=("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"),
        )
    elif node.type.startswith("AWS::Lambda::"):
        edge = Edge("rule-to-function", rule, node, EVENTS, POLICY_PAGE)
        yield from check_policy(world, edge, "lambda:InvokeFunction")
    elif node.type == "AWS::Logs::LogGroup":
        yield from _log_group(world, Edge("rule-to-log-group", rule, node, EVENTS, POLICY_PAGE))
    elif node.type in ROLE_ACTIONS:
        edge = Edge("rule-to-target-with-role", rule, node, EVENTS, ROLE_PAGE)
        if role is None:
            yield edge.finding("this target needs a role of the templates, and the rule names none")
            return
        yield from check_trust(world, edge, role, EVENTS)
        yield from check_role(world, edge, role, ROLE_ACTIONS[node.type])
        if node.type == "AWS::Kinesis::Stream":
            yield from check_role_key(world, edge, role, ("kms:GenerateDataKey",), "kinesis")
    else:
        yield unjudged(rule, f"targets of the type {node.type} ({node.label})")


def _queue(world: World, edge: Edge, target: dict[str, Any]) -> Iterator[Finding]:
    if "RoleArn" in target:
        yield edge.finding(
            "an SQS target must not name a role: delivery to encrypted queues may fail with one"
        )
    yield from check_policy(world, edge, "sqs:SendMessage")
    yield from check_key(world, edge, ("kms:Decrypt", "kms:GenerateDataKey"))


def _log_group(world: World, edge: Edge) -> Iterator[Finding]:
    """A log group is opened by a policy of the account's, which names log groups by pattern."""
    found = [
        statement
        for policy in world.of("AWS::Logs::ResourcePolicy")
        for statement in statements(_loaded(world.properties(policy).get("PolicyDocument")))
    ]
    context = service_context(world, edge.source)
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        stream = f"{world.arn(edge.target)}:log-stream:x"
        if not decide(found, Call(action, stream, EVENTS, context=context)).allowed:
            yield edge.finding(f"no AWS::Logs::ResourcePolicy lets {EVENTS} {action}")


def _loaded(document: object) -> object:
    return json.loads(document) if isinstance(document, str) else document


def _dead_letters(world: World, source: Node, config: object) -> Iterator[Finding]:
    if not isinstance(config, dict) or "Arn" not in config:
        return
    queue = world.find(config["Arn"], "AWS::SQS::Queue")
    if queue is None:
        yield unjudged(source, f"the dead-letter queue {config['Arn']} is not in these templates")
        return
    edge = Edge("rule-to-dead-letter-queue", source, queue, EVENTS, DLQ_PAGE)
    yield from check_policy(world, edge, "sqs:SendMessage")
    yield from check_key(world, edge, ("kms:Decrypt", "kms:GenerateDataKey"))


def _bus(world: World, bus: Node) -> Iterator[Finding]:
    """A bus with a key uses it itself, for the events that it holds."""
    yield from _dead_letters(world, bus, world.properties(bus).get("DeadLetterConfig"))
    edge = Edge("bus-to-key", bus, bus, EVENTS, BUS_PAGE)
    yield from check_key(world, edge, ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"))


def _bucket_events(world: World, rule: Node) -> Iterator[Finding]:
    """A rule on a bucket's events needs the bucket to send them, to the default bus."""
    pattern = world.properties(rule).get("EventPattern") or {}
    if "aws.s3" not in pattern.get("source", []):
        return
    bus = world.properties(rule).get("EventBusName", "default")
    names = pattern.get("detail", {}).get("bucket", {}).get("name", [])
    for name in names:
        bucket = world.find(name, "AWS::S3::Bucket")
        if bucket is None:
            continue
        edge = Edge("bucket-to-event-bus", bucket, rule, "s3.amazonaws.com", S3_PAGE)
        notification = world.properties(bucket).get("NotificationConfiguration", {})
        if "EventBridgeConfiguration" not in notification:
            yield edge.finding("the bucket does not send its events to EventBridge")
        if bus != "default":
            yield edge.finding(f"S3 sends to the default bus, but the rule listens on {bus}")
