"""The subnets and security groups that jobs run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from .errors import ArgumentErrors
from .private_network import Network


@dataclass(frozen=True)
class SelectedNetwork:
    """A network as jobs name it.

    Attributes:
        subnets: Ids of the isolated subnets.
        security_groups: Ids of the security groups.
    """

    subnets: Sequence[str]
    security_groups: Sequence[str]

    @classmethod
    def of(cls, network: Network | None, errors: ArgumentErrors) -> SelectedNetwork | None:
        """A network's isolated subnets; None without a network.

        Args:
            network: The network.
            errors: Where to note what is wrong with it.
        """
        if network is None:
            return None
        chosen = network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        groups = [group.security_group_id for group in network.security_groups]
        errors.between("surroundings.network.security_groups", len(groups), 1, 5)
        return cls(list(chosen.subnet_ids), groups)

    @property
    def config(self) -> dict[str, Any]:
        """A job's ``VpcConfig``."""
        return {"SecurityGroupIds": list(self.security_groups), "Subnets": list(self.subnets)}

    def statements(self, stack: cdk.Stack) -> list[iam.PolicyStatement]:
        """What a job's role needs to run in it.

        Source: "How to use SageMaker AI execution roles" (Amazon SageMaker AI), which lists the
        actions; "Actions, resources, and condition keys for Amazon EC2" for what they work on.
        """

        def arns(resource: str, names: Sequence[str]) -> list[str]:
            return [
                stack.format_arn(service="ec2", resource=resource, resource_name=name)
                for name in names
            ]

        interfaces = arns("network-interface", ["*"])
        return [
            iam.PolicyStatement(
                sid="JoinNetwork",
                actions=["ec2:CreateNetworkInterface"],
                resources=[
                    *interfaces,
                    *arns("subnet", self.subnets),
                    *arns("security-group", self.security_groups),
                ],
            ),
            iam.PolicyStatement(
                sid="ManageInterfaces",
                actions=[
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteNetworkInterfacePermission",
                ],
                resources=interfaces,
            ),
            iam.PolicyStatement(
                sid="LookAtNetwork",
                actions=[
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ],
                resources=["*"],
            ),
        ]
