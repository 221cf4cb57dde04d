"""Deletes what something holds before its stack deletes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from .job_role import allow
from .python_function import FunctionOptions, PythonFunction

LONGEST_RUN = cdk.Duration.minutes(15)


class StackEmptier(Construct):
    """A custom resource that is deleted before a holder, and empties the holder then.

    It does so only while the whole stack is being deleted. Where the resource goes for another
    reason, for example because the holder is to be retained from now on, what it holds stays.

    Source: "AWS::CloudFormation::CustomResource" (AWS CloudFormation).

    Args:
        scope: The parent construct.
        id: The construct's id.
        holder: What holds something.
        handler: Dotted path of the function below the functions' source.
        description: What the function does.
        statements: What it may do, besides seeing whether its stack goes.
        kind: The resource's type after ``Custom::Sagelens``.
        held: The resource's id.
        properties: Of the resource.
        encryption_key: Key of the function's logs.
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
        holder: IConstruct,
        handler: str,
        description: str,
        statements: Sequence[iam.PolicyStatement],
        kind: str,
        held: str,
        properties: Mapping[str, str],
        encryption_key: kms.IKey,
        log_retention_days: int = 30,
    ) -> None:
        super().__init__(scope, id)
        self.worker = PythonFunction(
            self,
            "Worker",
            handler=handler,
            description=description,
            statements=[
                *statements,
                allow("UseKey", ["kms:Decrypt"], [encryption_key.key_arn]),
                allow("SeeWhetherStackGoes", ["cloudformation:DescribeStacks"], [cdk.Aws.STACK_ID]),
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
            held,
            service_token=self.worker.function.function_arn,
            resource_type=f"Custom::Sagelens{kind}",
            properties=dict(properties),
            service_timeout=LONGEST_RUN.plus(cdk.Duration.minutes(5)),
        )
        # What depends on another is deleted before it.
        self.resource.node.add_dependency(holder)
