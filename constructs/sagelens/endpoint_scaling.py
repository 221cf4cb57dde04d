"""The number of an endpoint's instances follows the load, across changes of instance type too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from .endpoint_options import Instances, Scaling, Variant
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction

RESOURCE_TYPE = "Custom::SagelensScaling"
_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_LINKED_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


class ScalingFunction(Construct):
    """The function behind :class:`EndpointScaling`; one serves any number of endpoints.

    Sources: "Auto scaling prerequisites" (Amazon SageMaker AI); "Actions, resources, and condition
    keys for Application Auto Scaling": a scalable target's ARN holds an id made up by AWS, so its
    policy is narrowed by namespace and dimension, not by endpoint.

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoints: The endpoints' names; a trailing ``*`` stands for the rest of one.
        stacks: The names of the stacks that hold them, likewise.
        encryption_key: Key of its logs and variables.
        log_retention_days: Days to keep its logs.
        network: Where it runs; by default outside any network of yours.
        removal_policy: What becomes of its logs when the stack is deleted.

    Attributes:
        worker: The function, its role and its log group.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoints: Sequence[str],
        stacks: Sequence[str],
        encryption_key: kms.IKey,
        log_retention_days: int = 30,
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="scaling_guard.handler.handler",
            description="Scales endpoints, and makes way for a change of their instance type",
            statements=self._statements(endpoints, stacks),
            encryption_key=encryption_key,
            environment={},
            options=FunctionOptions(
                timeout_seconds=120, memory_mb=256, log_retention_days=log_retention_days
            ),
            network=network,
            removal_policy=removal_policy,
        )

    def _statements(
        self, endpoints: Sequence[str], stacks: Sequence[str]
    ) -> list[iam.PolicyStatement]:
        stack = cdk.Stack.of(self)

        def arns(service: str, resource: str, names: Sequence[str], **options: Any) -> list[str]:
            return [
                stack.format_arn(service=service, resource=resource, resource_name=name, **options)
                for name in names
            ]

        colon = {"arn_format": cdk.ArnFormat.COLON_RESOURCE_NAME}
        targets = arns("application-autoscaling", "scalable-target", ["*"])
        alarms = [f"TargetTracking-endpoint/{name}/variant/*" for name in endpoints]
        return [
            iam.PolicyStatement(
                sid="Scale",
                actions=[
                    "application-autoscaling:DeregisterScalableTarget",
                    "application-autoscaling:PutScalingPolicy",
                    "application-autoscaling:RegisterScalableTarget",
                ],
                resources=targets,
                conditions={
                    "StringEquals": {
                        "application-autoscaling:service-namespace": "sagemaker",
                        "application-autoscaling:scalable-dimension": (
                            "sagemaker:variant:DesiredInstanceCount"
                        ),
                    }
                },
            ),
            iam.PolicyStatement(
                # Application Auto Scaling looks at the endpoint with its caller's permissions.
                sid="ScaleEndpoints",
                actions=[
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:UpdateEndpointWeightsAndCapacities",
                ],
                resources=arns("sagemaker", "endpoint", endpoints),
            ),
            iam.PolicyStatement(
                sid="WatchLoad",
                actions=["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"],
                resources=arns("cloudwatch", "alarm", alarms, **colon),
            ),
            iam.PolicyStatement(
                sid="SeeAlarms",
                actions=["cloudwatch:DescribeAlarms"],
                resources=arns("cloudwatch", "alarm", ["*"], **colon),
            ),
            iam.PolicyStatement(
                sid="MakeLinkedRole",
                actions=["iam:CreateServiceLinkedRole"],
                resources=arns(
                    "iam", "role", [f"aws-service-role/{_SERVICE}/{_LINKED_ROLE}"], region=""
                ),
                conditions={"StringEquals": {"iam:AWSServiceName": _SERVICE}},
            ),
            iam.PolicyStatement(
                sid="SeeRollBack",
                actions=["cloudformation:DescribeStacks"],
                resources=arns("cloudformation", "stack", [f"{name}/*" for name in stacks]),
            ),
        ]


class EndpointScaling(Construct):
    """Scaling that is taken off before an instance type changes and put back afterwards.

    SageMaker refuses such a change while the variant is a scalable target, so custom resources
    stand around the endpoint, in the order of their dependencies: ``keep`` → ``off`` → endpoint →
    ``on``.
    CloudFormation's own types for scalable targets are not used: a target that was taken off loses
    its policy, the next one has another ARN, and CloudFormation would keep the old. How a failed
    update gets its scaling back stands in ``lambda_src/scaling_guard/guard.py``.

    It is there for every endpoint on instances, scaled or not, so that scaling can be dropped and
    the instance type be changed in one update.

    Source: "Update endpoints that use auto scaling" (Amazon SageMaker AI).

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint: The endpoint.
        endpoint_name: Its name.
        variants: Its variants, all on instances.
        function: Registers and deregisters scalable targets.
        only_if: Condition under which the endpoint exists.

    Attributes:
        keep: The custom resource that remembers what was taken off, and puts it back after a
            roll-back.
        off: The one that takes targets off before the endpoint changes.
        on: The one that puts them on after it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: sagemaker.CfnEndpoint,
        endpoint_name: str,
        variants: Sequence[Variant],
        function: ScalingFunction,
        only_if: cdk.CfnCondition | None = None,
    ) -> None:
        super().__init__(scope, id)
        capacities = {each.name: each.capacity for each in variants}
        on_instances = {k: v for k, v in capacities.items() if isinstance(v, Instances)}
        properties = {
            "EndpointName": endpoint_name,
            "InstanceTypes": {name: each.instance_type for name, each in on_instances.items()},
            "Scaling": {
                name: _settings(each.count, each.scaling)
                for name, each in on_instances.items()
                if each.scaling is not None
            },
        }
        self.keep, self.off, self.on = (
            cdk.CustomResource(
                self,
                role,
                service_token=function.worker.function.function_arn,
                resource_type=RESOURCE_TYPE,
                properties={"Role": role, **properties},
                service_timeout=cdk.Duration.minutes(10),
            )
            for role in ("Keep", "Off", "On")
        )
        for each in (self.keep, self.off, self.on):
            resource = each.node.default_child
            assert isinstance(resource, cdk.CfnResource)
            resource.cfn_options.condition = only_if
        self.off.node.add_dependency(self.keep)
        endpoint.node.add_dependency(self.off)
        self.on.node.add_dependency(endpoint)


def _settings(count: int, scaling: Scaling) -> dict[str, Any]:
    return {
        "Least": count if scaling.least is None else scaling.least,
        "Most": scaling.most,
        "Target": scaling.invocations_per_instance,
        "PauseIn": scaling.scale_in_seconds,
        "PauseOut": scaling.scale_out_seconds,
    }
