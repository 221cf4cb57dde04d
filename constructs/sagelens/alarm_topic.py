"""The one topic that everything needing attention is sent to."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class AlarmTopic(sns.Topic):
    """An encrypted topic that this account's alarms and event rules may publish to.

    Source: "Notifying users on alarm changes" (Amazon CloudWatch); "Resource-based policies for
    Amazon EventBridge" (Amazon EventBridge).

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Key of its messages; its policy must admit CloudWatch and EventBridge.
        emails: Addresses to subscribe; each must confirm by the mail that AWS sends.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey,
        emails: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id, master_key=encryption_key, enforce_ssl=True)
        for service in ("cloudwatch", "events"):
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"Publish{service.capitalize()}",
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[self.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
                )
            )
        for email in emails:
            self.add_subscription(subscriptions.EmailSubscription(email))
