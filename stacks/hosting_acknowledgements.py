"""Each finding of cdk-nag that stands in the stacks of hosting, where, and why."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from sagelens import MonitorJobRole
from sagelens.endpoint_names import EndpointNames
from sagelens.endpoint_role import EndpointRole
from sagelens.endpoint_scaling import ScalingFunction
from sagelens.live_version import LiveVersionFunction
from sagelens.python_function import PythonFunction
from sagelens.release import ReleaseOnApproval
from stacks.acknowledgements import ARN, INLINE, function_findings, objects_in, stands
from stacks.hosting_plans import VARIANT, HostingNames
from stacks.job_acknowledgements import job_findings, role_findings

_EVERY_ALARM = f"AwsSolutions-IAM5[Resource::{ARN.format('cloudwatch')}:alarm:*]"
_SAGEMAKER = ARN.format("sagemaker")


def live_version_findings(function: LiveVersionFunction, *, prefix: str) -> None:
    """What stands of the findings of the function that makes live versions.

    Args:
        function: The function.
        prefix: What the parameters' names begin with.
    """
    stands(
        function.worker.role,
        f"AwsSolutions-IAM5[Resource::{ARN.format('ssm')}:parameter{prefix}*]",
        "One function makes the parameters of all models, which lie below this path",
    )
    _deployment_findings(function.worker)


def scaling_findings(function: ScalingFunction, *, endpoints: str, stacks: str) -> None:
    """What stands of the findings of the function that scales endpoints.

    Args:
        function: The function.
        endpoints: Wildcard over the endpoints' names.
        stacks: Wildcard over the names of their stacks.
    """
    role = function.worker.role
    for resource, reason in (
        (
            f"{ARN.format('application-autoscaling')}:scalable-target/*",
            "AWS makes up the id of a scalable target; namespace and dimension narrow it",
        ),
        (
            f"{ARN.format('cloudformation')}:stack/{stacks}/*",
            "It serves all hosting stacks of the environment, and a stack's id is made up by AWS",
        ),
        (
            f"{_SAGEMAKER}:endpoint/{endpoints}",
            "It serves all endpoints of the environment",
        ),
        (
            f"{ARN.format('cloudwatch')}:alarm:TargetTracking-endpoint/{endpoints}/variant/*",
            "Application Auto Scaling makes up the names of its alarms",
        ),
    ):
        stands(role, f"AwsSolutions-IAM5[Resource::{resource}]", reason)
    stands(role, _EVERY_ALARM, "Looking at alarms can be narrowed to none that do not exist yet")
    _deployment_findings(function.worker)


def _deployment_findings(worker: PythonFunction) -> None:
    """What stands of the findings of a function that CloudFormation calls."""
    stands(worker.role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    function_findings(
        worker.function,
        "CloudFormation invokes it and learns of its failure, which fails the deployment",
    )
    stands(
        worker.function,
        "NIST.800.53.R5-LambdaInsideVPC",
        "It runs during deployments only and holds no data; in a network it would take three "
        "interface endpoints that bill by the hour",
    )


def endpoint_role_findings(
    role: EndpointRole,
    *,
    models: s3.IBucket,
    model: str,
    endpoint: str,
    captures: bool,
    network: bool,
) -> None:
    """What stands of the findings of an endpoint's role.

    Args:
        role: The role.
        models: Bucket of the model artifacts.
        model: The model's name.
        endpoint: The endpoint's name.
        captures: Whether requests are kept.
        network: Whether it runs in a network.
    """
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "Signing in to registries, metrics and, with a network, looking at it take no resource",
    )
    stands(
        role,
        objects_in(models, f"{model}/runs/"),
        "Each execution of the pipeline writes its model below its own id",
    )
    if captures:
        stands(
            role,
            objects_in(models, f"{model}/captured/"),
            "SageMaker names the files of captured requests by the hour",
        )
    stands(
        role,
        f"AwsSolutions-IAM5[Resource::{ARN.format('cloudwatch')}:alarm:{endpoint}-*]",
        "The alarms that roll a deployment back are named after the endpoint and its variants",
    )
    stands(
        role,
        f"AwsSolutions-IAM5[Resource::{ARN.format('logs')}:log-group:/aws/sagemaker/Endpoints/"
        f"{endpoint}:*]",
        "SageMaker names log streams by instances",
    )
    if network:
        stands(
            role,
            f"AwsSolutions-IAM5[Resource::{ARN.format('ec2')}:network-interface/*]",
            "An endpoint's network interfaces do not exist beforehand",
        )


def release_findings(release: ReleaseOnApproval, *, endpoint: str, stack: str) -> None:
    """What stands of the findings of a release.

    Args:
        release: The release.
        endpoint: The name of its endpoint, and of its model package group.
        stack: The name of the hosting stack.
    """
    names = EndpointNames(endpoint)
    machine, execution = release.state_machine_role, release.execution_role
    made = [
        f"{kind}/{each}*"
        for kind, stem in (("model", names.models), ("endpoint-config", names.configuration))
        for each in (stem, stem.lower())
    ]
    for role in (machine, execution):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
        stands(role, _EVERY_ALARM, "Looking at alarms by state asks for all of them")
        for name in (*made, f"model-package/{endpoint}/*"):
            stands(
                role,
                f"AwsSolutions-IAM5[Resource::{_SAGEMAKER}:{name}]",
                "CloudFormation makes up the rest of these names, and versions are numbered",
            )
    stands(
        machine,
        "AwsSolutions-IAM5[Resource::*]",
        "Lists of models, log delivery and tracing take no resource",
    )
    stands(
        machine,
        f"AwsSolutions-IAM5[Resource::{ARN.format('cloudformation')}:stack/{stack}/*]",
        "A stack's id is made up by AWS",
    )
    _machine_findings(release)


def monitor_findings(
    role: MonitorJobRole,
    release: ReleaseOnApproval,
    *,
    names: HostingNames,
    models: s3.IBucket,
    network: bool,
) -> None:
    """What stands of the findings of Model Monitor's jobs, and of a release that makes them.

    Args:
        role: Role of the jobs.
        release: What releases the endpoint's versions.
        names: Names of the model's hosting.
        models: Bucket of captured requests, baseline and reports.
        network: Whether the jobs run in a network.
    """
    folders = (
        f"{names.captured}{names.endpoint}/{VARIANT}/",
        *(f"{names.model}/monitor/{name}/" for name in ("baseline", "reports")),
    )
    role_findings(role)
    job_findings(role, "ProcessingJobs", network=network)
    for folder in folders:
        stands(role, objects_in(models, folder), "Model Monitor names its files by itself")
    stem = EndpointNames(names.endpoint).monitor
    for each in (stem, stem.lower()):
        stands(
            release.execution_role,
            f"AwsSolutions-IAM5[Resource::{_SAGEMAKER}:data-quality-job-definition/{each}*]",
            "CloudFormation makes up the rest of the name",
        )


def _machine_findings(release: ReleaseOnApproval) -> None:
    stands(release.trigger.role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    own = release.node.find_child("SeeExecutions")
    stands(own, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    logical_id = cdk.Stack.of(release).get_logical_id(release.state_machine)
    for name in (f"execution:<{logical_id}.Name>:*", f"express:<{logical_id}.Name>:*:*"):
        stands(
            own,
            f"AwsSolutions-IAM5[Resource::{ARN.format('states')}:{name}]",
            "Who holds the lock is one of the state machine's own executions",
        )
    stands(
        release.lock_table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        "It holds who releases and what was released last, which the next release makes anew",
    )
    stands(
        release.trigger.dead_letter_queue,
        "AwsSolutions-SQS3",
        "It is where approvals end that started nothing; nothing works it off",
    )
