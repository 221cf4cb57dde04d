"""Training: pipelines and their jobs, MLflow's artifacts, starts by schedule, roles passed on."""

from __future__ import annotations

import json
from typing import Any

from tests.security.examples.build import (
    GONE,
    INLINE,
    LAMBDA,
    OTHER_ACCOUNT,
    TRUST,
    USE_KEY,
    Break,
    Example,
    Resources,
    allow,
    arn,
    encrypted_bucket,
    function,
    key,
    less,
    queue,
    resource,
    role,
)

SAGEMAKER = "sagemaker.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"


def passing(target: str, service: str) -> dict[str, Any]:
    """Lets a role pass another to one service."""
    return allow(
        "iam:PassRole", arn(target), when={"StringEquals": {"iam:PassedToService": service}}
    )


GRANT = allow("kms:CreateGrant", arn("Key"), when={"Bool": {"kms:GrantIsForAWSResource": "true"}})
JOBS = {
    "Fn::Sub": "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:*-job/pipelines-*"
}
DEFINITION = {
    "Parameters": [{"Name": "DataUrl", "DefaultValue": "s3://${Bucket}/data/"}],
    "Steps": [
        {
            "Name": "Prepare",
            "Type": "Processing",
            "Arguments": {
                "RoleArn": "${JobRole.Arn}",
                "ProcessingResources": {"ClusterConfig": {"VolumeKmsKeyId": "${Key.Arn}"}},
                "ProcessingInputs": [{"S3Input": {"S3Uri": {"Get": "Parameters.DataUrl"}}}],
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {
                            "S3Output": {
                                "S3Uri": {
                                    "Std:Join": {
                                        "On": "/",
                                        "Values": [
                                            "s3://${Bucket}/runs",
                                            {"Get": "Execution.PipelineExecutionId"},
                                        ],
                                    }
                                }
                            }
                        }
                    ]
                },
            },
        },
        {"Name": "Track", "Type": "Lambda", "FunctionArn": "${Function.Arn}"},
        {
            "Name": "Gate",
            "Type": "Condition",
            "Arguments": {
                "IfSteps": [
                    {
                        "Name": "Register",
                        "Type": "RegisterModel",
                        "Arguments": {"ModelPackageGroupName": "group"},
                    }
                ],
                "ElseSteps": [{"Name": "Low", "Type": "Fail", "Arguments": {}}],
            },
        },
    ],
}
PIPELINE: Resources = {
    "Key": key(),
    "Bucket": encrypted_bucket(),
    "Group": resource("SageMaker::ModelPackageGroup", ModelPackageGroupName="group"),
    "FunctionRole": role(LAMBDA),
    "Function": resource("Lambda::Function", Role=arn("FunctionRole")),
    "JobRole": role(
        SAGEMAKER,
        allow("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/data/*"}),
        allow("s3:PutObject", {"Fn::Sub": "${Bucket.Arn}/runs/*"}),
        USE_KEY,
        GRANT,
    ),
    "Role": role(
        SAGEMAKER,
        allow("sagemaker:CreateProcessingJob", JOBS),
        passing("JobRole", SAGEMAKER),
        GRANT,
        allow("lambda:InvokeFunction", arn("Function")),
        allow("sagemaker:CreateModelPackage", {"Ref": "Group"}),
    ),
    "Pipeline": resource(
        "SageMaker::Pipeline",
        PipelineName="pipeline",
        RoleArn=arn("Role"),
        PipelineDefinition={"PipelineDefinitionBody": {"Fn::Sub": json.dumps(DEFINITION)}},
    ),
}
JOB_INLINE = INLINE.replace("Role.", "JobRole.", 1)
JOB_TRUST = TRUST.replace("Role.", "JobRole.", 1)
MLFLOW: Resources = {
    "Key": key(),
    "Bucket": encrypted_bucket(),
    "Role": role(
        SAGEMAKER,
        allow(["s3:GetObject", "s3:PutObject"], {"Fn::Sub": "${Bucket.Arn}/mlflow/*"}),
        USE_KEY,
    ),
    "App": resource(
        "SageMaker::MlflowApp",
        Name="app",
        RoleArn=arn("Role"),
        ArtifactStoreUri={"Fn::Sub": "s3://${Bucket}/mlflow"},
    ),
}
MAKE_SCHEDULE = ["scheduler:CreateSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"]
START = {
    "mode": "event",
    "schedule": "start",
    "group": "${Starts}",
    "pipeline": "pipeline",
    "role": "${StartRole.Arn}",
    "key": "${Key.Arn}",
    "dead_letters": "${Queue.Arn}",
}
STARTS: Resources = {
    "Key": key(),
    "Queue": queue(),
    "Starts": resource("Scheduler::ScheduleGroup"),
    "PipelineRole": role(SAGEMAKER),
    "Pipeline": resource(
        "SageMaker::Pipeline",
        PipelineName="pipeline",
        RoleArn=arn("PipelineRole"),
        PipelineDefinition={"PipelineDefinitionBody": '{"Parameters": [], "Steps": []}'},
    ),
    "StartRole": role(
        SCHEDULER,
        allow("sagemaker:StartPipelineExecution", {
            "Fn::Sub": "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/"
            "pipeline"
        }),
        allow("sqs:SendMessage", arn("Queue")),
        USE_KEY,
    ),
    "Role": role(
        LAMBDA,
        allow(MAKE_SCHEDULE, {
            "Fn::Sub": "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/"
            "${Starts}/start"
        }),
        passing("StartRole", SCHEDULER),
        allow(["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"], arn("Key")),
    ),
    "Function": function(Environment={"Variables": {"START": {"Fn::Sub": json.dumps(START)}}}),
}  # fmt: skip
START_INLINE = INLINE.replace("Role.", "StartRole.", 1)
KEYED_SCHEDULE: Resources = {
    "Key": key(),
    "Queue": queue(),
    "Role": role(SCHEDULER, allow("sqs:SendMessage", arn("Queue")), USE_KEY),
    "Schedule": resource(
        "Scheduler::Schedule",
        KmsKeyArn=arn("Key"),
        Target={"Arn": arn("Queue"), "RoleArn": arn("Role")},
    ),
}

