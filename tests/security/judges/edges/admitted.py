"""Services that a resource's policy lets in: the resource's key must let them in too.

So a queue or a topic that stands ready for a service keeps its promise before the first rule,
alarm or bucket makes use of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.security.judges.documents import resource_statements
from tests.security.judges.edges.alarms import CLOUDWATCH
from tests.security.judges.edges.alarms import TOPIC_PAGE as ALARM_PAGE
from tests.security.judges.edges.buckets import NOTIFY_PAGE, S3
from tests.security.judges.edges.checks import Edge, check_key
from tests.security.judges.edges.rules import EVENTS, QUEUE_PAGE, TOPIC_PAGE
from tests.security.judges.edges.topics import KEY_PAGE, SNS
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import as_list, matches_action
from tests.security.judges.resolver import World

DELIVERY = {"AWS::SQS::Queue": "sqs:SendMessage", "AWS::SNS::Topic": "sns:Publish"}
SOURCE_KEYS = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")
PAGES = {
    (EVENTS, "AWS::SQS::Queue"): QUEUE_PAGE,
    (EVENTS, "AWS::SNS::Topic"): TOPIC_PAGE,
    (CLOUDWATCH, "AWS::SNS::Topic"): ALARM_PAGE,
    (S3, "AWS::SQS::Queue"): NOTIFY_PAGE,
    (S3, "AWS::SNS::Topic"): NOTIFY_PAGE,
    (SNS, "AWS::SQS::Queue"): KEY_PAGE,
}


def findings(world: World) -> Iterator[Finding]:
    """Judge every service that an encrypted queue's or topic's policy lets in."""
    for target in world.of(*DELIVERY):
        for statement in resource_statements(world, target) or []:
            for service in _services(statement, DELIVERY[target.type]):
                yield from _key(world, target, service)


def _services(statement: Mapping[str, Any], action: str) -> list[str]:
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not matches_action(statement, action):
        return []
    return as_list(principal.get("Service")) if isinstance(principal, dict) else []


def _key(world: World, target: Node, service: str) -> Iterator[Finding]:
    page = PAGES.get((service, target.type), QUEUE_PAGE)
    # What the call would come from is not known yet: any resource of the account.
    account, region = world.account(target.stack), world.region(target.stack)
    arn = f"arn:{world.place.partition}:{service.split('.')[0]}:{region}:{account}:any"
    edge = Edge("admitted-service-to-key", target, target, service, page, {"aws:sourcearn": arn})
    to_topic = service == EVENTS and target.type == "AWS::SNS::Topic"
    yield from check_key(
        world,
        edge,
        ("kms:Decrypt", "kms:GenerateDataKey"),
        unsupported=SOURCE_KEYS if to_topic else (),
    )
