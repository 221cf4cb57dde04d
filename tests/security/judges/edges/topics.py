"""SNS topics to their subscriptions, and to the subscriptions' dead-letter queues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.security.judges.edges.checks import Edge, check_key, check_policy, unjudged
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

SNS = "sns.amazonaws.com"
QUEUE_PAGE = "Amazon SNS, Subscribing an Amazon SQS queue to an Amazon SNS topic"
KEY_PAGE = "Amazon SNS, Configuring Amazon SNS topic encryption with encrypted Amazon SQS queue"
FUNCTION_PAGE = "AWS Lambda, Invoking Lambda functions with Amazon SNS notifications"
# Nothing of ours stands behind these: the receiver confirms by hand.
OUTSIDE = {"email", "email-json", "sms", "http", "https", "application"}


def findings(world: World) -> Iterator[Finding]:
    """Judge every subscription, whether its own resource or written into the topic."""
    for subscription in world.of("AWS::SNS::Subscription"):
        properties = world.properties(subscription)
        topic = world.find(properties.get("TopicArn"), "AWS::SNS::Topic")
        if topic is None:
            yield unjudged(subscription, f"the topic {properties.get('TopicArn')} is unknown")
            continue
        yield from _subscription(world, topic, subscription, properties)
    for topic in world.of("AWS::SNS::Topic"):
        for properties in world.properties(topic).get("Subscription", []):
            yield from _subscription(world, topic, topic, properties)


def _subscription(
    world: World, topic: Node, holder: Node, properties: dict[str, Any]
) -> Iterator[Finding]:
    protocol, endpoint = properties.get("Protocol"), properties.get("Endpoint")
    if protocol in OUTSIDE:
        return
    target = world.find(endpoint)
    if target is None:
        yield unjudged(holder, f"the endpoint {endpoint} is not in these templates")
    elif protocol == "sqs":
        yield from _queue(world, "topic-to-queue", topic, target)
    elif protocol == "lambda":
        edge = Edge("topic-to-function", topic, target, SNS, FUNCTION_PAGE)
        yield from check_policy(world, edge, "lambda:InvokeFunction")
    else:
        yield unjudged(holder, f"subscriptions of the protocol {protocol}")
    yield from _dead_letters(world, topic, holder, properties.get("RedrivePolicy"))


def _queue(world: World, rule: str, topic: Node, queue: Node) -> Iterator[Finding]:
    yield from check_policy(world, Edge(rule, topic, queue, SNS, QUEUE_PAGE), "sqs:SendMessage")
    edge = Edge(rule, topic, queue, SNS, KEY_PAGE)
    yield from check_key(world, edge, ("kms:Decrypt", "kms:GenerateDataKey"))


def _dead_letters(world: World, topic: Node, holder: Node, policy: object) -> Iterator[Finding]:
    loaded = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(loaded, dict):
        return
    queue = world.find(loaded.get("deadLetterTargetArn"), "AWS::SQS::Queue")
    if queue is None:
        yield unjudged(holder, f"the dead-letter queue {loaded.get('deadLetterTargetArn')}")
        return
    yield from _queue(world, "topic-to-dead-letter-queue", topic, queue)
