"""A log group that is encrypted and does not keep logs for ever."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct


class LogGroup(logs.LogGroup):
    """An encrypted log group with a retention in days.

    Source: "Encrypt log data in CloudWatch Logs using AWS KMS" (Amazon CloudWatch Logs).

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Its key, whose policy must admit CloudWatch Logs.
        retention_days: Days to keep logs, one of the numbers that CloudWatch Logs allows.
        removal_policy: What becomes of the logs when the stack is deleted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey,
        retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id, encryption_key=encryption_key, removal_policy=removal_policy)
        resource = self.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        resource.retention_in_days = retention_days
