"""AWS Budgets to the topics that its alerts go to."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.judges.edges.checks import Edge, check_key, check_policy, unjudged
from tests.security.judges.findings import Finding
from tests.security.judges.resolver import World

BUDGETS = "budgets.amazonaws.com"
PAGE = "AWS Cost Management, Creating an Amazon SNS topic for budget notifications"
UNKNOWN = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")
"""No page says that AWS Budgets sends these to KMS."""


def findings(world: World) -> Iterator[Finding]:
    """Judge every subscriber of every alert of every budget."""
    for budget in world.of("AWS::Budgets::Budget"):
        alerts = world.properties(budget).get("NotificationsWithSubscribers", [])
        subscribers = {
            (one["SubscriptionType"], one["Address"])
            for alert in alerts
            for one in alert["Subscribers"]
        }
        for kind, address in sorted(subscribers):
            if kind == "EMAIL":
                continue
            topic = world.find(address, "AWS::SNS::Topic")
            if topic is None:
                yield unjudged(budget, f"the subscriber {address} is not in these templates")
                continue
            account = world.account(budget.stack)
            arn = f"arn:{world.place.partition}:budgets::{account}:budget/any"
            context = {"aws:sourcearn": arn}
            edge = Edge("budget-to-topic", budget, topic, BUDGETS, PAGE, context)
            yield from check_policy(world, edge, "sns:Publish")
            actions = ("kms:Decrypt", "kms:GenerateDataKey")
            yield from check_key(world, edge, actions, unsupported=UNKNOWN)
