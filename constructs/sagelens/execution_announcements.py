"""Executions of a pipeline that end are told to a topic."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .alarm import Alarm

DETAIL_TYPE = "SageMaker Model Building Pipeline Execution Status Change"


class ExecutionAnnouncements(Construct):
    """A rule that tells a topic of a pipeline's executions, in a sentence a person can read.

    What cannot be delivered is kept for 14 days in a queue, with an alarm.

    Sources: "Amazon SageMaker AI events" (Pipeline execution state change), "Using dead-letter
    queues to process undelivered events" and "Amazon EventBridge input transformation".

    Args:
        scope: The parent construct.
        id: The construct's id.
        pipeline_name: The pipeline.
        pipeline_arn: Its ARN.
        model: What it makes, in a word.
        statuses: Which statuses of an execution are told.
        topic: Who is told; its policy must admit EventBridge.
        encryption_key: Key of the queue; its policy must admit EventBridge.
        removal_policy: What becomes of the queue when the stack is deleted.

    Attributes:
        rule: The rule.
        undelivered: The queue of what could not be delivered.
        undelivered_alarm: Rings as soon as something is in it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        pipeline_name: str,
        pipeline_arn: str,
        model: str,
        statuses: Sequence[str],
        topic: sns.ITopic,
        encryption_key: kms.IKey,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.undelivered = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            data_key_reuse=cdk.Duration.minutes(15),
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=removal_policy,
        )
        self.rule = events.CfnRule(
            self,
            "Rule",
            description=f"Tells of executions of the pipeline {pipeline_name}",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": [DETAIL_TYPE],
                "detail": {
                    "pipelineArn": [pipeline_arn],
                    "currentPipelineExecutionStatus": list(statuses),
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=topic.topic_arn,
                    input_transformer=_sentence(pipeline_name, model),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                )
            ],
        )
        self._admit_rule()
        self.undelivered_alarm = Alarm(
            self,
            "UndeliveredAlarm",
            metric=self.undelivered.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description=f"What became of an execution of {pipeline_name} could not be told",
            topic=topic,
        )

    def _admit_rule(self) -> None:
        self.undelivered.add_to_resource_policy(
            iam.PolicyStatement(
                sid="SendByRule",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.undelivered.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": self.rule.attr_arn},
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            )
        )


def _sentence(pipeline_name: str, model: str) -> events.CfnRule.InputTransformerProperty:
    return events.CfnRule.InputTransformerProperty(
        input_paths_map={
            "status": "$.detail.currentPipelineExecutionStatus",
            "execution": "$.detail.pipelineExecutionArn",
            "started": "$.detail.executionStartTime",
            "time": "$.time",
            "region": "$.region",
        },
        input_template=(
            f'"Training of {model} by the pipeline {pipeline_name}: <status>. It was started at '
            "<started>; this is said at <time>. Its steps, with the reason of a failure: aws "
            "sagemaker list-pipeline-execution-steps --region <region> "
            '--pipeline-execution-arn <execution>"'
        ),
    )
