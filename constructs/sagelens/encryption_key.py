"""The customer-managed key that encrypts one environment."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class EncryptionKey(kms.Key):
    """A symmetric customer-managed key with yearly rotation and a complete policy.

    The policy is complete here: one statement for each AWS service that uses the key by its
    own principal, limited to this account and never to the ARN of a resource in a later stack,
    so that no later stack has to change the key. Principals of the account get their use of
    the key from their own IAM policies.

    Sources: "Configure KMS permissions for AWS services" (Amazon SQS), "Authorizing EventBridge
    to use a customer managed key" (Amazon EventBridge), "Encrypt log data in CloudWatch Logs
    using AWS KMS" (Amazon CloudWatch Logs), "Notifying users on alarm changes" (Amazon
    CloudWatch), "Managing Amazon SNS encryption keys and costs" (Amazon SNS).

    Args:
        scope: The parent construct.
        id: The construct's id.
        removal_policy: What becomes of the key when its stack is deleted. A key scheduled for
            deletion waits 30 days.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(
            scope,
            id,
            description="Encrypts this environment's buckets, queues, topics, tables and logs",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        for statement in self._service_statements():
            self.add_to_resource_policy(statement)

    def _service_statements(self) -> list[iam.PolicyStatement]:
        account = {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}
        region = cdk.Aws.REGION
        every_log_group = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        every_delivery = cdk.Stack.of(self).format_arn(service="logs", resource="*")
        every_topic = cdk.Stack.of(self).format_arn(service="sns", resource="*")
        return [
            iam.PolicyStatement(
                # A grant would let its holder use the key past every policy; AWS services make
                # them for their own resources only (AWS Control Tower, CT.KMS.PR.3).
                sid="GrantsForServicesOnly",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:CreateGrant"],
                resources=["*"],
                conditions={
                    "BoolIfExists": {
                        "aws:PrincipalIsAWSService": "false",
                        "kms:GrantIsForAWSResource": "false",
                    }
                },
            ),
            iam.PolicyStatement(
                sid="EventBridge",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": account},
            ),
            iam.PolicyStatement(
                # Toward an encrypted topic EventBridge names neither account nor source ("Managing
                # Amazon SNS encryption keys and costs"), and of AWS Budgets no page says that it
                # does; the topic, of this account, stands in.
                sid="ServicesToTopics",
                principals=[
                    iam.ServicePrincipal(f"{service}.amazonaws.com")
                    for service in ("budgets", "events")
                ],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": every_topic}},
            ),
            iam.PolicyStatement(
                sid="CloudWatchAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": account},
            ),
            iam.PolicyStatement(
                # What an encrypted state machine logs goes by this service ("Data at rest
                # encryption", AWS Step Functions).
                sid="StateMachineLogs",
                principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={"StringEquals": {"kms:EncryptionContext:SourceArn": every_delivery}},
            ),
            iam.PolicyStatement(
                sid="CloudWatchLogs",
                principals=[iam.ServicePrincipal(f"logs.{region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt*",
                    "kms:Describe*",
                    "kms:Encrypt*",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": every_log_group}},
            ),
        ]
