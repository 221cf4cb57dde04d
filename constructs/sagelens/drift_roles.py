"""What a drift watch's job, and the state machine around it, may do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .drift_definition import NAMESPACE
from .job_network import SelectedNetwork
from .job_role import (
    allow,
    find,
    reading,
    running,
    sagemaker_principal,
    using_key,
    volume_grant,
)
from .release_roles import log_and_trace, package_arn
from .s3_folder import S3Folder
from .source_archive import SourceArchive
from .state_machine import states_principal
from .sync_job import job_statements


class DriftJobRole(iam.Role):
    """Reads captured requests, baselines, labels and code; writes reports. No more.

    Source: "CreateProcessingJob API: Execution Role Permissions" (Amazon SageMaker AI, "How to use
    SageMaker AI execution roles").

    Args:
        scope: The parent construct.
        id: The construct's id.
        captured: Folder of the variant's captured requests.
        baselines: Folder that the versions' baselines lie in.
        labels: Folder of late labels, if there are any.
        reports: What it writes.
        source: The code archive; None where the image brings its own.
        encryption_key: Key of all of these and of the job's volume.
        image: Address of the image that runs.
        network: Where the job runs, if it has a network.
        more: Further statements.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        captured: S3Folder,
        baselines: S3Folder,
        labels: S3Folder | None,
        reports: S3Folder,
        source: SourceArchive | None,
        encryption_key: kms.IKey,
        image: str,
        network: SelectedNetwork | None,
        more: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        read = {"Captured": captured, "Baselines": baselines}
        if labels:
            read["Labels"] = labels
        statements = [
            *reading(read),
            *(source.statements() if source else ()),
            allow(
                "WriteReports",
                ["s3:AbortMultipartUpload", "s3:PutObject"],
                [reports.objects_arn],
            ),
            *using_key(encryption_key),
            *running(scope, [image], ["ProcessingJobs"]),
            *(network.statements(cdk.Stack.of(scope)) if network else ()),
            *more,
        ]
        super().__init__(
            scope,
            id,
            description="The job of a drift watch: captured requests in, a report out",
            assumed_by=sagemaker_principal(),
            inline_policies={"drift": iam.PolicyDocument(statements=statements)},
        )


class DriftMachineRole(iam.Role):
    """Finds version and requests, runs the job, passes its metrics on.

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: What the jobs' names begin with.
        parameter_arn: The SSM parameter with the live version.
        group_name: The model package group.
        captured: Folder of the variant's captured requests.
        labels: Folder of late labels, if there are any.
        reports: Where the job writes.
        job_role: The job's role.
        bus: Hears of drift, if any does.
        encryption_key: Key of reports, volume and state machine.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        parameter_arn: str,
        group_name: str,
        captured: S3Folder,
        labels: S3Folder | None,
        reports: S3Folder,
        job_role: iam.IRole,
        bus: events.IEventBus | None,
        encryption_key: kms.IKey,
    ) -> None:
        statements = [
            allow("ReadLiveVersion", ["ssm:GetParameter"], [parameter_arn]),
            allow(
                "LookAtPackages",
                ["sagemaker:DescribeModelPackage"],
                [package_arn(scope, group_name)],
            ),
            find("FindCaptured", captured.bucket, captured.prefix),
            *((find("FindLabels", labels.bucket, labels.prefix),) if labels else ()),
            *job_statements(scope, "ProcessingJob", name),
            pass_to_sagemaker(job_role),
            volume_grant(encryption_key),
            allow("ReadMetrics", ["s3:GetObject"], [reports.objects_arn]),
            allow(
                "UseKey",
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                [encryption_key.key_arn],
            ),
            allow(
                "Publish",
                ["cloudwatch:PutMetricData"],
                ["*"],
                {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            ),
            *(
                (allow("AskForRetraining", ["events:PutEvents"], [bus.event_bus_arn]),)
                if bus
                else ()
            ),
            *log_and_trace(),
        ]
        super().__init__(
            scope,
            id,
            description="The state machine of a drift watch",
            assumed_by=states_principal(),
            inline_policies={"watch": iam.PolicyDocument(statements=statements)},
        )


def pass_to_sagemaker(role: iam.IRole) -> iam.PolicyStatement:
    """Pass one role to SageMaker, and to nobody else."""
    return allow(
        "PassJobRole",
        ["iam:PassRole"],
        [role.role_arn],
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )
