"""Lambda functions: event sources, destinations, dead-letter queues, keys and logs."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.judges.edges.checks import (
    Edge,
    check_policy,
    check_role,
    check_role_key,
    check_trust,
    role_of,
    unjudged,
)
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

LAMBDA = "lambda.amazonaws.com"
SOURCE_PAGE = "AWS Lambda, Creating and configuring an Amazon SQS event source mapping"
STREAM_PAGE = "AWS Lambda, Process DynamoDB records with Lambda"
FILTER_PAGE = "AWS Lambda, Encryption of filter criteria objects"
ASYNC_PAGE = "AWS Lambda, Capturing records of Lambda asynchronous invocations"
KEY_PAGE = "AWS Lambda, Securing Lambda environment variables"
ROLE_PAGE = "AWS Lambda, Defining Lambda function permissions with an execution role"
LOGS_PAGE = "AWS Lambda, Sending Lambda function logs to CloudWatch Logs"

# What delivering to each kind of destination takes: action, KMS actions, service that calls KMS.
DELIVERY: dict[str, tuple[str, tuple[str, ...], str]] = {
    "AWS::SQS::Queue": ("sqs:SendMessage", ("kms:Decrypt", "kms:GenerateDataKey"), "sqs"),
    "AWS::SNS::Topic": ("sns:Publish", ("kms:Decrypt", "kms:GenerateDataKey"), "sns"),
    "AWS::Events::EventBus": ("events:PutEvents", (), "events"),
    "AWS::Lambda::Function": ("lambda:InvokeFunction", (), "lambda"),
}


def findings(world: World) -> Iterator[Finding]:
    """Judge every function, every event source mapping and every destination."""
    for function in world.of("AWS::Lambda::Function"):
        yield from _function(world, function)
    for mapping in world.of("AWS::Lambda::EventSourceMapping"):
        yield from _mapping(world, mapping)
    for config in world.of("AWS::Lambda::EventInvokeConfig"):
        properties = world.properties(config)
        function = world.find(properties.get("FunctionName"), "AWS::Lambda::Function")
        for outcome in properties.get("DestinationConfig", {}).values():
            yield from _deliver(world, function, config, outcome.get("Destination"))


def execution_role(world: World, function: Node) -> Node | None:
    """The role that a function runs with, if the templates hold it."""
    return role_of(world, world.properties(function).get("Role"))


def _function(world: World, function: Node) -> Iterator[Finding]:
    properties = world.properties(function)
    role = execution_role(world, function)
    if role is None:
        yield unjudged(function, f"the role {properties.get('Role')} is not in these templates")
        return
    edge = Edge("function-to-role", function, role, LAMBDA, ROLE_PAGE)
    yield from check_trust(world, edge, role, LAMBDA)
    if "KmsKeyArn" in properties:
        edge = Edge("function-to-key", function, function, world.arn(role), KEY_PAGE)
        yield from check_role_key(world, edge, role, ("kms:Decrypt",), "lambda")
    if "DeadLetterConfig" in properties:
        target = properties["DeadLetterConfig"].get("TargetArn")
        yield from _deliver(world, function, function, target)
    group = world.find(properties.get("LoggingConfig", {}).get("LogGroup"), "AWS::Logs::LogGroup")
    if group is not None and not _managed_logging(world, role):
        edge = Edge("function-to-log-group", function, group, world.arn(role), LOGS_PAGE)
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            stream = f"{world.arn(group)}:log-stream:x"
            yield from check_role(world, edge, role, action, stream)


def _managed_logging(world: World, role: Node) -> bool:
    managed = world.properties(role).get("ManagedPolicyArns", [])
    return any(str(arn).endswith("AWSLambdaBasicExecutionRole") for arn in managed)


def _mapping(world: World, mapping: Node) -> Iterator[Finding]:
    properties = world.properties(mapping)
    function = world.find(properties.get("FunctionName"), "AWS::Lambda::Function")
    source_arn = str(properties.get("EventSourceArn", ""))
    source = world.find(source_arn.split("/stream/")[0])
    if function is None or source is None:
        yield unjudged(mapping, f"from {source_arn} to {properties.get('FunctionName')}")
        return
    role = execution_role(world, function)
    if role is None:
        return  # said for the function already
    if source.type == "AWS::SQS::Queue":
        edge = Edge("queue-to-function", mapping, source, world.arn(role), SOURCE_PAGE)
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
            yield from check_role(world, edge, role, action)
        yield from check_role_key(world, edge, role, ("kms:Decrypt",), "sqs")
    elif source.type.startswith("AWS::DynamoDB::"):
        edge = Edge("table-to-function", mapping, source, world.arn(role), STREAM_PAGE)
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"):
            yield from check_role(world, edge, role, f"dynamodb:{action}", source_arn)
        yield from check_role_key(world, edge, role, ("kms:Decrypt",), "dynamodb")
    else:
        yield unjudged(mapping, f"event sources of the type {source.type} ({source.label})")
    yield from _filter_key(world, mapping)
    failure = properties.get("DestinationConfig", {}).get("OnFailure", {})
    yield from _deliver(world, function, mapping, failure.get("Destination"))


def _filter_key(world: World, mapping: Node) -> Iterator[Finding]:
    """Filter criteria may have a key of their own, which Lambda itself must be able to use."""
    identifier = world.properties(mapping).get("KmsKeyArn")
    key = world.find(identifier, "AWS::KMS::Key")
    if identifier is None:
        return
    if key is None:
        yield unjudged(mapping, f"the key {identifier} is not in these templates")
        return
    edge = Edge("mapping-to-key", mapping, key, LAMBDA, FILTER_PAGE)
    yield from check_policy(world, edge, "kms:Decrypt")


def _deliver(world: World, function: Node | None, holder: Node, arn: object) -> Iterator[Finding]:
    """A destination or dead-letter queue is written with the function's own role."""
    if arn is None:
        return
    target = world.find(arn)
    role = execution_role(world, function) if function else None
    if target is None or role is None or target.type not in DELIVERY:
        yield unjudged(holder, f"the destination {arn}")
        return
    action, kms, via = DELIVERY[target.type]
    edge = Edge("function-to-destination", holder, target, world.arn(role), ASYNC_PAGE)
    yield from check_role(world, edge, role, action)
    yield from check_role_key(world, edge, role, kms, via)
