"""Starts a SageMaker pipeline at set times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .alarm import Alarm


@dataclass(frozen=True, kw_only=True)
class PipelineTarget:
    """The pipeline that is started, and what its schedules lie in.

    Args:
        name: The pipeline's name.
        arn: Its ARN.
        group: Group of the schedules; it is deleted with all of them.
        encryption_key: Key of schedules, queues and logs.
        alarm_topic: Hears of starts that failed.
    """

    name: str
    arn: str
    group: scheduler.CfnScheduleGroup
    encryption_key: kms.IKey
    alarm_topic: sns.ITopic


class PipelineSchedule(Construct):
    """Starts a SageMaker pipeline again and again at set times.

    A start that fails is tried for a day; then what it asked for is kept in a queue, with an
    alarm.

    Sources: "Schedule types on EventBridge Scheduler", "Using templated targets" and "Configuring
    a schedule's dead-letter queue" (Amazon EventBridge Scheduler).

    Args:
        scope: The parent construct.
        id: The construct's id.
        target: The pipeline and its surroundings.
        expression: ``rate(7 days)``, or in UTC ``cron(0 3 ? * MON *)``.
        parameters: Parameters of each execution, by name.

    Attributes:
        schedule: The schedule.
        role: What it may do: start this pipeline.
        undelivered: Queue of the starts that failed.
        undelivered_alarm: Rings as soon as there is one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: PipelineTarget,
        expression: str,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.undelivered = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=target.encryption_key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        self.undelivered_alarm = Alarm(
            self,
            "UndeliveredAlarm",
            metric=self.undelivered.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description=f"The pipeline {target.name} could not be started at its set time",
            topic=target.alarm_topic,
        )
        self.role = starting_role(self, target, self.undelivered)
        self.schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"Starts {target.name} at set times",
            group_name=target.group.ref,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=target.encryption_key.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.arn,
                role_arn=self.role.role_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.undelivered.queue_arn
                ),
                sage_maker_pipeline_parameters=_parameters(parameters or {}),
            ),
        )


def _parameters(
    given: Mapping[str, str],
) -> scheduler.CfnSchedule.SageMakerPipelineParametersProperty:
    return scheduler.CfnSchedule.SageMakerPipelineParametersProperty(
        pipeline_parameter_list=[
            scheduler.CfnSchedule.SageMakerPipelineParameterProperty(name=name, value=value)
            for name, value in given.items()
        ]
    )


def starting_role(scope: Construct, target: PipelineTarget, undelivered: sqs.IQueue) -> iam.Role:
    """The role that EventBridge Scheduler starts the pipeline with, and does nothing else."""
    statements = [
        allow("StartPipeline", ["sagemaker:StartPipelineExecution"], target.arn),
        allow("KeepUndelivered", ["sqs:SendMessage"], undelivered.queue_arn),
        # Decrypt reads the schedule and, with GenerateDataKey, fills the queue.
        allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], target.encryption_key.key_arn),
    ]
    return iam.Role(
        scope,
        "StartRole",
        description=f"Lets schedules start {target.name}",
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            # "Cross-service confused deputy prevention": the source is the schedule's group.
            conditions={
                "ArnEquals": {"aws:SourceArn": target.group.attr_arn},
                "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
            },
        ),
        inline_policies={"start": iam.PolicyDocument(statements=statements)},
    )


def allow(sid: str, actions: list[str], resource: str) -> iam.PolicyStatement:
    """A statement on one resource."""
    return iam.PolicyStatement(sid=sid, actions=actions, resources=[resource])
