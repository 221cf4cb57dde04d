"""A network without a way to the internet, with endpoints to the services in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .errors import ArgumentErrors
from .log_group import LogGroup


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where a function runs when it has a network.

    Args:
        vpc: A network with isolated subnets and endpoints to the services that it calls.
        security_groups: Security groups for the function.
    """

    vpc: ec2.IVpc
    security_groups: Sequence[ec2.ISecurityGroup] = field(default_factory=tuple)


class PrivateNetwork(Construct):
    """Isolated subnets, gateway endpoints for S3 and DynamoDB, interface endpoints for the rest.

    There is no NAT gateway and no internet gateway. Endpoints serve this account's principals
    only. Traffic is recorded in a flow log.

    Sources: "Control access to VPC endpoints using endpoint policies" (AWS PrivateLink);
    "Logging IP traffic using VPC Flow Logs" (Amazon VPC).

    Args:
        scope: The parent construct.
        id: The construct's id.
        cidr: Address range, for example ``10.20.0.0/16``.
        availability_zones: Number of zones, 2 or 3.
        services: Short names of the interface endpoints' services, for example ``sqs``.
        encryption_key: Key of the flow log.
        log_retention_days: Days to keep the flow log.
        removal_policy: What becomes of the flow log when the stack is deleted.

    Attributes:
        vpc: The network.
        workload_security_group: For whatever runs in it: it reaches HTTPS, and nothing reaches it.
        flow_log_group: Where its traffic is recorded.
        flow_log_role: Writes there.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cidr: str,
        availability_zones: int = 2,
        services: Sequence[str],
        encryption_key: kms.IKey,
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"PrivateNetwork {self.node.path}")
        errors.between("availability_zones", availability_zones, 2, 3)
        errors.throw()
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            max_azs=availability_zones,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="workload", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED
                )
            ],
            # Emptying it takes a custom resource with rights on every security group; nothing
            # of ours uses the default group.
            restrict_default_security_group=False,
        )
        self.flow_log_group = LogGroup(
            self,
            "FlowLogGroup",
            encryption_key=encryption_key,
            retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self._record_traffic()
        self.workload_security_group = ec2.SecurityGroup(
            self,
            "WorkloadSecurityGroup",
            vpc=self.vpc,
            description="Workloads: HTTPS out, nothing in",
            allow_all_outbound=False,
        )
        self.workload_security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "AWS services through the endpoints"
        )
        self._add_endpoints(services, cidr)

    def _record_traffic(self) -> None:
        self.flow_log_role = iam.Role(
            self,
            "FlowLogRole",
            description="Writes the network's flow log",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            inline_policies={
                "write": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            sid="WriteFlowLog",
                            actions=[
                                "logs:CreateLogStream",
                                "logs:DescribeLogStreams",
                                "logs:PutLogEvents",
                            ],
                            resources=[self.flow_log_group.log_group_arn],
                        )
                    ]
                )
            },
        )
        ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=self.vpc.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=self.flow_log_group.log_group_name,
            deliver_logs_permission_arn=self.flow_log_role.role_arn,
        )

    def _add_endpoints(self, services: Sequence[str], cidr: str) -> None:
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            self.vpc.add_gateway_endpoint(f"{name}Endpoint", service=service)
        group = ec2.SecurityGroup(
            self,
            "EndpointSecurityGroup",
            vpc=self.vpc,
            description="Interface endpoints: HTTPS from the network",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.HTTPS, "HTTPS from the network")
        for name in services:
            endpoint = self.vpc.add_interface_endpoint(
                f"{name.title().replace('.', '').replace('-', '')}Endpoint",
                service=ec2.InterfaceVpcEndpointAwsService(name),
                security_groups=[group],
                open=False,
            )
            endpoint.add_to_policy(
                iam.PolicyStatement(
                    sid="ThisAccountOnly",
                    principals=[iam.AnyPrincipal()],
                    actions=["*"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:PrincipalAccount": cdk.Aws.ACCOUNT_ID}},
                )
            )
