"""A queue of work that loses nothing."""

from __future__ import annotations

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
        worker_timeout: Time-out of the function that works on it.
        max_receives: Times that a message is tried before it is set aside, 5 to 1,000.
        retention: How long a message waits for a worker.
        dead_letter_retention: How long a message that was set aside waits for a person.
        backlog_alarm_after: Age of the oldest waiting message that raises an alarm.

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
        worker_timeout: cdk.Duration,
        max_receives: int = 8,
        retention: cdk.Duration | None = None,
        dead_letter_retention: cdk.Duration | None = None,
        backlog_alarm_after: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, id)
        retention = retention or cdk.Duration.days(4)
        dead_letter_retention = dead_letter_retention or cdk.Duration.days(14)
        self._encryption_key = encryption_key
        visibility = cdk.Duration.seconds(6 * int(worker_timeout.to_seconds()))
        self._check(visibility, max_receives, retention, dead_letter_retention)
        self.dead_letter_queue = self._queue(
            "DeadLetterQueue", retention_period=dead_letter_retention
        )
        self.queue = self._queue(
            "Queue",
            retention_period=retention,
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter_queue, max_receive_count=max_receives
            ),
        )
        self.dead_letter_alarm = Alarm(
            self,
            "DeadLetterAlarm",
            metric=self.dead_letter_queue.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            threshold=1,
            description="Work failed every time and is kept in the dead-letter queue",
            topic=alarm_topic,
        )
        self.backlog_alarm = Alarm(
            self,
            "BacklogAlarm",
            metric=self.queue.metric_approximate_age_of_oldest_message(
                statistic="max", period=cdk.Duration.minutes(5)
            ),
            threshold=(backlog_alarm_after or cdk.Duration.hours(1)).to_seconds(),
            description="The oldest waiting message is too old",
            topic=alarm_topic,
        )

    def _check(
        self,
        visibility: cdk.Duration,
        max_receives: int,
        retention: cdk.Duration,
        dead_letter_retention: cdk.Duration,
    ) -> None:
        errors = ArgumentErrors(f"WorkQueue {self.node.path}")
        errors.between("max_receives", max_receives, 5, 1000)
        errors.between("retention", retention.to_days(integral=False), 1 / 1440, 14, unit="days")
        errors.require(
            visibility.to_seconds() <= LONGEST_VISIBILITY_SECONDS,
            f"worker_timeout: six times it is {visibility.to_seconds():g} s, allowed are "
            f"{LONGEST_VISIBILITY_SECONDS:,} s of visibility",
        )
        errors.require(
            retention.to_seconds() < dead_letter_retention.to_seconds() <= 14 * 86_400,
            "dead_letter_retention: must be longer than retention, and 14 days at most, since a "
            "message keeps its age when it is set aside",
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

    def worker_statements(self) -> list[iam.PolicyStatement]:
        """What a role needs to work the queue off, without the use of its key."""
        return [
            iam.PolicyStatement(
                sid="WorkQueue",
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                resources=[self.queue.queue_arn],
            )
        ]
