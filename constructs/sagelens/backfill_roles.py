"""What a backfill's function and its state machine may do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .backfill_definition import LABELS
from .image_worker import Surroundings
from .job_role import allow
from .release_roles import log_and_trace
from .s3_folder import S3Folder
from .state_machine import states_principal
from .work_queue import WorkQueue


def function_statements(
    images: Surroundings, work: WorkQueue, runs: S3Folder
) -> list[iam.PolicyStatement]:
    """What the function may do that feeds the queue and counts: it can read no image.

    Args:
        images: What the image function works with.
        work: The backfill's queue.
        runs: Folder of plans, results and reports.
    """
    return [
        # Tells an object's newest version, and whether it is in quarantine.
        allow(
            "FindVersions",
            ["s3:GetObjectTagging"],
            [images.bucket.arn_for_objects(f"{prefix}*") for prefix in images.prefixes],
        ),
        # Without it S3 answers 403, not 404, for an object that is gone.
        allow("TellGoneFromDenied", ["s3:ListBucket"], [images.bucket.bucket_arn]),
        allow("ReadRecords", ["dynamodb:BatchGetItem"], [images.results.table_arn]),
        allow("KeepRuns", ["s3:GetObject", "s3:PutObject"], [runs.objects_arn]),
        allow("FillQueue", ["sqs:GetQueueAttributes", "sqs:SendMessage"], [work.queue.queue_arn]),
        _use_key(images.encryption_key),
    ]


class BackfillMachineRole(iam.Role):
    """Lists what is asked for, starts the steps, exports their results.

    Sources: "IAM policies for using Distributed Map states", "IAM policies for ResultWriter"
    (AWS Step Functions).

    Args:
        scope: The parent construct.
        id: The construct's id.
        images: What the image function works with.
        runs: Folder of plans, results and reports.
        inventories: Folder with inventories of the images.
        function: Does the steps.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        images: Surroundings,
        runs: S3Folder,
        inventories: S3Folder,
        function: lambda_.IFunction,
    ) -> None:
        statements = [
            _list("FindImages", images.bucket.bucket_arn, images.prefixes),
            _list("FindPlans", runs.bucket.bucket_arn, [runs.prefix]),
            allow("ReadInventories", ["s3:GetObject"], [inventories.objects_arn]),
            allow("DoSteps", ["lambda:InvokeFunction"], [function.function_arn]),
            allow(
                "KeepResults",
                [
                    "s3:AbortMultipartUpload",
                    "s3:GetObject",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                ],
                [runs.objects_arn],
            ),
            _use_key(images.encryption_key),
            *log_and_trace(),
        ]
        super().__init__(
            scope,
            id,
            description="The state machine of a backfill of images",
            assumed_by=states_principal(),
            inline_policies={"backfill": iam.PolicyDocument(statements=statements)},
        )

    def let_run(self, machine: stepfunctions.CfnStateMachine) -> iam.Policy:
        """Let it start and redrive the child executions of its own state machine.

        A policy of its own: the state machine names the role, so the role cannot name it.

        Args:
            machine: The state machine whose role this is.
        """
        policy = iam.Policy(
            self,
            "Children",
            statements=[
                allow("StartChildren", ["states:StartExecution"], [machine.ref]),
                allow(
                    "MindChildren",
                    ["states:DescribeExecution", "states:StopExecution"],
                    [_executions(machine, machine.attr_name)],
                ),
                allow(
                    "RedriveChildren",
                    ["states:RedriveExecution"],
                    [_executions(machine, f"{machine.attr_name}/{label}") for label in LABELS],
                ),
            ],
        )
        policy.attach_to_role(self)
        return policy


def _executions(machine: stepfunctions.CfnStateMachine, name: str) -> str:
    return cdk.Stack.of(machine).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{name}:*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def _list(sid: str, bucket_arn: str, prefixes: Sequence[str]) -> iam.PolicyStatement:
    allowed = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    return allow(sid, ["s3:ListBucket"], [bucket_arn], allowed)


def _use_key(key: kms.IKey) -> iam.PolicyStatement:
    return allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])
