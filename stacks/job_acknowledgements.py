"""Each finding of cdk-nag that stands in the stacks of drift and batch scoring, and why."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from sagelens import BatchScoring, DriftWatch, S3Folder
from sagelens.machine_schedule import MachineSchedule
from stacks.acknowledgements import ARN, INLINE, objects_in, stands
from stacks.hosting_plans import VARIANT, HostingNames


def drift_findings(
    watch: DriftWatch,
    *,
    names: HostingNames,
    models: s3.IBucket,
    labels: S3Folder | None,
    network: bool,
) -> None:
    """What stands of the findings of a drift watch.

    Args:
        watch: The watch.
        names: Names of the model's hosting.
        models: Bucket of captured requests, baselines and reports.
        labels: Folder of labels, if there are any.
        network: Whether its job runs in a network.
    """
    job, machine = watch.job_role, watch.machine_role
    for role in (job, machine):
        role_findings(role)
        stands(role, objects_in(models, f"{names.model}/drift/"), "Each look has its own folder")
    captured = f"{names.captured}{names.endpoint}/{VARIANT}/"
    stands(job, objects_in(models, captured), "SageMaker names captured files by the hour")
    stands(
        job,
        objects_in(models, f"{names.model}/runs/"),
        "A version's baseline lies below the id of the execution that made it",
    )
    if labels:
        stands(job, objects_in(labels.bucket, labels.prefix), "It reads the labels that have come")
    job_findings(job, "ProcessingJobs", network=network)
    _named(machine, f"model-package/{names.endpoint}/*", f"processing-job/{names.watch}-*")
    _schedule_findings(watch.schedule)


def batch_findings(
    batch: BatchScoring, *, names: HostingNames, models: s3.IBucket, inputs: S3Folder, network: bool
) -> None:
    """What stands of the findings of batch scoring.

    Args:
        batch: Batch scoring.
        names: Names of the model's hosting.
        models: Bucket of models and results.
        inputs: Folder of what is scored.
        network: Whether its job runs in a network.
    """
    job, machine = batch.model_role, batch.machine_role
    for role in (job, machine):
        role_findings(role)
    for folder, reason in (
        (
            objects_in(models, f"{names.model}/runs/"),
            "Each execution of the pipeline writes its model below its own id",
        ),
        (objects_in(inputs.bucket, inputs.prefix), "It scores whatever lies in this folder"),
        (objects_in(models, names.scores), "Each job has its own folder of results"),
    ):
        stands(job, folder, reason)
    job_findings(job, "TransformJobs", network=network)
    _named(
        machine,
        f"model-package/{names.endpoint}/*",
        f"model/{names.batch}-*",
        f"transform-job/{names.batch}-*",
    )
    if batch.schedule:
        _schedule_findings(batch.schedule)


def role_findings(role: iam.Role) -> None:
    """What stands of the findings of any role of jobs or of what runs them."""
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "Signing in to registries, metrics, log delivery, tracing and, with a network, looking "
        "at it take no resource",
    )


def job_findings(role: iam.Role, group: str, *, network: bool) -> None:
    """What stands of the findings of a job's role.

    Args:
        role: The role.
        group: What the name of the jobs' log group ends with.
        network: Whether they run in a network.
    """
    stands(
        role,
        f"AwsSolutions-IAM5[Resource::{ARN.format('logs')}:log-group:/aws/sagemaker/{group}*]",
        "A job's log stream bears the job's name, which is made up",
    )
    if network:
        stands(
            role,
            f"AwsSolutions-IAM5[Resource::{ARN.format('ec2')}:network-interface/*]",
            "A job's network interfaces do not exist beforehand",
        )


def _named(machine: iam.Role, *resources: str) -> None:
    for name in resources:
        stands(
            machine,
            f"AwsSolutions-IAM5[Resource::{ARN.format('sagemaker')}:{name}]",
            "Versions are numbered, and jobs are named after executions",
        )


def _schedule_findings(schedule: MachineSchedule) -> None:
    stands(schedule.role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        schedule.undelivered,
        "AwsSolutions-SQS3",
        "It is where starts that failed end; nothing works it off",
    )
