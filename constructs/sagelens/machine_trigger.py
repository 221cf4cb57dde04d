"""Events start a state machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .alarm import Alarm
from .job_role import allow


class MachineTrigger(Construct):
    """A rule that starts a state machine for each of its events.

    EventBridge tries for 24 hours; what it cannot deliver waits in a dead-letter queue.

    Sources: "Using dead-letter queues to process undelivered events" and "How Amazon EventBridge
    retries delivering events" (Amazon EventBridge).

    Args:
        scope: The parent construct.
        id: The construct's id.
        pattern: The events, as a rule's pattern.
        description: What the rule does, in a sentence.
        starts: What is started, for the role, such as ``a release``.
        undelivered: What it means that an event could not be delivered, for whoever is woken.
        state_machine: What is started, with the whole event as input.
        encryption_key: Key of the queue; its policy must admit EventBridge.
        alarm_topic: Hears of what could not be delivered.
        bus_name: Bus that the events come on; None: the account's own.
        removal_policy: What becomes of the queue when the stack is deleted.

    Attributes:
        rule: The rule.
        role: What EventBridge may do for it.
        dead_letter_queue: What could not be delivered, for 14 days.
        undelivered_alarm: Rings as soon as something is in it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        pattern: Mapping[str, Any],
        description: str,
        starts: str,
        undelivered: str,
        state_machine: stepfunctions.CfnStateMachine,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        bus_name: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=removal_policy,
        )
        start = allow("StartMachine", ["states:StartExecution"], [state_machine.ref])
        self.role = iam.Role(
            self,
            "Role",
            description=f"EventBridge, to start {starts}",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            inline_policies={"start": iam.PolicyDocument(statements=[start])},
        )
        self.rule = self._rule(pattern, description, state_machine, bus_name)
        self._admit_rule()
        self.undelivered_alarm = Alarm(
            self,
            "UndeliveredAlarm",
            metric=self.dead_letter_queue.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description=undelivered,
            topic=alarm_topic,
        )

    def _rule(
        self,
        pattern: Mapping[str, Any],
        description: str,
        state_machine: stepfunctions.CfnStateMachine,
        bus_name: str | None,
    ) -> events.CfnRule:
        return events.CfnRule(
            self,
            "Rule",
            description=description,
            event_bus_name=bus_name,
            event_pattern=dict(pattern),
            targets=[
                events.CfnRule.TargetProperty(
                    id="Machine",
                    arn=state_machine.ref,
                    role_arn=self.role.role_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.dead_letter_queue.queue_arn
                    ),
                )
            ],
        )

    def _admit_rule(self) -> None:
        self.dead_letter_queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Undelivered",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.dead_letter_queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.rule.attr_arn}},
            )
        )
