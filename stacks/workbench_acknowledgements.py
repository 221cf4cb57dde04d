"""Each finding of cdk-nag that stands of where people work, and why: one exact finding an entry."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from sagelens import ExperimentTracking, NotebookInstance, NotebookKeeper
from stacks.acknowledgements import ARN, INLINE, function_findings, objects_in, stands


def role_findings(role: iam.Role) -> None:
    """What stands of any role by which people work."""
    policy = role.node.try_find_child("DefaultPolicy")
    if policy is not None:
        stands(policy, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)


def notebook_findings(notebook: NotebookInstance, *, network: bool) -> None:
    """What stands of a notebook instance's findings.

    Args:
        notebook: The notebook instance.
        network: Whether it runs in a network.
    """
    role_findings(notebook.role)
    group = f"{ARN.format('logs')}:log-group:/aws/sagemaker/NotebookInstances"
    stands(
        notebook.role,
        "AwsSolutions-IAM5[Resource::*]",
        "Reporting a metric takes no resource, and a condition bounds it to our namespace",
    )
    stands(
        notebook.role,
        f"AwsSolutions-IAM5[Resource::{group}:log-stream:{notebook.name}/*]",
        "SageMaker names an instance's log streams after its scripts and programs",
    )
    if not network:
        open_to_the_internet(notebook)


def open_to_the_internet(notebook: NotebookInstance) -> None:
    """What stands of an instance outside a network."""
    reason = (
        "An environment without a network is for a first look and for development: packages come "
        "from the internet. With a network there is no direct access"
    )
    for finding in (
        "AwsSolutions-SM1",
        "AwsSolutions-SM3",
        "NIST.800.53.R5-SageMakerNotebookInVPC",
        "NIST.800.53.R5-SageMakerNotebookNoDirectInternetAccess",
    ):
        stands(notebook.instance, finding, reason)


def tracking_findings(role: iam.Role, tracking: ExperimentTracking) -> None:
    """What stands of a role that writes experiments."""
    stands(
        role,
        objects_in(tracking.artifacts.bucket, tracking.artifacts.prefix),
        "MLflow names its artifacts by runs, which are not known beforehand",
    )


def keeper_findings(keeper: NotebookKeeper) -> None:
    """What stands of the findings of what looks after notebook instances."""
    for role in (keeper.role, keeper.worker.role):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        keeper.worker.role,
        "AwsSolutions-IAM5[Resource::*]",
        "Reading metrics takes no resource",
    )
    stands(
        keeper.undelivered,
        "AwsSolutions-SQS3",
        "It is where invocations that failed end; nothing works it off",
    )
    function = keeper.worker.function
    function_findings(
        function,
        "What fails rings an alarm, and the next sweep does it again; an event kept until then "
        "would say nothing more",
    )
    stands(
        function,
        "NIST.800.53.R5-LambdaInsideVPC",
        "It starts and stops instances by SageMaker's API, and touches no data",
    )
