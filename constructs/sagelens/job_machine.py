"""A state machine around a job: logged, traced, encrypted, and heard when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .log_group import LogGroup
from .state_machine import encrypted_state_machine, grant_start, state_machine_metric

FAILURES = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


class JobMachine(Construct):
    """A standard state machine with its log group and an alarm on each way to fail.

    Args:
        scope: The parent construct.
        id: The construct's id.
        role: What it may do, logging and tracing included.
        definition: Its definition, as plain data.
        what: What it is, for whoever is woken, such as ``The drift watch of churn``.
        encryption_key: Key of the state machine and its logs.
        alarm_topic: Hears of failures.
        log_retention_days: Days to keep the logs.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        state_machine: The state machine.
        log_group: Where it logs.
        alarms: Those on its failures, by metric.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        role: iam.IRole,
        definition: Mapping[str, Any],
        what: str,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._key = encryption_key
        self.log_group = LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.state_machine = encrypted_state_machine(
            self,
            "Resource",
            role=role,
            definition=definition,
            encryption_key=encryption_key,
            log_group=self.log_group,
        )
        self.alarms = {
            name: Alarm(
                self,
                f"{name}Alarm",
                metric=self.metric(name),
                description=f"{what} did not end well: its newest execution says why",
                topic=alarm_topic,
            )
            for name in FAILURES
        }

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the state machine, summed over a minute.

        Args:
            name: ``ExecutionsStarted``, ``ExecutionsSucceeded``, ``ExecutionsFailed``,
                ``ExecutionsTimedOut`` or ``ExecutionsAborted``.
        """
        return state_machine_metric(self.state_machine.ref, name)

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start an execution and see how it goes.

        Args:
            grantee: A role, user or function.
        """
        grant_start(self.state_machine, self._key, grantee)
