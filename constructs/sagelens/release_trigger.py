"""Approvals and rejections of model packages start a state machine."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .machine_trigger import MachineTrigger


class ReleaseTrigger(MachineTrigger):
    """A rule on model package state changes, with a dead-letter queue for what cannot be delivered.

    Source: "Events that Amazon SageMaker AI sends to Amazon EventBridge" (SageMaker AI model
    package state change).

    Args:
        scope: The parent construct.
        id: The construct's id.
        model_group_name: The model package group.
        state_machine: What is started, with the whole event as input.
        encryption_key: Key of the queue; its policy must admit EventBridge.
        alarm_topic: Hears of what could not be delivered.
        removal_policy: What becomes of the queue when the stack is deleted.
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
        super().__init__(
            scope,
            id,
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [model_group_name],
                    "ModelApprovalStatus": ["Approved", "Rejected"],
                },
            },
            description=f"Releases approved versions of {model_group_name}",
            starts="a release",
            undelivered="An approval could not start its release",
            state_machine=state_machine,
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )
