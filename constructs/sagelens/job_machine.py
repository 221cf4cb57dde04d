"""A state machine around a job: logged, traced, encrypted, and heard when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .alarm import Alarm
from .job_role import allow
from .log_group import LogGroup

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
        self.log_group = LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.state_machine = self._state_machine(role, definition, encryption_key)
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

    def _state_machine(
        self, role: iam.IRole, definition: Mapping[str, Any], key: kms.IKey
    ) -> stepfunctions.CfnStateMachine:
        group = stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
            log_group_arn=self.log_group.log_group_arn
        )
        return stepfunctions.CfnStateMachine(
            self,
            "Resource",
            role_arn=role.role_arn,
            state_machine_type="STANDARD",
            definition_string=cdk.Stack.of(self).to_json_string(dict(definition)),
            tracing_configuration=stepfunctions.CfnStateMachine.TracingConfigurationProperty(
                enabled=True
            ),
            encryption_configuration=stepfunctions.CfnStateMachine.EncryptionConfigurationProperty(
                type="CUSTOMER_MANAGED_KMS_KEY",
                kms_key_id=key.key_arn,
                kms_data_key_reuse_period_seconds=300,
            ),
            logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    stepfunctions.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=group
                    )
                ],
            ),
        )

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the state machine, summed over a minute.

        Args:
            name: ``ExecutionsStarted``, ``ExecutionsSucceeded``, ``ExecutionsFailed``,
                ``ExecutionsTimedOut`` or ``ExecutionsAborted``.
        """
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=name,
            dimensions_map={"StateMachineArn": self.state_machine.ref},
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start an execution and see how it goes.

        Args:
            grantee: A role, user or function.
        """
        executions = cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.state_machine.attr_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        for sid, action, resource in (
            ("StartMachine", "states:StartExecution", self.state_machine.ref),
            ("SeeExecutions", "states:DescribeExecution", executions),
        ):
            grantee.grant_principal.add_to_principal_policy(allow(sid, [action], [resource]))
