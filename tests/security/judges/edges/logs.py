"""Log groups and their key; VPC flow logs and where they go."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.judges.edges.checks import (
    Edge,
    check_key,
    check_policy,
    check_role,
    check_trust,
    role_of,
    unjudged,
)
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

KEY_PAGE = "Amazon CloudWatch Logs, Encrypt log data in CloudWatch Logs using AWS KMS"
FLOW_ROLE_PAGE = "Amazon VPC, IAM role for publishing flow logs to CloudWatch Logs"
FLOW_BUCKET_PAGE = "Amazon VPC, Amazon S3 bucket permissions for flow logs"
FLOW_KEY_PAGE = "Amazon VPC, Required key policy for use with SSE-KMS"
DELIVERY = "delivery.logs.amazonaws.com"
FLOW_LOGS = "vpc-flow-logs.amazonaws.com"
KEY_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
)


def findings(world: World) -> Iterator[Finding]:
    """Judge every log group with a key and every flow log."""
    for group in world.of("AWS::Logs::LogGroup"):
        edge = Edge("log-group-to-key", group, group, _logs(world, group), KEY_PAGE)
        # The page gives the encryption context as the condition; it names no aws:Source… key
        # for log groups, so a statement must not lean on one.
        yield from check_key(
            world, edge, KEY_ACTIONS, unsupported=("aws:sourceaccount", "aws:sourcearn")
        )
    for flow_log in world.of("AWS::EC2::FlowLog"):
        yield from _flow_log(world, flow_log)


def _logs(world: World, node: Node) -> str:
    return f"logs.{world.region(node.stack)}.amazonaws.com"


def _flow_log(world: World, flow_log: Node) -> Iterator[Finding]:
    properties = world.properties(flow_log)
    kind = properties.get("LogDestinationType", "cloud-watch-logs")
    destination = properties.get("LogDestination") or properties.get("LogGroupName")
    if kind == "s3":
        bucket_arn = ":".join(str(destination).split(":")[:6]).split("/")[0]
        bucket = world.find(bucket_arn, "AWS::S3::Bucket")
        if bucket is None:
            yield unjudged(flow_log, f"the bucket {destination} is not in these templates")
            return
        yield from _to_bucket(world, flow_log, bucket)
    elif kind == "cloud-watch-logs":
        group = world.find(destination, "AWS::Logs::LogGroup")
        role = role_of(world, properties.get("DeliverLogsPermissionArn"))
        if group is None or role is None:
            yield unjudged(flow_log, f"to the log group {destination}")
            return
        yield from _to_group(world, flow_log, group, role)
    else:
        yield unjudged(flow_log, f"flow logs to {kind}")


def _to_group(world: World, flow_log: Node, group: Node, role: Node) -> Iterator[Finding]:
    edge = Edge("flow-log-to-log-group", flow_log, group, world.arn(role), FLOW_ROLE_PAGE)
    yield from check_trust(world, edge, role, FLOW_LOGS)
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield from check_role(world, edge, role, action, f"{world.arn(group)}:log-stream:x")
    yield from check_role(world, edge, role, "logs:DescribeLogStreams", f"{world.arn(group)}:*")


def _to_bucket(world: World, flow_log: Node, bucket: Node) -> Iterator[Finding]:
    account, region = world.account(flow_log.stack), world.region(flow_log.stack)
    source = f"arn:{world.place.partition}:logs:{region}:{account}:delivery/x"
    context = {"aws:sourcearn": source, "s3:x-amz-acl": "bucket-owner-full-control"}
    edge = Edge("flow-log-to-bucket", flow_log, bucket, DELIVERY, FLOW_BUCKET_PAGE, context)
    prefix = str(world.properties(flow_log)["LogDestination"]).removeprefix(world.arn(bucket))
    folder = prefix.strip("/") + "/" if prefix.strip("/") else ""
    path = f"{world.arn(bucket)}/{folder}AWSLogs/{account}/vpcflowlogs/x"
    yield from check_policy(world, edge, "s3:PutObject", path)
    yield from check_policy(world, edge, "s3:GetBucketAcl")
    edge = Edge("flow-log-to-bucket", flow_log, bucket, DELIVERY, FLOW_KEY_PAGE, context)
    yield from check_key(world, edge, KEY_ACTIONS)
