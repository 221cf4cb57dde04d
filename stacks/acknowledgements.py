"""Each finding of cdk-nag that stands, where, and why: one exact finding an entry.

A judge fails on any finding that is not listed here.
"""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from sagelens import (
    AutoMLTraining,
    ExperimentTracking,
    FaceBlur,
    ImageAnalysis,
    ImageResults,
    ModelGroup,
    PipelineSchedule,
    PrivateNetwork,
    PythonFunction,
    Quarantine,
    SecureBucket,
    TrainingPipeline,
    VideoAnalysis,
)
from sagelens.face_blur import BLURRED_COPIES
from sagelens.machine_schedule import SetTimes
from sagelens.queued_start import QueuedStart
from sagelens.results_catalog import IMAGE_ROWS
from sagelens.seen_objects import LARGE_RESULTS

INLINE = (
    "The policy belongs to this one role and goes with it: nothing else can be given it, and it "
    "is read in one place with the role"
)

_PYTHON = "Python 3.13 is supported until 2029, and is the newest that the rehearsal's wheels cover"
QUEUED = (
    "It is invoked by a queue, whose dead-letter queue keeps what fails; a function's own serves "
    "asynchronous invocations only"
)
_RUNS = "Each execution writes below its own id, which is not known beforehand"
ARN = "arn:<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>"


def stands(construct: IConstruct, finding: str, reason: str) -> None:
    """Let one finding stand."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def objects_in(bucket: s3.IBucket, prefix: str = "") -> str:
    """The name that cdk-nag gives to a policy's wildcard over a bucket's objects."""
    resource = bucket.node.default_child
    assert isinstance(resource, cdk.CfnElement)
    logical_id = cdk.Stack.of(bucket).get_logical_id(resource)
    return f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>/{prefix}*]"


def bucket_findings(bucket: SecureBucket) -> None:
    """What stands of a bucket's findings."""
    stands(
        bucket,
        "NIST.800.53.R5-S3BucketReplicationEnabled",
        "Versioning guards against overwriting and deletion; a copy in a second Region doubles "
        "the cost of storage and is the owner's decision",
    )


def log_bucket_findings(bucket: SecureBucket) -> None:
    """What stands of the log bucket's findings, besides those of any bucket."""
    stands(
        bucket,
        "NIST.800.53.R5-S3DefaultEncryptionKMS",
        "Server access logs are delivered to buckets with SSE-S3 only",
    )


def quarantine_findings(quarantine: Quarantine) -> None:
    """What stands of the reviewer role's findings."""
    role = quarantine.reviewer_role
    stands(
        role,
        objects_in(quarantine.bucket),
        "A reviewer reads any object of this one bucket: which ones are rejected is not known "
        "beforehand",
    )
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)


def table_findings(table: dynamodb.Table) -> None:
    """What stands of a table's findings."""
    stands(
        table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        "Point-in-time recovery covers 35 days; a backup plan is a matter of the account, and "
        "selects the table by its tags",
    )


def network_findings(network: PrivateNetwork) -> None:
    """What stands of the network's findings."""
    stands(
        network.vpc,
        "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        "Nothing is placed in the default group, and CloudFormation can empty it only by a "
        "custom resource with rights on security groups",
    )
    stands(network.flow_log_role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)


def image_analysis_findings(
    analysis: ImageAnalysis,
    *,
    bucket: s3.IBucket,
    prefixes: Sequence[str],
    results: s3.IBucket | None = None,
) -> None:
    """What stands of the image analysis's findings."""
    role, function = analysis.worker.role, analysis.worker.function
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "Amazon Rekognition's image operations take no resource in a policy, and neither do "
        "those by which the Lambda service joins a network",
    )
    for prefix in prefixes:
        stands(
            role,
            objects_in(bucket, prefix),
            "The function reads whatever lies in its folders, and nothing else",
        )
    if results is not None:
        stands(
            role,
            objects_in(results, LARGE_RESULTS),
            "Results that are too large for a record are written to this folder, by object and "
            "version",
        )
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    function_findings(function, QUEUED)


def video_analysis_findings(
    analysis: VideoAnalysis, *, bucket: s3.IBucket, prefix: str, results: s3.IBucket
) -> None:
    """What stands of the video analysis's findings."""
    role = analysis.worker.role
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "Amazon Rekognition's operations on stored videos take no resource in a policy, and "
        "neither do those by which the Lambda service joins a network",
    )
    stands(
        role,
        objects_in(bucket, prefix),
        "The function reads whatever arrives under its prefix, and nothing else",
    )
    stands(
        role,
        objects_in(results, LARGE_RESULTS),
        "Results are written to this folder, by object and version",
    )
    stands(
        analysis.machine_role,
        "AwsSolutions-IAM5[Resource::*]",
        "Log delivery and tracing take no resource",
    )
    for each in (role, analysis.machine_role, analysis.trigger.role):
        stands(each, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        analysis.trigger.dead_letter_queue,
        "AwsSolutions-SQS3",
        "It is where new videos end that started nothing; nothing works it off",
    )
    function_findings(
        analysis.worker.function,
        "A state machine invokes it and tries again what fails; a dead-letter queue serves "
        "asynchronous invocations only",
    )


