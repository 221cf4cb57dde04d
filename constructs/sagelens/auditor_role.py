"""The role of people who look at how an environment is set up, and at none of its data."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .job_role import allow

BUCKET_SETTINGS = (
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
)


class AuditorRole(Construct):
    """Reads templates, policies, settings, model versions, alarms and access logs; no data.

    It may neither read an object of a data bucket nor decrypt with the key, and writes nothing.

    Source: "Actions, resources, and condition keys for AWS services" (Service Authorization
    Reference).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name_prefix: What the names of stacks begin with, and so those of their roles and alarms,
            such as ``sagelens-dev-``.
        role_path: Path of the roles.
        buckets: Whose settings are read.
        access_logs: Bucket of their access logs, which is read.
        models: Names of the model package groups, which are also those of model cards, pipelines
            and endpoints.
        encryption_key: Whose policy is read.
        principals: ARNs of who may assume the role; when empty, the account's own IAM policies
            decide.

    Attributes:
        role: The role.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        role_path: str = "/",
        buckets: Sequence[s3.IBucket],
        access_logs: s3.IBucket,
        models: Sequence[str] = (),
        encryption_key: kms.IKey,
        principals: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(
            self,
            "Role",
            description="Looks at settings, policies and access logs, and at no data",
            assumed_by=iam.CompositePrincipal(
                *([iam.ArnPrincipal(arn) for arn in principals] or [iam.AccountRootPrincipal()])
            ),
            inline_policies={
                "audit": iam.PolicyDocument(
                    statements=[
                        *self._of_stacks(name_prefix, role_path),
                        *_of_buckets([*buckets, access_logs], access_logs),
                        *self._of_models(models),
                        allow(
                            "ReadKeySettings",
                            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"],
                            [encryption_key.key_arn],
                        ),
                    ]
                )
            },
        )

    def _of_stacks(self, prefix: str, path: str) -> list[iam.PolicyStatement]:
        stack = cdk.Stack.of(self)
        return [
            allow(
                "ReadStacks",
                [
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:DescribeStackResources",
                    "cloudformation:DescribeStacks",
                    "cloudformation:GetTemplate",
                ],
                [
                    stack.format_arn(
                        service="cloudformation", resource="stack", resource_name=f"{prefix}*/*"
                    )
                ],
            ),
            allow(
                "ReadRoles",
                [
                    "iam:GetRole",
                    "iam:GetRolePolicy",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListRolePolicies",
                ],
                [
                    stack.format_arn(
                        service="iam",
                        region="",
                        resource=f"role{path}{prefix}*",
                        arn_format=cdk.ArnFormat.NO_RESOURCE_NAME,
                    )
                ],
            ),
            allow(
                "ReadAlarms",
                ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"],
                [
                    stack.format_arn(
                        service="cloudwatch",
                        resource="alarm",
                        resource_name=f"{prefix}*",
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                ],
            ),
        ]

    def _of_models(self, names: Sequence[str]) -> list[iam.PolicyStatement]:
        if not names:
            return []

        def arns(kind: str, rest: str = "") -> list[str]:
            stack = cdk.Stack.of(self)
            return [
                stack.format_arn(service="sagemaker", resource=kind, resource_name=f"{name}{rest}")
                for name in names
            ]

        return [
            allow(
                "ReadVersions",
                [
                    "sagemaker:DescribeModelPackage",
                    "sagemaker:DescribeModelPackageGroup",
                    "sagemaker:GetModelPackageGroupPolicy",
                ],
                [*arns("model-package-group"), *arns("model-package", "/*")],
            ),
            # It is authorised on versions, of which a list by group names none.
            allow("ListVersions", ["sagemaker:ListModelPackages"], ["*"]),
            allow(
                "ReadCards",
                ["sagemaker:DescribeModelCard", "sagemaker:ListModelCardVersions"],
                arns("model-card"),
            ),
            allow(
                "ReadPipelines",
                [
                    "sagemaker:DescribePipeline",
                    "sagemaker:DescribePipelineExecution",
                    "sagemaker:ListPipelineExecutionSteps",
                    "sagemaker:ListPipelineExecutions",
                ],
                [*arns("pipeline"), *arns("pipeline", "/execution/*")],
            ),
            allow("ReadEndpoints", ["sagemaker:DescribeEndpoint"], arns("endpoint")),
        ]


def _of_buckets(
    buckets: Sequence[s3.IBucket], access_logs: s3.IBucket
) -> list[iam.PolicyStatement]:
    return [
        allow("ReadBucketSettings", BUCKET_SETTINGS, [bucket.bucket_arn for bucket in buckets]),
        allow("FindAccessLogs", ["s3:ListBucket"], [access_logs.bucket_arn]),
        allow("ReadAccessLogs", ["s3:GetObject"], [access_logs.arn_for_objects("*")]),
    ]
