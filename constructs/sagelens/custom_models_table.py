"""The table of Custom Labels models: what is live, until when it is wanted, what waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .errors import ArgumentErrors
from .job_role import allow


class CustomModelsTable(dynamodb.Table):
    """Models and waiting work by ``pk`` and ``sk``, billed by request.

    What waits here is in no queue any more, so the table has point-in-time recovery, and stays
    with its stack gone unless told otherwise. The items are described in
    ``lambda_src/shared/custom_models.py``.

    Source: "DynamoDB encryption at rest usage notes" (Amazon DynamoDB).

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Key of the table.
        removal_policy: With any but ``DESTROY`` the table stays, protected from deletion.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        protected = removal_policy != cdk.RemovalPolicy.DESTROY
        super().__init__(
            scope,
            id,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=encryption_key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # Deletion protection would stop the roll-back of a first deployment from deleting it.
            removal_policy=cdk.RemovalPolicy.RETAIN if protected else removal_policy,
            deletion_protection=protected,
        )


@dataclass(frozen=True, kw_only=True)
class CustomModels:
    """Custom Labels models that an image analysis calls by their names.

    Args:
        table: The models' table.
        projects: Name of the Amazon Rekognition project by the model's name.
    """

    table: dynamodb.ITable
    projects: Mapping[str, str]

    def resource(self, model: str) -> str:
        """The ARN, for a policy, of what a model is called with: any version of its project, or
        the very version where it is given by its ARN."""
        if model not in self.projects:
            return model
        return version_arns(self.projects[model])

    def statements(self) -> list[iam.PolicyStatement]:
        """What a role needs to find live versions, note their use, and leave work that waits."""
        actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        return [allow("UseCustomModels", actions, [self.table.table_arn])]


def given_by_arn(called: Iterable[str], models: CustomModels | None, subject: str) -> list[str]:
    """The models that are called by an ARN, so that nobody here starts and stops them.

    Args:
        called: Names and ARNs.
        models: The models that have names.
        subject: Who calls them, for errors.

    Raises:
        ValueError: For names that no model has.
    """
    names = sorted(models.projects) if models else []
    others = [model for model in called if model not in names]
    errors = ArgumentErrors(subject)
    for model in others:
        errors.require(
            cdk.Token.is_unresolved(model) or model.startswith("arn:"),
            f"custom_models: there is none of the name {model!r}, allowed are {names} and ARNs of "
            "project versions",
        )
    errors.throw()
    return others


def version_arns(project: str) -> str:
    """The ARN, for a policy, of every version of a project, which AWS completes with the version's
    name and time ("Actions, resources, and condition keys for Amazon Rekognition").

    Args:
        project: The project's name.
    """
    return _arn(f"{project}/version/*")


def project_arn(project: str) -> str:
    """The ARN, for a policy, of a project, which AWS completes with the time of its making.

    Args:
        project: Its name.
    """
    return _arn(f"{project}/*")


def _arn(name: str) -> str:
    place = f"{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
    return f"arn:{cdk.Aws.PARTITION}:rekognition:{place}:project/{name}"