def image_results_findings(results: ImageResults, *, bucket: s3.IBucket) -> None:
    """What stands of the findings of the function that writes rows."""
    role, function = results.follower.worker.role, results.follower.worker.function
    for prefix, what in (
        (LARGE_RESULTS, "reads results that are too large for a record from"),
        (IMAGE_ROWS, "writes rows to"),
    ):
        stands(
            role,
            objects_in(bucket, prefix),
            f"The function {what} this folder, by object and version",
        )
    _follower_findings(role, function)


def face_blur_findings(
    blur: FaceBlur, *, images: s3.IBucket, prefix: str, copies: s3.IBucket
) -> None:
    """What stands of the findings of the function that makes blurred copies."""
    role, function = blur.follower.worker.role, blur.follower.worker.function
    for bucket, folder, what in (
        (images, prefix, "reads images from"),
        (copies, LARGE_RESULTS, "reads results that are too large for a record from"),
        (copies, BLURRED_COPIES, "writes copies to"),
    ):
        stands(
            role,
            objects_in(bucket, folder),
            f"The function {what} this folder, by object and version",
        )
    _follower_findings(role, function)


def _follower_findings(role: iam.IRole, function: lambda_.Function) -> None:
    """What stands of any function's findings that follows events about images."""
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "DetectFaces takes no resource, and neither do the operations by which the Lambda service "
        "joins a network",
    )
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    function_findings(function, QUEUED)


def schedule_findings(schedule: PipelineSchedule | SetTimes) -> None:
    """What stands of the findings of a start at set times."""
    stands(schedule.role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        schedule.undelivered,
        "AwsSolutions-SQS3",
        "It is where starts that failed end; nothing works it off",
    )


def start_findings(start: QueuedStart, *, schedules: str | None = None) -> None:
    """What stands of the findings of a start by queue.

    Args:
        start: What starts a pipeline.
        schedules: Wildcard over the names of the schedules that it makes, if there is one.
    """
    stands(start.start_role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    role = start.worker.role
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "The operations by which the Lambda service joins a network take no resource beforehand",
    )
    if schedules:
        stands(
            role,
            f"AwsSolutions-IAM5[Resource::{ARN.format('scheduler')}:schedule/{schedules}]",
            "A schedule is named after the interval that it ends; all begin with the pipeline's "
            "name",
        )
    function_findings(start.worker.function, QUEUED)


def tracking_findings(tracking: ExperimentTracking, *, bucket: s3.IBucket) -> None:
    """What stands of the findings of experiment tracking."""
    for role in (tracking.app_role, tracking.worker.role):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
        stands(
            role,
            objects_in(bucket, "mlflow/"),
            "MLflow names its artifacts by runs, which are not known beforehand",
        )
    function = tracking.worker.function
    function_findings(
        function,
        "A pipeline's step invokes it and waits for its answer; a dead-letter queue serves "
        "asynchronous invocations only",
    )
    stands(
        function,
        "NIST.800.53.R5-LambdaInsideVPC",
        "It calls an MLflow app, for which AWS documents no VPC endpoint",
    )


def tracked_run_findings(tracking: ExperimentTracking, *, bucket: s3.IBucket, model: str) -> None:
    """What stands of the tracking function's findings for one model."""
    stands(tracking.worker.role, objects_in(bucket, f"{model}/runs/"), _RUNS)


def job_network_findings(group: ec2.SecurityGroup) -> None:
    """What stands of the findings of the jobs' security group."""
    stands(
        group,
        "NIST.800.53.R5-EC2RestrictedCommonPorts",
        "The instances of one job talk to each other on ports of their own choice; only members "
        "of the group itself are let in",
    )


def pipeline_findings(
    pipeline: TrainingPipeline,
    *,
    data: s3.IBucket,
    prefix: str,
    models: s3.IBucket,
    model: str,
    group: str,
    network: bool,
    tunes: bool,
) -> None:
    """What stands of a training pipeline's findings.

    Args:
        pipeline: The pipeline.
        data: Bucket of its raw data.
        prefix: Where in it they lie.
        models: Bucket of what its executions write.
        model: The model's name.
        group: Name of its model package group.
        network: Whether its jobs run in a network.
        tunes: Whether it tunes in place of training once.
    """
    jobs, own = pipeline.job_role, pipeline.pipeline_role
    sagemaker = ARN.format("sagemaker")
    for role in (jobs, own):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
        stands(role, objects_in(models, f"{model}/runs/"), _RUNS)
    stands(
        jobs,
        "AwsSolutions-IAM5[Resource::*]",
        "Signing in to registries, metrics and, with a network, looking at it take no resource",
    )
    stands(jobs, objects_in(data, prefix), "Jobs read whatever lies under the model's prefix")
    for kind in ("ProcessingJobs", "TrainingJobs"):
        stands(
            jobs,
            f"AwsSolutions-IAM5[Resource::{ARN.format('logs')}:log-group:/aws/sagemaker/{kind}*]",
            "A job's log stream bears the job's name, which SageMaker makes up",
        )
    if network:
        stands(
            jobs,
            f"AwsSolutions-IAM5[Resource::{ARN.format('ec2')}:network-interface/*]",
            "A job's network interfaces do not exist beforehand",
        )
    training = "hyper-parameter-tuning-job/*" if tunes else "training-job/pipelines-*"
    for name in ("processing-job/pipelines-*", training, f"model-package/{group}/*"):
        stands(
            own,
            f"AwsSolutions-IAM5[Resource::{sagemaker}:{name}]",
            "SageMaker makes up the names of a pipeline's jobs, and numbers versions",
        )
    if pipeline.announcements is not None:
        stands(
            pipeline.announcements.undelivered,
            "AwsSolutions-SQS3",
            "It is where undeliverable announcements end; nothing works it off",
        )


def autopilot_findings(
    autopilot: AutoMLTraining,
    *,
    data: s3.IBucket,
    prefix: str,
    models: s3.IBucket,
    model: str,
    group: str,
) -> None:
    """What stands of the findings of a search by Autopilot.

    Args:
        autopilot: The search.
        data: Bucket of its table.
        prefix: Where in it the table lies.
        models: Bucket of what it writes.
        model: The model's name.
        group: Name of its model package group.
    """
    model_group_findings(autopilot.model_group)
    jobs, machine = autopilot.job_role, autopilot.state_machine_role
    sagemaker = ARN.format("sagemaker")
    for role in (jobs, machine):
        stands(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            "Log delivery, metrics, signing in to registries and joining a network take no "
            "resource",
        )
    for holder in (machine, jobs.node.default_child, jobs.node.try_find_child("DefaultPolicy")):
        if holder is not None:
            stands(holder, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    for name in (f"automl-job/{model}-*", f"model-package/{group}/*"):
        stands(
            machine,
            f"AwsSolutions-IAM5[Resource::{sagemaker}:{name}]",
            "Jobs are named after executions and versions are numbered",
        )
    stands(jobs, objects_in(data, prefix), "The job reads whatever lies under the model's prefix")
    stands(jobs, objects_in(models, f"{model}/autopilot/"), "The job names its outputs itself")
    for name in ("endpoint-config/*", "endpoint/*", "model/*"):
        stands(
            jobs,
            f"AwsSolutions-IAM5[Resource::{sagemaker}:{name}]",
            "Autopilot makes up the names of what it makes for its own tests",
        )
    stands(
        jobs,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecr:<AWS::Region>:*:repository/*]",
        "Autopilot chooses its images in AWS's own registries",
    )
    stands(
        jobs,
        f"AwsSolutions-IAM5[Resource::{ARN.format('logs')}:log-group:/aws/sagemaker/*]",
        "Autopilot runs jobs of many kinds, each with a log group of its kind",
    )


def model_group_findings(group: ModelGroup) -> None:
    """What stands of the findings of a model group that goes with its stack."""
    if group.emptier is None:
        return
    role = group.emptier.worker.role
    emptier_findings(group.emptier.worker)
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "A list of model packages takes no resource that would name the group",
    )
    stands(
        role,
        f"AwsSolutions-IAM5[Resource::{ARN.format('sagemaker')}:model-package/{group.name}/*]",
        "Versions are numbered",
    )


def emptier_findings(worker: PythonFunction) -> None:
    """What stands of the findings of a function that empties something with its stack."""
    stands(worker.role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    function_findings(
        worker.function,
        "CloudFormation invokes it and waits for its answer; what failed is told as the reason "
        "that the stack is not deleted",
    )
    stands(
        worker.function,
        "NIST.800.53.R5-LambdaInsideVPC",
        "It deletes versions when its stack is deleted, and touches no data",
    )


def function_findings(function: lambda_.Function, no_queue: str) -> None:
    """What stands of any function's findings, with the reason why it has no dead-letter queue."""
    stands(function, "AwsSolutions-L1", _PYTHON)
    stands(
        function,
        "NIST.800.53.R5-LambdaConcurrency",
        "Whatever invokes it bounds its concurrency; reserving some would fail in accounts that "
        "have ten in all",
    )
    stands(function, "NIST.800.53.R5-LambdaDLQ", no_queue)
