"""Hosting: an endpoint's role, captured requests, volumes' key, log group and alarms."""

from __future__ import annotations

from tests.security.examples.build import (
    GONE,
    INLINE,
    OTHER_ACCOUNT,
    TRUST,
    Break,
    Example,
    Resources,
    allow,
    arn,
    encrypted_bucket,
    key,
    resource,
    role,
)

GROUP = "/aws/sagemaker/Endpoints/endpoint"
HOSTING: Resources = {
    "Key": key(),
    "Bucket": encrypted_bucket(),
    "Alarm": resource("CloudWatch::Alarm", AlarmName="endpoint-main-errors"),
    "Logs": resource("Logs::LogGroup", LogGroupName=GROUP),
    "Role": role(
        "sagemaker.amazonaws.com",
        allow("s3:PutObject", {"Fn::Sub": "${Bucket.Arn}/captured/*"}),
        allow("kms:GenerateDataKey", arn("Key")),
        allow("kms:CreateGrant", arn("Key"), when={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], arn("Logs")),
        allow("cloudwatch:DescribeAlarms", arn("Alarm")),
    ),
    "Model": resource("SageMaker::Model", ExecutionRoleArn=arn("Role")),
    "Configuration": resource(
        "SageMaker::EndpointConfig",
        ProductionVariants=[{"ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}],
        KmsKeyId=arn("Key"),
        DataCaptureConfig={
            "DestinationS3Uri": {"Fn::Sub": "s3://${Bucket}/captured"},
            "KmsKeyId": arn("Key"),
        },
    ),
    "Endpoint": resource(
        "SageMaker::Endpoint",
        EndpointName="endpoint",
        EndpointConfigName={"Fn::GetAtt": ["Configuration", "EndpointConfigName"]},
        DeploymentConfig={
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "endpoint-main-errors"}]}
        },
    ),
}

EXAMPLES = (
    Example(
        "endpoint-to-role",
        HOSTING,
        (Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "222233334444"),),
    ),
    Example(
        "endpoint-to-captured",
        HOSTING,
        (
            Break("not written", f"{INLINE}.0", GONE, "s3:PutObject"),
            Break("elsewhere", f"{INLINE}.0.Resource", arn("Bucket"), "s3:PutObject"),
            Break("no key", f"{INLINE}.1", GONE, "kms:GenerateDataKey"),
        ),
    ),
    Example(
        "endpoint-to-volume-key",
        HOSTING,
        (Break("no grant", f"{INLINE}.2", GONE, "kms:CreateGrant"),),
    ),
    Example(
        "endpoint-to-log-group",
        HOSTING,
        (
            Break("no stream", f"{INLINE}.3.Action", "logs:PutLogEvents", "logs:CreateLogStream"),
            Break("no lines", f"{INLINE}.3.Action", "logs:CreateLogStream", "logs:PutLogEvents"),
        ),
    ),
    Example(
        "endpoint-to-alarm",
        HOSTING,
        (Break("not seen", f"{INLINE}.4", GONE, "cloudwatch:DescribeAlarms"),),
    ),
)
