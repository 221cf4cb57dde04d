"""Approvals and rejections of model packages start a state machine."""

from __future__ import annotations

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


class ReleaseTrigger(Construct):
    """A rule on model package state changes, with a dead-letter queue for what cannot be delivered.

    Sources: "Events that Amazon SageMaker AI sends to Amazon EventBridge" (SageMaker AI model
    package state change), "Using dead-letter queues to process undelivered events" (Amazon
    EventBridge).

    Args:
        scope: The parent construct.
        id: The construct's id.
        model_group_name: The model package group.
        state_machine: What is started, with the whole event as input.
        encryption_key: Key of the queue; its policy must admit EventBridge.
        alarm_topic: Hears of what could not be delivered.
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
        model_group_name: str,
        state_machine: stepfunctions.CfnStateMachine,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
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
        self.role = iam.Role(
            self,
            "Role",
            description="EventBridge, to start a release",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            inline_policies={
                "start": iam.PolicyDocument(
                    statements=[
                        allow("StartRelease", ["states:StartExecution"], [state_machine.ref])
                    ]
                )
            },
        )
        self.rule = events.CfnRule(
            self,
            "Rule",
            description=f"Releases approved versions of {model_group_name}",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [model_group_name],
                    "ModelApprovalStatus": ["Approved", "Rejected"],
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Release",
                    arn=state_machine.ref,
                    role_arn=self.role.role_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.dead_letter_queue.queue_arn
                    ),
                )
            ],
        )
        self.dead_letter_queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Undelivered",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.dead_letter_queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.rule.attr_arn}},
            )
        )
        self.undelivered_alarm = Alarm(
            self,
            "UndeliveredAlarm",
            metric=self.dead_letter_queue.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description="An approval could not start its release",
            topic=alarm_topic,
        )
