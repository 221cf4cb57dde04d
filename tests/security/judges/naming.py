"""What CloudFormation's Ref and Fn::GetAtt return, as plausible strings, by resource type."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """How a resource type is named.

    Args:
        service: the ARN's service field.
        resource: the ARN's last field; `{name}` stands for the physical name.
        name: the property that may hold the physical name; empty if there is none.
        ref: what Ref returns: `name`, `arn` or `url`.
        scope: `region` (Region and account), `account` (account only) or `none`.
    """

    service: str
    resource: str
    name: str = ""
    ref: str = "name"
    scope: str = "region"


KINDS: dict[str, Kind] = {
    "AWS::CloudWatch::Alarm": Kind("cloudwatch", "alarm:{name}", "AlarmName"),
    "AWS::CloudWatch::CompositeAlarm": Kind("cloudwatch", "alarm:{name}", "AlarmName"),
    "AWS::DynamoDB::GlobalTable": Kind("dynamodb", "table/{name}", "TableName"),
    "AWS::DynamoDB::Table": Kind("dynamodb", "table/{name}", "TableName"),
    "AWS::EC2::FlowLog": Kind("ec2", "vpc-flow-log/{name}"),
    "AWS::EC2::SecurityGroup": Kind("ec2", "security-group/{name}"),
    "AWS::EC2::Subnet": Kind("ec2", "subnet/{name}"),
    "AWS::EC2::VPC": Kind("ec2", "vpc/{name}"),
    "AWS::Events::EventBus": Kind("events", "event-bus/{name}", "Name"),
    "AWS::Events::Rule": Kind("events", "rule/{name}", "Name"),
    "AWS::IAM::ManagedPolicy": Kind("iam", "policy/{name}", "ManagedPolicyName", "arn", "account"),
    "AWS::IAM::Role": Kind("iam", "role/{name}", "RoleName", "name", "account"),
    "AWS::KMS::Alias": Kind("kms", "{name}", "AliasName"),
    "AWS::KMS::Key": Kind("kms", "key/{name}"),
    "AWS::Kinesis::Stream": Kind("kinesis", "stream/{name}", "Name"),
    "AWS::Lambda::Alias": Kind("lambda", "function:{name}", "", "arn"),
    "AWS::Lambda::Function": Kind("lambda", "function:{name}", "FunctionName"),
    "AWS::Lambda::Version": Kind("lambda", "function:{name}", "", "arn"),
    "AWS::Logs::LogGroup": Kind("logs", "log-group:{name}", "LogGroupName"),
    "AWS::S3::Bucket": Kind("s3", "{name}", "BucketName", "name", "none"),
    "AWS::SNS::Topic": Kind("sns", "{name}", "TopicName", "arn"),
    "AWS::SQS::Queue": Kind("sqs", "{name}", "QueueName", "url"),
    "AWS::SSM::Parameter": Kind("ssm", "parameter/{name}", "Name"),
    "AWS::SageMaker::DataQualityJobDefinition": Kind(
        "sagemaker", "data-quality-job-definition/{name}", "JobDefinitionName", "arn"
    ),
    "AWS::SageMaker::Endpoint": Kind("sagemaker", "endpoint/{name}", "EndpointName", "arn"),
    "AWS::SageMaker::EndpointConfig": Kind(
        "sagemaker", "endpoint-config/{name}", "EndpointConfigName", "arn"
    ),
    "AWS::SageMaker::MlflowApp": Kind("sagemaker", "mlflow-app/{name}", "", "arn"),
    "AWS::SageMaker::Model": Kind("sagemaker", "model/{name}", "ModelName", "arn"),
    "AWS::SageMaker::ModelCard": Kind("sagemaker", "model-card/{name}", "ModelCardName"),
    "AWS::SageMaker::ModelPackageGroup": Kind(
        "sagemaker", "model-package-group/{name}", "ModelPackageGroupName", "arn"
    ),
    "AWS::SageMaker::MonitoringSchedule": Kind(
        "sagemaker", "monitoring-schedule/{name}", "MonitoringScheduleName", "arn"
    ),
    "AWS::SageMaker::Pipeline": Kind("sagemaker", "pipeline/{name}", "PipelineName"),
    "AWS::Scheduler::Schedule": Kind("scheduler", "schedule/{name}", "Name"),
    "AWS::Scheduler::ScheduleGroup": Kind("scheduler", "schedule-group/{name}", "Name"),
    "AWS::SecretsManager::Secret": Kind("secretsmanager", "secret:{name}", "Name", "arn"),
    "AWS::StepFunctions::StateMachine": Kind(
        "states", "stateMachine:{name}", "StateMachineName", "arn"
    ),
}


def kind_of(resource_type: str) -> Kind:
    """The naming of a type; one not listed gets `arn:…:<service>:…:<name>`."""
    known = KINDS.get(resource_type)
    if known is not None:
        return known
    parts = resource_type.split("::")
    return Kind(parts[1].lower() if len(parts) > 1 else "custom", "{name}")


def generated_name(stack: str, logical_id: str, resource_type: str) -> str:
    """A physical name like CloudFormation's; a key gets a UUID's shape, a bucket lower case."""
    if resource_type == "AWS::KMS::Key":
        h = hashlib.sha256(f"{stack}/{logical_id}".encode()).hexdigest()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:32]}"
    name = f"{stack}-{logical_id}"
    return name.lower() if resource_type == "AWS::S3::Bucket" else name
