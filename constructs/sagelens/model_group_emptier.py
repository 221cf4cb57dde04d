"""Deletes the versions of a model package group before its stack deletes the group."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from .job_role import allow
from .stack_emptier import StackEmptier


class ModelGroupEmptier(StackEmptier):
    """Deletes a group's versions together with its stack; see :class:`StackEmptier`.

    Sources: "DeleteModelPackageGroup" and "DeleteModelPackage" (Amazon SageMaker API reference).

    Args:
        scope: The parent construct.
        id: The construct's id.
        group: The group.
        group_name: Its name.
        versions_arn: ARN pattern of its versions.
        encryption_key: Key of the function's logs and variables.
        log_retention_days: Days to keep its logs, which go with the stack.
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
        super().__init__(
            scope,
            id,
            holder=group,
            handler="model_group_emptier.handler.handler",
            description="Deletes the versions of a model package group together with its stack",
            statements=[
                # A list takes no resource that would name the group.
                allow("ListVersions", ["sagemaker:ListModelPackages"], ["*"]),
                allow("DeleteVersions", ["sagemaker:DeleteModelPackage"], [versions_arn]),
            ],
            kind="ModelGroupEmptier",
            held="Versions",
            properties={"GroupName": group_name},
            encryption_key=encryption_key,
            log_retention_days=log_retention_days,
        )
