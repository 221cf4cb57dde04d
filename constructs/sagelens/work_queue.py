"""A queue of work that loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .alarm import Alarm
from .errors import ArgumentErrors

LONGEST_VISIBILITY_SECONDS = 43_200
"""Amazon SQS visibility timeout: 12 hours at most."""


@dataclass(frozen=True, kw_only=True)
class QueueOptions:
    """How long work waits, and how often it is tried.

    Args:
        max_receives: Times that a message is tried before it is set aside, 5 to 1,000.
        retention_days: Days that a message waits for a worker, at most 14.
        dead_letter_retention_days: Days that a message that was set aside waits for a person;
            more than ``retention_days``, at most 14.
        backlog_alarm_minutes: Age of the oldest waiting message that raises an alarm.
    """

    max_receives: int = 8
    retention_days: int = 4
    dead_letter_retention_days: int = 14
    backlog_alarm_minutes: int = 60


class WorkQueue(Construct):
    """An encrypted queue with a dead-letter queue and alarms on both.

    Sources: "Using Lambda with Amazon SQS" (visibility of at least six times the function's
    time-out, five receives or more); "Using dead-letter queues in Amazon SQS" (retention longer
    than the source's); "Amazon SQS visibility timeout".

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Key of both queues.
        alarm_topic: Receives the alarms.
        worker_timeout_seconds: Time-out of the function that works on it.
        options: How long work waits, and how often it is tried.

    Attributes:
        queue: Where work waits.
        dead_letter_queue: Where work that failed every time is kept.
        dead_letter_alarm: Rings as soon as something is kept there.
        backlog_alarm: Rings when the oldest message waits too long.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        worker_timeout_seconds: int,
        options: QueueOptions = QueueOptions(),
    ) -> None:
        super().__init__(scope, id)
        self._encryption_key = encryption_key
        visibility = 6 * worker_timeout_seconds
        self._check(visibility, options)
        self.dead_letter_queue = self._queue(
            "DeadLetterQueue",
            retention_period=cdk.Duration.days(options.dead_letter_retention_days),
        )
        self.queue = self._queue(
            "Queue",
            retention_period=cdk.Duration.days(options.retention_days),
            visibility_timeout=cdk.Duration.seconds(visibility),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter_queue, max_receive_count=options.max_receives
            ),
        )
        self._watch(alarm_topic, options)

    def _watch(self, topic: sns.ITopic, options: QueueOptions) -> None:
        self.dead_letter_alarm = Alarm(
            self,
            "DeadLetterAlarm",
            metric=self.dead_letter_queue.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description="Work failed every time and is kept in the dead-letter queue",
            topic=topic,
        )
        self.backlog_alarm = Alarm(
            self,
            "BacklogAlarm",
            metric=self.queue.metric_approximate_age_of_oldest_message(
                statistic="max", period=cdk.Duration.minutes(5)
            ),
            threshold=60 * options.backlog_alarm_minutes,
            description="The oldest waiting message is too old",
            topic=topic,
        )

    def _check(self, visibility: int, options: QueueOptions) -> None:
        errors = ArgumentErrors(f"WorkQueue {self.node.path}")
        errors.between("max_receives", options.max_receives, 5, 1000)
        errors.between("retention_days", options.retention_days, 1, 14, unit="days")
        errors.require(
            visibility <= LONGEST_VISIBILITY_SECONDS,
            f"worker_timeout_seconds: six times it is {visibility:,} s, allowed are "
            f"{LONGEST_VISIBILITY_SECONDS:,} s of visibility",
        )
        errors.require(
            options.retention_days < options.dead_letter_retention_days <= 14,
            f"dead_letter_retention_days: got {options.dead_letter_retention_days}, allowed is "
            "more than retention_days, and 14 at most, since a message keeps its age when it is "
            "set aside",
        )
        errors.throw()

    def _queue(
        self,
        id: str,
        *,
        retention_period: cdk.Duration,
        visibility_timeout: cdk.Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._encryption_key,
            # One data key serves a quarter of an hour of messages, which saves calls to KMS.
            data_key_reuse=cdk.Duration.minutes(15),
            enforce_ssl=True,
            retention_period=retention_period,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
        )

    def rule(
        self,
        scope: Construct,
        *,
        pattern: Mapping[str, Any],
        description: str,
        bus_name: str | None = None,
    ) -> events.CfnRule:
        """Queue each event of a bus that fits a pattern, what cannot be delivered set aside.

        Args:
            scope: Whose child ``Rule`` the rule becomes.
            pattern: Which events.
            description: Of the rule, for whoever meets it in the console.
            bus_name: The bus; None: the account's own.
        """
        rule = events.CfnRule(
            scope,
            "Rule",
            description=description,
            event_bus_name=bus_name,
            event_pattern=dict(pattern),
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.dead_letter_queue.queue_arn
                    ),
                )
            ],
        )
        self.receive_from_rule(rule)
        return rule

    def receive_from_rule(self, rule: events.CfnRule) -> None:
        """Let one EventBridge rule of this account send here, what it cannot deliver included.

        Args:
            rule: The rule whose target this queue is.
        """
        for queue in (self.queue, self.dead_letter_queue):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="SendByRule",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={
                        "ArnEquals": {"aws:SourceArn": rule.attr_arn},
                        "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                    },
                )
            )

    def worker_statements(self, sid: str = "WorkQueue") -> list[iam.PolicyStatement]:
        """What a role needs to work the queue off, without the use of its key."""
        return [
            iam.PolicyStatement(
                sid=sid,
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                resources=[self.queue.queue_arn],
            )
        ]
