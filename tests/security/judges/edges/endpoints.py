"""SageMaker endpoints: to their role, captured requests, volumes' key, log group and alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.security.judges.edges.checks import (
    Edge,
    check_role,
    check_role_key,
    check_trust,
    role_of,
    unjudged,
)
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

SAGEMAKER = "sagemaker.amazonaws.com"
ROLE_PAGE = "Amazon SageMaker AI, How to use SageMaker AI execution roles, CreateModel API"
CAPTURE_PAGE = "Amazon SageMaker AI, Data capture"
VOLUME_PAGE = "Amazon SageMaker API Reference, CreateEndpointConfig, KmsKeyId"
ALARM_PAGE = "Amazon SageMaker AI, Auto-Rollback Configuration and Monitoring"
LOG_PAGE = "Amazon SageMaker AI, CloudWatch Logs for Amazon SageMaker AI"
LOG_GROUPS = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class _Served:
    """A model behind an endpoint.

    Args:
        configuration: The endpoint configuration that names the model.
        role: The model's execution role.
    """

    configuration: Node
    role: Node


def findings(world: World) -> Iterator[Finding]:
    """Judge every model, endpoint configuration and endpoint."""
    for model in world.of("AWS::SageMaker::Model"):
        role = role_of(world, world.properties(model).get("ExecutionRoleArn"))
        if role is None:
            yield unjudged(model, "its execution role is not in these templates")
            continue
        edge = Edge("endpoint-to-role", model, role, world.arn(role), ROLE_PAGE)
        yield from check_trust(world, edge, role, SAGEMAKER)
    for configuration in world.of("AWS::SageMaker::EndpointConfig"):
        for served in _served(world, configuration):
            yield from _captured(world, served)
            yield from _volumes(world, served)
    for endpoint in world.of("AWS::SageMaker::Endpoint"):
        name = endpoint.body["Properties"].get("EndpointConfigName")
        configuration = world.node_of(name, endpoint.stack)
        if configuration is None:
            yield unjudged(endpoint, f"the configuration {name} is not in these templates")
            continue
        for served in _served(world, configuration):
            yield from _logs(world, endpoint, served.role)
            yield from _alarms(world, endpoint, served.role)


def _served(world: World, configuration: Node) -> Iterator[_Served]:
    for variant in configuration.body["Properties"].get("ProductionVariants", []):
        model = world.node_of(variant.get("ModelName"), configuration.stack)
        role = role_of(world, world.properties(model).get("ExecutionRoleArn")) if model else None
        if role is not None:
            yield _Served(configuration, role)


def _captured(world: World, served: _Served) -> Iterator[Finding]:
    capture = world.properties(served.configuration).get("DataCaptureConfig", {})
    url = capture.get("DestinationS3Uri")
    if url is None:
        return
    name, _, prefix = str(url).removeprefix("s3://").partition("/")
    bucket = world.find(name, "AWS::S3::Bucket")
    if bucket is None:
        yield unjudged(served.configuration, f"the bucket {name} is not in these templates")
        return
    arn = world.arn(served.role)
    edge = Edge("endpoint-to-captured", served.configuration, bucket, arn, CAPTURE_PAGE)
    resource = f"{world.arn(bucket)}/{prefix.strip('/')}/endpoint/variant/x.jsonl"
    yield from check_role(world, edge, served.role, "s3:PutObject", resource)
    key = capture.get("KmsKeyId")
    yield from check_role_key(world, edge, served.role, ("kms:GenerateDataKey",), "s3", key)


def _volumes(world: World, served: _Served) -> Iterator[Finding]:
    identifier = world.properties(served.configuration).get("KmsKeyId")
    key = world.find(identifier, "AWS::KMS::Key")
    if identifier is None:
        return
    if key is None:
        yield unjudged(served.configuration, f"the key {identifier} is not in these templates")
        return
    arn = world.arn(served.role)
    edge = Edge("endpoint-to-volume-key", served.configuration, key, arn, VOLUME_PAGE)
    grant = {"kms:grantisforawsresource": "true"}
    yield from check_role(world, edge, served.role, "kms:CreateGrant", context=grant)


def _logs(world: World, endpoint: Node, role: Node) -> Iterator[Finding]:
    """SageMaker makes the group itself if it may; with a group of ours its name must be right."""
    name = f"{LOG_GROUPS}/{world.name(endpoint)}"
    group = world.find(name, "AWS::Logs::LogGroup")
    if group is None:
        yield unjudged(endpoint, f"the log group {name} is not in these templates")
        return
    edge = Edge("endpoint-to-log-group", endpoint, group, world.arn(role), LOG_PAGE)
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield from check_role(world, edge, role, action, f"{world.arn(group)}:log-stream:x")


def _alarms(world: World, endpoint: Node, role: Node) -> Iterator[Finding]:
    deployment = world.properties(endpoint).get("DeploymentConfig", {})
    for one in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", []):
        alarm = world.find(one["AlarmName"], "AWS::CloudWatch::Alarm")
        if alarm is None:
            yield unjudged(endpoint, f"the alarm {one['AlarmName']} is not in these templates")
            continue
        edge = Edge("endpoint-to-alarm", endpoint, alarm, world.arn(role), ALARM_PAGE)
        yield from check_role(world, edge, role, "cloudwatch:DescribeAlarms")
