"""What the jobs of a training pipeline may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .image_repository import repository_arn
from .job_network import SelectedNetwork
from .s3_folder import S3Folder
from .source_archive import SourceArchive
from .training_plan import DataLocation

LOG_GROUPS = ("ProcessingJobs", "TrainingJobs")


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Any] | None = None,
) -> iam.PolicyStatement:
    """A statement that allows actions on resources."""
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=list(resources), conditions=conditions
    )


def sagemaker_principal() -> iam.ServicePrincipal:
    """Amazon SageMaker, working for this account.

    Source: "Cross-service confused deputy prevention" (Amazon SageMaker AI), which shows the
    condition for pipelines, processing jobs and training jobs.
    """
    return iam.ServicePrincipal(
        "sagemaker.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )


def volume_grant(key: kms.IKey) -> iam.PolicyStatement:
    """What encrypting a job's volumes takes: a grant that AWS services alone may use."""
    return allow(
        "EncryptVolumes",
        ["kms:CreateGrant"],
        [key.key_arn],
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )


def using_key(key: kms.IKey) -> list[iam.PolicyStatement]:
    """What a job takes that reads and writes with a key, and encrypts its volumes with it."""
    return [
        allow(
            "UseKey",
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
            [key.key_arn],
        ),
        volume_grant(key),
    ]


def find(sid: str, bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    """See what lies in a folder of a bucket."""
    prefixes = {"StringLike": {"s3:prefix": f"{prefix}*"}}
    return allow(sid, ["s3:ListBucket"], [bucket.bucket_arn], prefixes)


def reading(folders: Mapping[str, S3Folder]) -> list[iam.PolicyStatement]:
    """See and read what lies in folders.

    Args:
        folders: By what they hold, which names the statements, such as ``Labels``.
    """
    return [
        statement
        for name, folder in folders.items()
        for statement in (
            allow(f"Read{name}", ["s3:GetObject"], [folder.objects_arn]),
            find(f"Find{name}", folder.bucket, folder.prefix),
        )
    ]


def running(
    scope: Construct, images: Sequence[str], log_groups: Sequence[str]
) -> list[iam.PolicyStatement]:
    """What any job takes to run: its image, its log and its measures.

    Args:
        scope: A construct of the account and Region.
        images: Addresses of the images that run.
        log_groups: Names of the log groups below ``/aws/sagemaker/``, such as ``ProcessingJobs``.
    """
    stack = cdk.Stack.of(scope)
    return [
        allow(
            "WriteLogs",
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            [
                stack.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=f"/aws/sagemaker/{name}*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
                for name in log_groups
            ],
        ),
        allow(
            "Measure",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        ),
        allow("SignInToRegistries", ["ecr:GetAuthorizationToken"], ["*"]),
        allow(
            "PullImages",
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            list(dict.fromkeys(repository_arn(image) for image in images)),
        ),
    ]


class JobRole(iam.Role):
    """Reads raw data and code, reads and writes a model's runs, logs and measures. No more.

    Sources: "CreateProcessingJob API: Execution Role Permissions", "CreateTrainingJob API:
    Execution Role Permissions" and "CreateHyperParameterTuningJob API: Execution Role
    Permissions" (Amazon SageMaker AI, "How to use SageMaker AI execution roles").

    Args:
        scope: The parent construct.
        id: The construct's id.
        data: Where raw data lie.
        source: The code archive.
        artifacts: Bucket of what runs write.
        runs: The folder of the runs in it, such as ``churn/runs/``.
        encryption_key: Key of that bucket and of the jobs' volumes.
        images: Addresses of the images that run.
        network: Where the jobs run, if they have a network.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        data: DataLocation,
        source: SourceArchive,
        artifacts: s3.IBucket,
        runs: str,
        encryption_key: kms.IKey,
        images: Sequence[str],
        network: SelectedNetwork | None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        statements = [
            *_data(data, encryption_key),
            *source.statements(),
            allow(
                "UseRuns",
                ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                [artifacts.arn_for_objects(f"{runs}*")],
            ),
            find("FindRuns", artifacts, runs),
            *using_key(encryption_key),
            *running(scope, images, LOG_GROUPS),
            *(network.statements(stack) if network else ()),
        ]
        super().__init__(
            scope,
            id,
            description="Jobs of a training pipeline: data in, model and metrics out",
            assumed_by=sagemaker_principal(),
            inline_policies={"jobs": iam.PolicyDocument(statements=statements)},
        )


def _data(data: DataLocation, encryption_key: kms.IKey) -> list[iam.PolicyStatement]:
    found = [
        allow("ReadData", ["s3:GetObject"], [data.bucket.arn_for_objects(f"{data.prefix}*")]),
        find("FindData", data.bucket, data.prefix),
    ]
    if data.encryption_key and data.encryption_key is not encryption_key:
        found.append(allow("DecryptData", ["kms:Decrypt"], [data.encryption_key.key_arn]))
    return found
