"""What a batch's model and transform job, and the state machine around them, may do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .drift_roles import pass_to_sagemaker
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
from .state_machine import states_principal
from .sync_job import job_statements


class BatchModelRole(iam.Role):
    """Reads the model and its input, writes results; a transform job runs as its model's role.

    Source: "CreateModel API: Execution Role Permissions" (Amazon SageMaker AI, "How to use
    SageMaker AI execution roles").

    Args:
        scope: The parent construct.
        id: The construct's id.
        models: Folder of the model artifacts.
        inputs: What is scored.
        outputs: Where results go.
        encryption_key: Key of all of these and of the job's volume.
        images: Addresses of the images that serve.
        network: Where the job runs, if it has a network.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: S3Folder,
        inputs: S3Folder,
        outputs: S3Folder,
        encryption_key: kms.IKey,
        images: Sequence[str],
        network: SelectedNetwork | None,
    ) -> None:
        statements = [
            *reading({"Models": models, "Input": inputs}),
            allow(
                "WriteResults", ["s3:AbortMultipartUpload", "s3:PutObject"], [outputs.objects_arn]
            ),
            *using_key(encryption_key),
            *running(scope, images, ["TransformJobs"]),
            *(network.statements(cdk.Stack.of(scope)) if network else ()),
        ]
        super().__init__(
            scope,
            id,
            description="The model of a batch: input in, results out",
            assumed_by=sagemaker_principal(),
            inline_policies={"batch": iam.PolicyDocument(statements=statements)},
        )


class BatchMachineRole(iam.Role):
    """Makes and deletes the batch's model, runs its job, announces.

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: What the names of jobs and models begin with.
        parameter_arn: The SSM parameter with the live version.
        group_name: The model package group.
        inputs: What is scored.
        model_role: The model's role.
        bus: Hears of results, if any does.
        encryption_key: Key of the volume and the state machine.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        parameter_arn: str,
        group_name: str,
        inputs: S3Folder,
        model_role: iam.IRole,
        bus: events.IEventBus | None,
        encryption_key: kms.IKey,
    ) -> None:
        models = cdk.Stack.of(scope).format_arn(
            service="sagemaker", resource="model", resource_name=f"{name}-*"
        )
        statements = [
            allow("ReadLiveVersion", ["ssm:GetParameter"], [parameter_arn]),
            # Whoever makes a model of a package must be let look at it.
            allow(
                "UsePackages",
                ["sagemaker:DescribeModelPackage"],
                [package_arn(scope, group_name)],
            ),
            find("FindInput", inputs.bucket, inputs.prefix),
            allow(
                "KeepModels",
                ["sagemaker:AddTags", "sagemaker:CreateModel", "sagemaker:DeleteModel"],
                [models],
            ),
            *job_statements(scope, "TransformJob", name),
            pass_to_sagemaker(model_role),
            volume_grant(encryption_key),
            allow(
                "UseKey",
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                [encryption_key.key_arn],
            ),
            *((allow("Announce", ["events:PutEvents"], [bus.event_bus_arn]),) if bus else ()),
            *log_and_trace(),
        ]
        super().__init__(
            scope,
            id,
            description="The state machine of batch scoring",
            assumed_by=states_principal(),
            inline_policies={"scoring": iam.PolicyDocument(statements=statements)},
        )
