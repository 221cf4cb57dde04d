"""Which version of a model is live: an SSM parameter that no template holds."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .errors import ArgumentErrors
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction

NONE_YET = "none"
"""What the parameter holds before the first approval."""


def parameter_arn(scope: Construct, name: str) -> str:
    """The ARN of an SSM parameter of this account and Region, by its name."""
    return cdk.Stack.of(scope).format_arn(
        service="ssm", resource="parameter", resource_name=name.removeprefix("/")
    )


class LiveVersionFunction(Construct):
    """The function behind the custom resource :class:`LiveVersion`; one serves a stack's.

    Args:
        scope: The parent construct.
        id: The construct's id.
        prefix: Every parameter's name begins with it, for example ``/sagelens/dev/live/``.
        encryption_key: Key of its logs and variables.
        log_retention_days: Days to keep its logs.
        network: Where it runs; by default outside any network of yours.
        removal_policy: What becomes of its logs when the stack is deleted.

    Attributes:
        worker: The function, its role and its log group.
        prefix: As given.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        prefix: str,
        encryption_key: kms.IKey,
        log_retention_days: int = 30,
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.prefix = prefix
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="live_version.handler.handler",
            description="Makes the parameters that say which model versions are live",
            statements=[
                iam.PolicyStatement(
                    sid="KeepParameters",
                    actions=[
                        "ssm:AddTagsToResource",
                        "ssm:DeleteParameter",
                        "ssm:GetParameter",
                        "ssm:PutParameter",
                        "ssm:RemoveTagsFromResource",
                    ],
                    resources=[parameter_arn(self, f"{prefix}*")],
                ),
                iam.PolicyStatement(
                    sid="SeeWhetherStackGoes",
                    actions=["cloudformation:DescribeStacks"],
                    resources=[cdk.Aws.STACK_ID],
                ),
            ],
            encryption_key=encryption_key,
            environment={},
            options=FunctionOptions(
                timeout_seconds=60, memory_mb=256, log_retention_days=log_retention_days
            ),
            network=network,
            removal_policy=removal_policy,
        )


class LiveVersion(Construct):
    """An SSM parameter that is made once with ``none`` and then belongs to releases.

    ``AWS::SSM::Parameter`` would hold the value in a template, and write it again whenever
    anything about the resource changes, tags included; this custom resource only ever creates
    what is absent. It deletes the parameter when its stack is deleted, never otherwise.

    Args:
        scope: The parent construct.
        id: The construct's id.
        parameter_name: For example ``/sagelens/dev/live/churn``.
        function: Makes and deletes it; in the same stack.
        tags: Tags of the parameter, kept up to date apart from its value.
        removal_policy: With any but ``DESTROY`` it stays when the stack is deleted.

    Attributes:
        parameter_name: Its name, as text.
        parameter_arn: Its ARN.
        resource: The custom resource; its ``ref`` is the name, known once the parameter exists.

    Raises:
        ValueError: If the name does not begin with the function's prefix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        parameter_name: str,
        function: LiveVersionFunction,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"LiveVersion {self.node.path}")
        errors.require(
            parameter_name.startswith(function.prefix) and parameter_name.startswith("/"),
            f"parameter_name: got {parameter_name!r}, allowed is one that begins with "
            f"{function.prefix!r}",
        )
        errors.throw()
        self.parameter_name = parameter_name
        self.parameter_arn = parameter_arn(self, parameter_name)
        self.resource = cdk.CustomResource(
            self,
            "Parameter",
            service_token=function.worker.function.function_arn,
            resource_type="Custom::SagelensLiveVersion",
            properties={
                "Name": parameter_name,
                "Description": "Model package that is live; written by releases only",
                "Tags": dict(tags or {}),
            },
            removal_policy=removal_policy,
            service_timeout=cdk.Duration.minutes(5),
        )


class LivePackage(Construct):
    """How a hosting stack reads the live version: a parameter of its template, and a condition.

    One a stack. The template holds the SSM parameter's name only. CloudFormation reads the value
    anew at every create and update, ``cdk deploy`` included, so deploying code never undoes a
    release.

    Source: "Specify existing resources at runtime with CloudFormation-supplied parameter types"
    (AWS CloudFormation).

    Args:
        scope: The parent construct.
        id: The construct's id.
        parameter_name: The SSM parameter, as text.

    Attributes:
        parameter: The template's parameter.
        model_package: ARN of the live model package, or ``none``.
        exists: Whether there is one.
    """

    PARAMETER = "LiveVersion"

    def __init__(self, scope: Construct, id: str, *, parameter_name: str) -> None:
        super().__init__(scope, id)
        self.parameter = cdk.CfnParameter(
            self,
            "Version",
            type="AWS::SSM::Parameter::Value<String>",
            default=parameter_name,
            description="SSM parameter with the model package that is live",
        )
        # The release names it when it updates the stack.
        self.parameter.override_logical_id(self.PARAMETER)
        self.model_package = self.parameter.value_as_string
        self.exists = cdk.CfnCondition(
            self,
            "Exists",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(self.model_package, NONE_YET)),
        )