EXAMPLES = (
    Example(
        "pipeline-to-role",
        PIPELINE,
        (Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "222233334444"),),
    ),
    Example(
        "pipeline-to-job",
        PIPELINE,
        (
            Break("no job", f"{INLINE}.0", GONE, "sagemaker:CreateProcessingJob"),
            Break("role not passed", f"{INLINE}.1", GONE, "iam:PassRole"),
            Break(
                "job role of another account",
                f"{JOB_TRUST}.Condition",
                OTHER_ACCOUNT,
                "222233334444",
            ),
        ),
    ),
    Example(
        "job-to-bucket",
        PIPELINE,
        (
            Break("data not read", f"{JOB_INLINE}.0", GONE, "s3:GetObject"),
            Break("runs not written", f"{JOB_INLINE}.1", GONE, "s3:PutObject"),
            Break("no key", f"{JOB_INLINE}.2", GONE, "kms:Decrypt"),
        ),
    ),
    Example(
        "job-to-volume-key",
        PIPELINE,
        (
            Break("no grant by the pipeline", f"{INLINE}.2", GONE, "kms:CreateGrant"),
            Break("no grant by the job", f"{JOB_INLINE}.3", GONE, "kms:CreateGrant"),
        ),
    ),
    Example(
        "pipeline-to-function",
        PIPELINE,
        (Break("not invoked", f"{INLINE}.3", GONE, "lambda:InvokeFunction"),),
    ),
    Example(
        "pipeline-to-registry",
        PIPELINE,
        (Break("not registered", f"{INLINE}.4", GONE, "sagemaker:CreateModelPackage"),),
    ),
    Example(
        "mlflow-to-artifacts",
        MLFLOW,
        (
            *less(f"{INLINE}.0.Action", ["s3:GetObject", "s3:PutObject"]),
            Break("no key", f"{INLINE}.1", GONE, "kms:"),
            Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "222233334444"),
        ),
    ),
    Example(
        "function-to-schedule",
        STARTS,
        (
            *less(f"{INLINE}.0.Action", MAKE_SCHEDULE),
            Break("role not passed", f"{INLINE}.1", GONE, "iam:PassRole"),
            Break("no key", f"{INLINE}.2", GONE, "kms:GenerateDataKey"),
        ),
    ),
    Example(
        "schedule-to-pipeline",
        STARTS,
        (
            Break("not started", f"{START_INLINE}.0", GONE, "sagemaker:StartPipelineExecution"),
            Break("failures not kept", f"{START_INLINE}.1", GONE, "sqs:SendMessage"),
            Break("no key", f"{START_INLINE}.2", GONE, "kms:Decrypt"),
        ),
    ),
    Example(
        "role-to-passed-role",
        STARTS,
        (
            Break("to any service", f"{INLINE}.1.Condition", GONE, "no iam:PassedToService"),
            Break(
                "to a service that may not have it",
                f"{INLINE}.1.Condition",
                {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                "ec2.amazonaws.com may not assume",
            ),
        ),
    ),
    Example(
        "schedule-to-key",
        KEYED_SCHEDULE,
        (Break("no key", f"{INLINE}.1", GONE, "kms:Decrypt"),),
    ),
)
