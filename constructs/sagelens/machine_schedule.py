"""Starts a state machine or a function at set times."""

from __future__ import annotations

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .alarm import Alarm
from .job_role import allow

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""Becomes the time that a start was meant for, such as ``2026-11-23T02:00:00Z``."""


class SetTimes(Construct):
    """Starts something again and again at set times: what schedules have in common.

    A start that fails is tried for a day; then what it asked for is kept in a queue, with an
    alarm.

    Sources: "Schedule types on EventBridge Scheduler", "Using templated targets", "Adding context
    attributes" and "Configuring a schedule's dead-letter queue" (Amazon EventBridge Scheduler).

    Args:
        scope: The parent construct.
        id: The construct's id.
        target_arn: What is started.
        action: What starting it takes, such as ``states:StartExecution``.
        what: What it is, in words, such as ``state machine``.
        description: What for, in a few words.
        expression: ``rate(1 day)``, or in UTC ``cron(0 2 * * ? *)``.
        input: What each start is given; a text may be :data:`SCHEDULED_TIME`.
        encryption_key: Key of schedule and queue.
        alarm_topic: Hears of starts that failed.
        removal_policy: What becomes of the queue when the stack is deleted.

    Attributes:
        group: The schedule's group, by which its role knows it.
        schedule: The schedule.
        role: What it may do: start this one thing.
        undelivered: Queue of the starts that failed, for 14 days.
        undelivered_alarm: Rings as soon as there is one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target_arn: str,
        action: str,
        what: str,
        description: str,
        expression: str,
        input: Mapping[str, str],
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.group = scheduler.CfnScheduleGroup(self, "Group")
        self.undelivered = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=removal_policy,
        )
        self.undelivered_alarm = Alarm(
            self,
            "UndeliveredAlarm",
            metric=self.undelivered.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description=f"Could not be started at its set time: {description}",
            topic=alarm_topic,
        )
        self.role = self._role(what, allow("Start", [action], [target_arn]), encryption_key)
        self.schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            group_name=self.group.ref,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=encryption_key.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target_arn,
                role_arn=self.role.role_arn,
                input=json.dumps(dict(input)),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.undelivered.queue_arn
                ),
            ),
        )

    def _role(self, what: str, start: iam.PolicyStatement, key: kms.IKey) -> iam.Role:
        statements = [
            start,
            allow("KeepUndelivered", ["sqs:SendMessage"], [self.undelivered.queue_arn]),
            # Decrypt reads the schedule and, with GenerateDataKey, fills the queue.
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]),
        ]
        return iam.Role(
            self,
            "Role",
            description=f"Lets a schedule start its {what}",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                # "Cross-service confused deputy prevention": the source is the schedule's group.
                conditions={
                    "ArnEquals": {"aws:SourceArn": self.group.attr_arn},
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            ),
            inline_policies={"start": iam.PolicyDocument(statements=statements)},
        )


class MachineSchedule(SetTimes):
    """Starts a state machine again and again at set times; see :class:`SetTimes`.

    Args:
        scope: The parent construct.
        id: The construct's id.
        state_machine: What is started.
        description: What for, in a few words.
        expression: ``rate(1 day)``, or in UTC ``cron(0 2 * * ? *)``.
        input: Input of each execution; a text may be :data:`SCHEDULED_TIME`.
        encryption_key: Key of schedule and queue.
        alarm_topic: Hears of starts that failed.
        removal_policy: What becomes of the queue when the stack is deleted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        state_machine: stepfunctions.CfnStateMachine,
        description: str,
        expression: str,
        input: Mapping[str, str],
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(
            scope,
            id,
            target_arn=state_machine.ref,
            action="states:StartExecution",
            what="state machine",
            description=description,
            expression=expression,
            input=input,
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )


class FunctionSchedule(SetTimes):
    """Invokes a function again and again at set times; see :class:`SetTimes`.

    Args:
        scope: The parent construct.
        id: The construct's id.
        function: What is invoked.
        description: What for, in a few words.
        expression: ``rate(1 minute)``, or in UTC ``cron(0 2 * * ? *)``.
        encryption_key: Key of schedule and queue.
        alarm_topic: Hears of invocations that failed.
        removal_policy: What becomes of the queue when the stack is deleted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function: lambda_.IFunction,
        description: str,
        expression: str,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(
            scope,
            id,
            target_arn=function.function_arn,
            action="lambda:InvokeFunction",
            what="function",
            description=description,
            expression=expression,
            input={"time": SCHEDULED_TIME},
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )
