"""What a training pipeline itself may do."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .job_role import allow, sagemaker_principal, volume_grant
from .model_group import ModelGroup


class PipelineRole(iam.Role):
    """Starts, watches and stops its jobs, passes them their role, registers what they made.

    A pipeline names its jobs ``pipelines-<execution>-<step>-…``; of a tuning job's name no page
    speaks, so it is any. Neither can have another role than the one passed.

    Sources: "Access management" of pipelines (Amazon SageMaker AI): create and describe each job,
    pass its role, read what JsonGet reads; "Actions, resources, and condition keys for Amazon
    SageMaker".

    Args:
        scope: The parent construct.
        id: The construct's id.
        job_role: Role of the jobs.
        tunes: Whether it runs a tuning job in place of one training job.
        model_group: Where it registers.
        artifacts: Bucket of what runs write.
        runs: The folder of the runs in it.
        encryption_key: Key of that bucket and of the jobs' volumes.
        functions: ARNs of functions that it calls.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        job_role: iam.IRole,
        tunes: bool,
        model_group: ModelGroup,
        artifacts: s3.IBucket,
        runs: str,
        encryption_key: kms.IKey,
        functions: Sequence[str],
    ) -> None:
        stack = cdk.Stack.of(scope)
        statements = [
            _jobs(stack, "Process", "ProcessingJob", "processing-job", "pipelines-*"),
            _tuning(stack)
            if tunes
            else _jobs(stack, "Train", "TrainingJob", "training-job", "pipelines-*"),
            allow(
                "PassJobRole",
                ["iam:PassRole"],
                [job_role.role_arn],
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            *model_group.register_statements(),
            allow("ReadRuns", ["s3:GetObject"], [artifacts.arn_for_objects(f"{runs}*")]),
            allow("UseKey", ["kms:Decrypt", "kms:DescribeKey"], [encryption_key.key_arn]),
            volume_grant(encryption_key),
        ]
        if functions:
            statements.append(allow("CallFunctions", ["lambda:InvokeFunction"], functions))
        super().__init__(
            scope,
            id,
            description="A training pipeline: runs its jobs and registers their model",
            assumed_by=sagemaker_principal(),
            inline_policies={"pipeline": iam.PolicyDocument(statements=statements)},
        )


def _jobs(
    stack: cdk.Stack, sid: str, kind: str, resource: str, names: str, *more: str
) -> iam.PolicyStatement:
    actions = [f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe", "Stop")]
    jobs = stack.format_arn(service="sagemaker", resource=resource, resource_name=names)
    return allow(sid, sorted(["sagemaker:AddTags", *actions, *more]), [jobs])


def _tuning(stack: cdk.Stack) -> iam.PolicyStatement:
    return _jobs(
        stack,
        "Tune",
        "HyperParameterTuningJob",
        "hyper-parameter-tuning-job",
        "*",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    )
