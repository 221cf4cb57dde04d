"""Counts the references between resources and reports those that no edge module looks at.

So a new way from one resource to another cannot slip by: it is either judged, listed here as no
edge at all with its reason, or reported.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from tests.security.judges.edges.checks import unjudged
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

# References to these types may be deliveries.
WATCHED = {
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SageMaker::Pipeline",
    "AWS::StepFunctions::StateMachine",
}

JUDGED = (
    ("AWS::Budgets::Budget", "NotificationsWithSubscribers.Subscribers.Address"),
    ("AWS::CloudWatch::*Alarm", "AlarmActions"),
    ("AWS::CloudWatch::*Alarm", "InsufficientDataActions"),
    ("AWS::CloudWatch::*Alarm", "OKActions"),
    ("AWS::DynamoDB::*Table", "SSESpecification.KMSMasterKeyId"),
    ("AWS::EC2::FlowLog", "LogDestination"),
    ("AWS::EC2::FlowLog", "LogGroupName"),
    ("AWS::Events::EventBus", "DeadLetterConfig.*"),
    ("AWS::Events::EventBus", "KmsKeyIdentifier"),
    ("AWS::Events::Rule", "EventPattern.detail.bucket.name"),
    ("AWS::Events::Rule", "Targets.Arn"),
    ("AWS::Events::Rule", "Targets.DeadLetterConfig.Arn"),
    ("AWS::Lambda::EventInvokeConfig", "*"),
    ("AWS::Lambda::EventSourceMapping", "*"),
    ("AWS::Lambda::Function", "DeadLetterConfig.TargetArn"),
    ("AWS::Lambda::Function", "KmsKeyArn"),
    ("AWS::Lambda::Function", "LoggingConfig.LogGroup"),
    ("AWS::Logs::LogGroup", "KmsKeyId"),
    ("AWS::S3::Bucket", "BucketEncryption.*"),
    ("AWS::S3::Bucket", "LoggingConfiguration.*"),
    ("AWS::S3::Bucket", "NotificationConfiguration.*"),
    ("AWS::SNS::Subscription", "Endpoint"),
    ("AWS::SNS::Subscription", "RedrivePolicy.*"),
    ("AWS::SNS::Subscription", "TopicArn"),
    ("AWS::SNS::Topic", "KmsMasterKeyId"),
    ("AWS::SNS::Topic", "Subscription.*"),
    ("AWS::SQS::Queue", "KmsMasterKeyId"),
    ("AWS::SQS::Queue", "RedriveAllowPolicy.sourceQueueArns"),
    ("AWS::SQS::Queue", "RedrivePolicy.deadLetterTargetArn"),
    ("AWS::SageMaker::EndpointConfig", "DataCaptureConfig.DestinationS3Uri"),
    ("AWS::SageMaker::EndpointConfig", "DataCaptureConfig.KmsKeyId"),
    ("AWS::SageMaker::EndpointConfig", "KmsKeyId"),
    ("AWS::SageMaker::MlflowApp", "ArtifactStoreUri"),
    ("AWS::SageMaker::Pipeline", "PipelineDefinition.PipelineDefinitionBody"),
    ("AWS::Scheduler::Schedule", "KmsKeyArn"),
    ("AWS::Scheduler::Schedule", "Target.Arn"),
    ("AWS::Scheduler::Schedule", "Target.DeadLetterConfig.Arn"),
    ("AWS::StepFunctions::StateMachine", "EncryptionConfiguration.KmsKeyId"),
    ("AWS::StepFunctions::StateMachine", "LoggingConfiguration.*"),
)

# A pattern of the type, one of the path, and why nothing is delivered along such a reference.
HARMLESS = (
    ("AWS::CloudWatch::*Alarm", "AlarmRule", "names alarms, not targets"),
    ("AWS::CloudWatch::*Alarm", "Dimensions.Value", "names what is measured"),
    ("AWS::CloudWatch::*Alarm", "Metrics.*", "names what is measured"),
    (
        "AWS::Athena::WorkGroup",
        "WorkGroupConfiguration.ResultConfiguration.*",
        "read and written with the rights of whoever asks",
    ),
    ("AWS::Glue::Table", "TableInput.*", "read with the rights of whoever asks"),
    ("AWS::CloudWatch::Dashboard", "DashboardBody", "names what is shown"),
    ("AWS::Events::EventBusPolicy", "*", "a policy, read with its bus"),
    ("AWS::Events::Rule", "EventBusName", "where the rule listens"),
    ("AWS::Events::Rule", "EventPattern.detail.stateMachineArn", "whose events the rule hears"),
    ("AWS::Events::Rule", "EventPattern.detail.object.bucket", "whose pictures the rule hears of"),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument.*", "a policy, read by the IAM judge"),
    ("AWS::IAM::*", "*", "a policy: the statements are judged, role by role"),
    ("AWS::KMS::Alias", "TargetKeyId", "a second name"),
    ("AWS::KMS::Key", "KeyPolicy.*", "a policy, read with its key"),
    ("AWS::Lambda::Alias", "FunctionName", "a second name"),
    ("AWS::Lambda::Function", "Description", "words"),
    ("AWS::Lambda::Function", "Environment.Variables.*", "a name; the role's statements decide"),
    ("AWS::Lambda::Permission", "*", "a policy, read with its function"),
    ("AWS::Lambda::Version", "FunctionName", "a second name"),
    ("AWS::Logs::ResourcePolicy", "*", "a policy, read with the rules that need it"),
    ("AWS::Logs::MetricFilter", "LogGroupName", "reads the group where it is"),
    ("AWS::S3::BucketPolicy", "*", "a policy, read with its bucket"),
    ("AWS::SNS::TopicPolicy", "*", "a policy, read with its topic"),
    ("AWS::SageMaker::ModelCard", "Content.*", "words"),
    (
        "AWS::SageMaker::ModelCard",
        "SecurityConfig.KmsKeyId",
        "used with the rights of whoever writes or reads the card",
    ),
    (
        "AWS::SageMaker::NotebookInstance",
        "KmsKeyId",
        "a grant, made with the rights of whoever makes the instance",
    ),
    ("AWS::SQS::QueuePolicy", "*", "a policy, read with its queue"),
    (
        "AWS::StepFunctions::StateMachine",
        "DefinitionString",
        "a name; the role's statements decide",
    ),
    ("Custom::*", "ServiceToken", "called by CloudFormation with the deployer's rights"),
    ("Custom::S3AutoDeleteObjects", "BucketName", "the bucket's policy names the provider's role"),
)


def findings(world: World) -> Iterator[Finding]:
    """Report every reference to a watched type that is neither judged nor harmless."""
    for node in world.nodes:
        for path, target in _references(world, node, node.body.get("Properties", {}), ""):
            if target.type in WATCHED and not _known(node.type, path):
                yield unjudged(node, f"{path} points at {target}, and no rule knows that way")


def _known(resource_type: str, path: str) -> bool:
    pairs = [*JUDGED, *((kind, where) for kind, where, _ in HARMLESS)]
    return any(
        fnmatch.fnmatchcase(resource_type, kind) and fnmatch.fnmatchcase(path, where)
        for kind, where in pairs
    )


def _references(world: World, node: Node, value: Any, path: str) -> Iterator[tuple[str, Node]]:
    """The paths (without list indexes and intrinsics) at which a resource names another."""
    if isinstance(value, list):
        for item in value:
            yield from _references(world, node, item, path)
        return
    if not isinstance(value, dict):
        return
    target = world.node_of(value, node.stack)
    if target is not None and target != node:
        yield path, target
        return
    for key, item in value.items():
        intrinsic = key.startswith("Fn::") or key == "Ref"
        below = path if intrinsic else f"{path}.{key}".lstrip(".")
        if key == "Fn::Sub":
            yield from _substituted(world, node, item, path)
        yield from _references(world, node, item, below)


def _substituted(world: World, node: Node, value: Any, path: str) -> Iterator[tuple[str, Node]]:
    text = value[0] if isinstance(value, list) else value
    for name in re.findall(r"\$\{([^!}][^}]*)\}", text):
        function = "Fn::GetAtt" if "." in name else "Ref"
        target = world.node_of({function: name}, node.stack)
        if target is not None:
            yield path, target
