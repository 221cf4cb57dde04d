"""A template with seeded faults, and what each judge must say of it, no more and no less.

It is the canary that proves that the judges bite: a judge that has gone quiet fails here.
"""

from __future__ import annotations

from typing import Any

from tests.security.judges.templates import Template

ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}


def _allow(principal: object, action: object, resource: object = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


RESOURCES: dict[str, dict[str, Any]] = {
    # The key's policy lets no service in.
    "Key": {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": _policy(_allow({"AWS": ROOT}, "kms:*"))},
    },
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
    # A misspelt property and a wrong type.
    "Queue": {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
            "VisibilityTimeout": "long",
            "Retention": 1,
        },
    },
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {"source": ["aws.s3"]},
            "Targets": [{"Id": "Queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        },
    },
    "Topic": {
        "Type": "AWS::SNS::Topic",
        "Properties": {"KmsMasterKeyId": {"Ref": "Key"}},
    },
    "Alarm": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmActions": [{"Ref": "Topic"}],
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 1,
        },
    },
    # Anybody's Lambda may assume it, it may do everything, and one action is misspelt.
    "Role": {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": _policy(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ),
            "ManagedPolicyArns": [
                {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}
            ],
            "Policies": [
                {
                    "PolicyName": "Everything",
                    "PolicyDocument": _policy(
                        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
                        {
                            "Effect": "Allow",
                            "Action": "s3:GetObjekt",
                            "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                        },
                    ),
                }
            ],
        },
    },
    "Model": {
        "Type": "AWS::SageMaker::Model",
        "Properties": {
            "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "PrimaryContainer": {"Image": "image"},
        },
    },
    "EndpointConfig": {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {
            "ProductionVariants": [
                {
                    "VariantName": "only",
                    "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1,
                    "InstanceType": "ml.m5.large",
                }
            ]
        },
    },
}

BAD = Template(stack="bad", body={"Resources": RESOURCES})

# For each judge: rule and logical id.
EXPECTED: dict[str, set[tuple[str, str]]] = {
    "edges": {
        ("alarm-to-topic", "Alarm"),
        ("endpoint-to-role", "Model"),
        ("rule-to-queue", "Rule"),
    },
    "iam": {
        ("UNKNOWN_ACTION", "Role"),
        ("broad-managed-policy", "Role"),
        ("confused-deputy", "Role"),
        ("resource-star", "Role"),
        ("wildcard-action", "Role"),
    },
    "cloudformation-validate": {("F3002", "Queue"), ("F3012", "Queue")},
    "cfn-lint": {("E3002", "Queue"), ("E3012", "Queue"), ("W3037", "Role")},
    "security-hub": {
        ("SageMaker_4", "EndpointConfig"),
        ("SageMaker_5", "Model"),
        ("SageMaker_16", "Model"),
    },
    "control-tower": {
        ("iam_inline_policy_no_statements_with_full_access_check", "Role"),
        ("kms_create_grant_aws_service_check", "Key"),
        ("kms_key_rotation_enabled_check", "Key"),
        ("s3_bucket_default_encryption_kms_check", "Bucket"),
        ("s3_bucket_level_public_access_prohibited_check", "Bucket"),
        ("s3_bucket_logging_enabled_check", "Bucket"),
        ("s3_bucket_object_lock_enabled_check", "Bucket"),
        ("s3_bucket_versioning_enabled_check", "Bucket"),
        ("s3_event_notifications_enabled_check", "Bucket"),
        ("s3_lifecycle_policy_check", "Bucket"),
        ("sqs_dlq_check", "Queue"),
    },
    "cdk-nag": {
        (
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AdministratorAccess]",
            "Role",
        ),
        ("AwsSolutions-IAM5[Action::dynamodb:*]", "Role"),
        ("AwsSolutions-IAM5[Resource::*]", "Role"),
        ("AwsSolutions-IAM5[Resource::<Bucket.Arn>/*]", "Role"),
        ("AwsSolutions-KMS5", "Key"),
        ("AwsSolutions-S1", "Bucket"),
        ("AwsSolutions-S10", "Bucket"),
        ("AwsSolutions-SQS3", "Queue"),
        ("AwsSolutions-SQS4", "Queue"),
        ("NIST.800.53.R5-IAMNoInlinePolicy", "Role"),
        ("NIST.800.53.R5-KMSBackingKeyRotationEnabled", "Key"),
        ("NIST.800.53.R5-S3BucketLoggingEnabled", "Bucket"),
        ("NIST.800.53.R5-S3BucketPublicReadProhibited", "Bucket"),
        ("NIST.800.53.R5-S3BucketPublicWriteProhibited", "Bucket"),
        ("NIST.800.53.R5-S3BucketReplicationEnabled", "Bucket"),
        ("NIST.800.53.R5-S3BucketSSLRequestsOnly", "Bucket"),
        ("NIST.800.53.R5-S3BucketVersioningEnabled", "Bucket"),
        ("NIST.800.53.R5-S3DefaultEncryptionKMS", "Bucket"),
        ("NIST.800.53.R5-SageMakerEndpointConfigurationKMSKeyConfigured", "EndpointConfig"),
    },
}
