"""The group of a model's versions in the model registry."""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from .errors import ArgumentErrors
from .model_group_emptier import ModelGroupEmptier

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ACCOUNT = re.compile(r"[0-9]{12}")

READ = ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")
# Another account makes models of a version only if the version's own account lets it.
USE = (*READ, "sagemaker:CreateModel")


class ModelGroup(Construct):
    """A model package group, with a policy that lets other accounts read its versions.

    Versions are the record of what was approved and when, so by default the group stays. AWS
    deletes a group only when it holds no version: with ``DESTROY`` they are deleted first, but
    only when the whole stack is.

    Sources: "AWS::SageMaker::ModelPackageGroup" (AWS CloudFormation); "Deploy a Model Version
    from a Different Account" and "Actions, resources, and condition keys for Amazon SageMaker".

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The group's name, 1 to 63 letters, digits and hyphens.
        description: What its models are for.
        share_with: Accounts (12 digits) that may read the versions and make models of them, which
            takes the models' bucket and key besides.
        encryption_key: Key of the logs of the function that empties the group; needed with
            ``DESTROY``, not used otherwise.
        log_retention_days: Days to keep them.
        removal_policy: What becomes of the group, and of its versions, when its stack is deleted.

    Attributes:
        group: The resource.
        emptier: What deletes the versions; None unless the group is to be deleted.
        name: Its name.
        arn: Its ARN.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        share_with: Sequence[str] = (),
        encryption_key: kms.IKey | None = None,
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        goes = removal_policy == cdk.RemovalPolicy.DESTROY
        self._check(name, description, share_with, keyless=goes and encryption_key is None)
        stack = cdk.Stack.of(self)
        self.name = name
        self.arn = stack.format_arn(
            service="sagemaker", resource="model-package-group", resource_name=name
        )
        self._versions = stack.format_arn(
            service="sagemaker", resource="model-package", resource_name=f"{name}/*"
        )
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=name,
            model_package_group_description=description,
            model_package_group_policy=self._policy(share_with) if share_with else None,
        )
        self.group.apply_removal_policy(removal_policy)
        self.emptier: ModelGroupEmptier | None = None
        if goes and encryption_key is not None:
            self.emptier = ModelGroupEmptier(
                self,
                "Emptier",
                group=self.group,
                group_name=name,
                versions_arn=self._versions,
                encryption_key=encryption_key,
                log_retention_days=log_retention_days,
            )

    def _check(
        self, name: str, description: str, share_with: Sequence[str], *, keyless: bool
    ) -> None:
        errors = ArgumentErrors(f"ModelGroup {self.node.path}")
        errors.require(
            cdk.Token.is_unresolved(name) or bool(NAME.fullmatch(name)),
            f"name: got {name!r}, allowed are 1 to 63 letters, digits and hyphens between them",
        )
        errors.require(
            len(description) <= 1024,
            f"description: got {len(description)} characters, allowed are 1,024",
        )
        errors.require(
            not keyless,
            "encryption_key: got none, allowed with removal_policy DESTROY is the key of the logs "
            "of the function that empties the group",
        )
        for account in share_with:
            errors.require(
                cdk.Token.is_unresolved(account) or bool(ACCOUNT.fullmatch(account)),
                f"share_with: got {account!r}, allowed are account ids of 12 digits",
            )
        errors.throw()

    def _policy(self, accounts: Sequence[str]) -> dict[str, object]:
        roots = [f"arn:{cdk.Aws.PARTITION}:iam::{account}:root" for account in accounts]
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ReadGroup",
                    "Effect": "Allow",
                    "Principal": {"AWS": roots},
                    "Action": "sagemaker:DescribeModelPackageGroup",
                    "Resource": self.arn,
                },
                {
                    "Sid": "UseVersions",
                    "Effect": "Allow",
                    "Principal": {"AWS": roots},
                    "Action": list(USE),
                    "Resource": self._versions,
                },
            ],
        }

    def register_statements(self) -> list[iam.PolicyStatement]:
        """What a role needs to register versions.

        A pipeline's RegisterModel step creates the group as well, each time, and passes over that
        it is there already; without the permission the step fails.
        """
        create = ["sagemaker:AddTags", "sagemaker:CreateModelPackage"]
        name = ["sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackageGroup"]
        return [
            iam.PolicyStatement(
                sid="RegisterInGroup", actions=[*create, *name], resources=[self.arn]
            ),
            iam.PolicyStatement(
                sid="RegisterVersions",
                actions=[*create, "sagemaker:DescribeModelPackage"],
                resources=[self._versions],
            ),
        ]

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let a principal of this account list and describe the versions.

        Args:
            grantee: A role, user or function.
        """
        self._grant(grantee, "ReadModelGroup", ["sagemaker:DescribeModelPackageGroup"], self.arn)
        self._grant(grantee, "ReadModelVersions", READ, self._versions)

    def grant_approve(self, grantee: iam.IGrantable) -> None:
        """Let a principal of this account read the versions and set their approval.

        Args:
            grantee: A role, user or function.
        """
        self.grant_read(grantee)
        approve = ["sagemaker:UpdateModelPackage"]
        self._grant(grantee, "ApproveModelVersions", approve, self._versions)

    def _grant(
        self, grantee: iam.IGrantable, sid: str, actions: Sequence[str], resource: str
    ) -> None:
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(sid=sid, actions=list(actions), resources=[resource])
        )
