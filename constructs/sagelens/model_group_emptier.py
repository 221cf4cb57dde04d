"""Deletes the versions of a model package group before its stack deletes the group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from .python_function import FunctionOptions, PythonFunction

# Some thousand versions: one takes a fifth of a second or so.
LONGEST_RUN = cdk.Duration.minutes(15)


class ModelGroupEmptier(Construct):
    """A custom resource that is deleted before its group, and deletes the group's versions then.

    It does so only while the whole stack is being deleted. Where the resource goes for another
    reason, for example because the group is to be retained from now on, the versions stay.

    Sources: "DeleteModelPackageGroup" and "DeleteModelPackage" (Amazon SageMaker API reference);
    "AWS::CloudFormation::CustomResource" (AWS CloudFormation).

    Args:
        scope: The parent construct.
        id: The construct's id.
        group: The group.
        group_name: Its name.
        versions_arn: ARN pattern of its versions.
        encryption_key: Key of the function's logs and variables.
        log_retention_days: Days to keep its logs, which go with the stack.

    Attributes:
        worker: The function, its role and its log group.
        resource: The custom resource.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        group: sagemaker.CfnModelPackageGroup,
        group_name: str,
        versions_arn: str,
        encryption_key: kms.IKey,
        log_retention_days: int = 30,
    ) -> None:
        super().__init__(scope, id)
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="model_group_emptier.handler.handler",
            description="Deletes the versions of a model package group together with its stack",
            statements=[
                # A list takes no resource that would name the group.
                iam.PolicyStatement(
                    sid="ListVersions", actions=["sagemaker:ListModelPackages"], resources=["*"]
                ),
                iam.PolicyStatement(
                    sid="DeleteVersions",
                    actions=["sagemaker:DeleteModelPackage"],
                    resources=[versions_arn],
                ),
                iam.PolicyStatement(
                    sid="UseKey", actions=["kms:Decrypt"], resources=[encryption_key.key_arn]
                ),
                iam.PolicyStatement(
                    sid="SeeWhetherStackGoes",
                    actions=["cloudformation:DescribeStacks"],
                    resources=[cdk.Aws.STACK_ID],
                ),
            ],
            encryption_key=encryption_key,
            environment={},
            options=FunctionOptions(
                timeout_seconds=int(LONGEST_RUN.to_seconds()),
                memory_mb=256,
                log_retention_days=log_retention_days,
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.resource = cdk.CustomResource(
            self,
            "Versions",
            service_token=self.worker.function.function_arn,
            resource_type="Custom::SagelensModelGroupEmptier",
            properties={"GroupName": group_name},
            service_timeout=LONGEST_RUN.plus(cdk.Duration.minutes(5)),
        )
        # What depends on another is deleted before it.
        self.resource.node.add_dependency(group)
