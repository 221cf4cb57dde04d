"""S3 buckets to what they notify, and to the bucket that holds their access logs."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.judges.edges.checks import Edge, check_key, check_policy, unjudged
from tests.security.judges.edges.keys import key_id
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

S3 = "s3.amazonaws.com"
LOGGING = "logging.s3.amazonaws.com"
NOTIFY_PAGE = "Amazon S3, Granting permissions to publish event notification messages"
FUNCTION_PAGE = "AWS Lambda, Process Amazon S3 event notifications with Lambda"
LOGS_PAGE = "Amazon S3, Enabling Amazon S3 server access logging"

# The list in NotificationConfiguration, the property that names the target, action, rule.
NOTIFICATIONS = (
    ("QueueConfigurations", "Queue", "sqs:SendMessage", "bucket-to-queue"),
    ("TopicConfigurations", "Topic", "sns:Publish", "bucket-to-topic"),
    ("LambdaConfigurations", "Function", "lambda:InvokeFunction", "bucket-to-function"),
)


def findings(world: World) -> Iterator[Finding]:
    """Judge every bucket's notifications and access logs."""
    for bucket in world.of("AWS::S3::Bucket"):
        yield from _notifications(world, bucket)
        yield from _access_logs(world, bucket)


def _notifications(world: World, bucket: Node) -> Iterator[Finding]:
    configuration = world.properties(bucket).get("NotificationConfiguration", {})
    for group, name, action, rule in NOTIFICATIONS:
        for item in configuration.get(group, []):
            target = world.find(item.get(name))
            if target is None:
                yield unjudged(bucket, f"the notified {item.get(name)} is not in these templates")
                continue
            page = FUNCTION_PAGE if name == "Function" else NOTIFY_PAGE
            edge = Edge(rule, bucket, target, S3, page)
            yield from check_policy(world, edge, action)
            if name != "Function":
                yield from check_key(world, edge, ("kms:Decrypt", "kms:GenerateDataKey"))


def _access_logs(world: World, bucket: Node) -> Iterator[Finding]:
    logging = world.properties(bucket).get("LoggingConfiguration")
    if logging is None:
        return
    name = logging.get("DestinationBucketName")
    target = bucket if name is None else world.find(name, "AWS::S3::Bucket")
    if target is None:
        yield unjudged(bucket, f"the log bucket {name} is not in these templates")
        return
    edge = Edge("access-logs-to-bucket", bucket, target, LOGGING, LOGS_PAGE)
    prefix = logging.get("LogFilePrefix", "")
    yield from check_policy(world, edge, "s3:PutObject", f"{world.arn(target)}/{prefix}2026-01-01")
    if key_id(world, target) is not None:
        yield edge.finding(
            "the log bucket's default encryption is SSE-KMS; access logs arrive only under SSE-S3",
            target,
        )
    locked = world.properties(target).get("ObjectLockConfiguration", {})
    if "Rule" in locked:
        yield edge.finding(
            "the log bucket has a default Object Lock retention, under which no access logs arrive",
            target,
        )
