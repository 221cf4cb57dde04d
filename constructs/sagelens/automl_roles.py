"""What an AutoML job and the state machine around it may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .release_roles import log_and_trace
from .s3_folder import S3Folder

_FOR_RESOURCES = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def job_role(
    scope: Construct,
    *,
    data: S3Folder,
    artifacts: S3Folder,
    encryption_key: kms.IKey,
    networked: bool,
) -> iam.Role:
    """The role of the AutoML job: AWS's own list, on our buckets and our key only.

    For its explainability report Autopilot deploys the best candidate onto an endpoint of its own
    for a while, under names that it chooses; so models and endpoints of this account stay wide.

    Source: "How to use SageMaker AI execution roles", CreateAutoMLJobV2 (Amazon SageMaker AI).

    Args:
        scope: The construct that has it.
        data: What it reads.
        artifacts: What it writes, and reads again.
        encryption_key: Key of both.
        networked: Whether it runs in a network.
    """
    logs = _arn(scope, "logs", "log-group:/aws/sagemaker/*")
    statements = [
        _allow("ReadData", ["s3:GetObject"], data.objects_arn),
        _allow("WriteArtifacts", ["s3:GetObject", "s3:PutObject"], artifacts.objects_arn),
        *_lists(data, artifacts),
        _allow("UseKey", ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], encryption_key),
        _allow("EncryptVolumes", ["kms:CreateGrant"], encryption_key, conditions=_FOR_RESOURCES),
        _allow(
            "WriteLogs",
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            logs,
        ),
        _allow(
            "PutMetrics",
            ["cloudwatch:PutMetricData"],
            "*",
            conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        ),
        _allow("SignInToImages", ["ecr:GetAuthorizationToken"], "*"),
        _allow(
            "PullImages",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            # Autopilot's images lie in AWS's own accounts, under names that it chooses.
            cdk.Fn.sub("arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/*"),
        ),
        _allow(
            "ExplainByEndpoint",
            [
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeModel",
                "sagemaker:InvokeEndpoint",
                "sagemaker:ListTags",
            ],
            *(
                _arn(scope, "sagemaker", f"{kind}/*")
                for kind in ("endpoint", "endpoint-config", "model")
            ),
        ),
        *(_network() if networked else []),
    ]
    role = iam.Role(
        scope,
        "JobRole",
        description="Lets SageMaker Autopilot read the table, and write models and reports",
        assumed_by=_service("sagemaker"),
        inline_policies={"automl": iam.PolicyDocument(statements=statements)},
    )
    # A policy of its own, since it names the role that it belongs to.
    role.add_to_policy(pass_role("PassItself", role))
    return role


def state_machine_role(
    scope: Construct,
    *,
    job_prefix: str,
    model_group_name: str,
    job_role: iam.Role,
    encryption_key: kms.IKey,
) -> iam.Role:
    """The role of the state machine: these jobs, this group, this key.

    Args:
        scope: The construct that has it.
        job_prefix: What the names of its jobs begin with.
        model_group_name: Where it registers.
        job_role: What it passes to its jobs.
        encryption_key: Key of the jobs' volumes and of the state machine.
    """
    statements = [
        _allow(
            "SearchForModels",
            [
                "sagemaker:CreateAutoMLJobV2",
                "sagemaker:DescribeAutoMLJobV2",
                "sagemaker:StopAutoMLJob",
            ],
            _arn(scope, "sagemaker", f"automl-job/{job_prefix}-*"),
        ),
        _allow(
            "RegisterModels",
            ["sagemaker:CreateModelPackage"],
            _arn(scope, "sagemaker", f"model-package-group/{model_group_name}"),
            _arn(scope, "sagemaker", f"model-package/{model_group_name}/*"),
        ),
        pass_role("PassJobRole", job_role),
        _allow("EncryptVolumes", ["kms:CreateGrant"], encryption_key, conditions=_FOR_RESOURCES),
        # Its definition and executions.
        _allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], encryption_key),
        *log_and_trace(),
    ]
    return iam.Role(
        scope,
        "StateMachineRole",
        description="Lets the state machine search with Autopilot and register the best model",
        assumed_by=_service("states"),
        inline_policies={"search": iam.PolicyDocument(statements=statements)},
    )


def pass_role(sid: str, role: iam.Role) -> iam.PolicyStatement:
    """Pass one role to SageMaker, and to nobody else."""
    return _allow(
        sid,
        ["iam:PassRole"],
        role.role_arn,
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )


def _service(name: str) -> iam.ServicePrincipal:
    return iam.ServicePrincipal(
        f"{name}.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )


def _lists(*folders: S3Folder) -> list[iam.PolicyStatement]:
    return [
        _allow(
            f"List{number}",
            ["s3:ListBucket"],
            folder.bucket.bucket_arn,
            conditions={"StringLike": {"s3:prefix": f"{folder.prefix}*"}},
        )
        for number, folder in enumerate(folders)
    ]


def _network() -> list[iam.PolicyStatement]:
    actions = [
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ]
    # AWS warns that conditions or resources here make the job's validation fail.
    return [_allow("JoinNetwork", actions, "*")]


def _arn(scope: Construct, service: str, resource: str) -> str:
    kind, _, name = resource.partition("/" if service == "sagemaker" else ":")
    return cdk.Stack.of(scope).format_arn(
        service=service,
        resource=kind,
        resource_name=name,
        arn_format=cdk.ArnFormat.SLASH_RESOURCE_NAME
        if service == "sagemaker"
        else cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def _allow(
    sid: str,
    actions: Sequence[str],
    *resources: str | kms.IKey,
    conditions: Mapping[str, Any] | None = None,
) -> iam.PolicyStatement:
    arns = [each if isinstance(each, str) else each.key_arn for each in resources]
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=arns, conditions=conditions
    )
