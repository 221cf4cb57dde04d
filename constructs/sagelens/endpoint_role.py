"""What an endpoint may do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .endpoint_options import DataCapture
from .image_repository import repository_arn
from .job_network import SelectedNetwork
from .job_role import allow, sagemaker_principal, volume_grant
from .private_network import Network
from .s3_folder import S3Folder

LOG_GROUPS = "/aws/sagemaker/Endpoints"
"""Where SageMaker logs endpoints, and the namespace of their instances' metrics."""


class EndpointRole(iam.Role):
    """The execution role of an endpoint's models: its artifacts, its image, its logs, no more.

    Its log group is made with the endpoint (:class:`~sagelens.ModelEndpoint`), so it need not.

    Sources: "CreateModel API: Execution Role Permissions" (Amazon SageMaker AI, "How to use
    SageMaker AI execution roles"); "Auto-Rollback Configuration and Monitoring"; "Give
    SageMaker AI hosted endpoints access to resources in your Amazon VPC".

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint_name: The endpoint.
        artifacts: Folders that hold the model artifacts.
        images: Addresses of the images that it may pull.
        encryption_key: Key of artifacts, volumes and captured requests.
        capture: Where requests are kept, if they are.
        network: Where the endpoint runs, if in a network of yours.

    Raises:
        ValueError: If an image's address is none in Amazon ECR.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        artifacts: Sequence[S3Folder],
        images: Sequence[str],
        encryption_key: kms.IKey,
        capture: DataCapture | None = None,
        network: Network | None = None,
    ) -> None:
        stack = cdk.Stack.of(scope)
        key = encryption_key.key_arn
        selected = selected_network(network)
        statements = [
            allow("ReadModel", ["s3:GetObject"], [folder.objects_arn for folder in artifacts]),
            # Tells a model that is gone from one that is forbidden.
            *(
                allow(
                    f"FindModel{number}",
                    ["s3:ListBucket"],
                    [folder.bucket.bucket_arn],
                    {"StringLike": {"s3:prefix": f"{folder.prefix}*"}},
                )
                for number, folder in enumerate(artifacts, 1)
            ),
            allow("DecryptModel", ["kms:Decrypt", "kms:DescribeKey"], [key]),
            volume_grant(encryption_key),
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
            allow(
                "WriteLogs",
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [
                    stack.format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=f"{LOG_GROUPS}/{endpoint_name}:*",
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                ],
            ),
            allow(
                "Measure",
                ["cloudwatch:PutMetricData"],
                ["*"],
                {"StringEquals": {"cloudwatch:namespace": LOG_GROUPS}},
            ),
            # SageMaker looks at the alarms that roll a deployment back as this role.
            allow(
                "SeeAlarms",
                ["cloudwatch:DescribeAlarms"],
                [
                    stack.format_arn(
                        service="cloudwatch",
                        resource="alarm",
                        resource_name=f"{endpoint_name}-*",
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                ],
            ),
            *(_capturing(capture, key) if capture else ()),
            *(selected.statements(stack) if selected else ()),
        ]
        super().__init__(
            scope,
            id,
            description=f"Models of the endpoint {endpoint_name}",
            assumed_by=sagemaker_principal(),
            inline_policies={"endpoint": iam.PolicyDocument(statements=statements)},
        )


def selected_network(network: Network | None) -> SelectedNetwork | None:
    """A network's isolated subnets and its security groups; None without a network."""
    if network is None:
        return None
    chosen = network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    groups = [group.security_group_id for group in network.security_groups]
    return SelectedNetwork(list(chosen.subnet_ids), groups)


def _capturing(capture: DataCapture, key: str) -> list[iam.PolicyStatement]:
    return [
        allow("Capture", ["s3:PutObject"], [capture.folder.objects_arn]),
        allow("EncryptCaptured", ["kms:GenerateDataKey"], [key]),
    ]
