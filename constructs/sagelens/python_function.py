"""A Lambda function in Python with a role and a log group of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .assets import function_code
from .errors import ArgumentErrors
from .log_group import LogGroup
from .private_network import Network

ENVIRONMENT_LIMIT_BYTES = 4096
"""All of a function's environment variables together ("Lambda quotas")."""


@dataclass(frozen=True, kw_only=True)
class FunctionOptions:
    """Size and logs of a function.

    Args:
        timeout_seconds: Longest run, 1 to 900 s.
        memory_mb: Memory, 128 to 10,240 MB; processor time grows with it.
        log_retention_days: Days to keep its logs, one of the numbers that CloudWatch Logs allows.
    """

    timeout_seconds: int = 60
    memory_mb: int = 512
    log_retention_days: int = 30


class PythonFunction(Construct):
    """A function on Python 3.13 and arm64 that may do exactly what is listed.

    Its role holds the given statements, its own log group and nothing else; its environment
    variables and logs are encrypted with the given key.

    Sources: "Defining Lambda function permissions with an execution role", "Securing Lambda
    environment variables", "Giving Lambda functions access to resources in an Amazon VPC" and
    "Lambda quotas" (AWS Lambda).

    Args:
        scope: The parent construct.
        id: The construct's id.
        handler: Dotted path below the functions' source, for example
            ``image_analysis.handler.handler``.
        description: What it does, for whoever meets it in the console.
        statements: What it may do, each with a statement id.
        encryption_key: Key of its environment variables and logs.
        environment: Its variables; 4 KB together at most.
        options: Size and logs.
        files: Further files beside its code, text by path; its code is then an asset of its own.
        layers: Native packages that its code needs.
        network: Where it runs; by default outside any network of yours.
        removal_policy: What becomes of its logs when the stack is deleted.

    Attributes:
        function: The function.
        role: Its execution role.
        log_group: Where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        handler: str,
        description: str,
        statements: Sequence[iam.PolicyStatement],
        encryption_key: kms.IKey,
        environment: Mapping[str, str],
        options: FunctionOptions = FunctionOptions(),
        files: Mapping[str, str] | None = None,
        layers: Sequence[lambda_.ILayerVersion] = (),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._check(environment, options)
        self.log_group = LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention_days=options.log_retention_days,
            removal_policy=removal_policy,
        )
        joining = _network() if network else []
        self.role = self._role(description, [*statements, self._logging(), *joining])
        isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        with function_code(files) as code:
            self.function = lambda_.Function(
                self,
                "Function",
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                code=code,
                handler=handler,
                description=description,
                role=self.role,
                environment=dict(environment),
                # Without variables there is nothing to decrypt, and the role needs no right to.
                environment_encryption=encryption_key if environment else None,
                timeout=cdk.Duration.seconds(options.timeout_seconds),
                memory_size=options.memory_mb,
                log_group=self.log_group,
                layers=list(layers) or None,
                vpc=network.vpc if network else None,
                vpc_subnets=isolated if network else None,
                security_groups=list(network.security_groups) if network else None,
            )

    def _check(self, environment: Mapping[str, str], options: FunctionOptions) -> None:
        errors = ArgumentErrors(f"PythonFunction {self.node.path}")
        errors.between("timeout_seconds", options.timeout_seconds, 1, 900, unit="s")
        errors.between("memory_mb", options.memory_mb, 128, 10_240, unit="MB")
        size = sum(len(f"{name}{value}".encode()) for name, value in environment.items())
        errors.require(
            size <= ENVIRONMENT_LIMIT_BYTES,
            f"environment: its variables take {size:,} bytes, allowed are "
            f"{ENVIRONMENT_LIMIT_BYTES:,}",
        )
        errors.throw()

    def _role(self, description: str, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
        return iam.Role(
            self,
            "Role",
            description=description,
            assumed_by=iam.ServicePrincipal(
                "lambda.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            inline_policies={"function": iam.PolicyDocument(statements=list(statements))},
        )

    def _logging(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="WriteLogs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[self.log_group.log_group_arn],
        )


def _network() -> list[iam.PolicyStatement]:
    """What the Lambda service needs to join a network, refused to the function's own code."""
    manage = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    any_function = cdk.Fn.sub(
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
    )
    return [
        iam.PolicyStatement(sid="JoinNetwork", actions=manage, resources=["*"]),
        iam.PolicyStatement(
            sid="NotByTheCode",
            effect=iam.Effect.DENY,
            actions=manage,
            resources=["*"],
            conditions={"ArnLike": {"lambda:SourceFunctionArn": any_function}},
        ),
    ]
