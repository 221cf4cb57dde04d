"""What a release is told: where the endpoint lives, how it is tried, how long it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from .endpoint_scaling import ScalingFunction
from .live_version import LivePackage


@dataclass(frozen=True, kw_only=True)
class SmokeTest:
    """A stored request that a version must answer before it counts as released.

    Args:
        bucket: Where the request lies.
        key: Its key; text of at most 100 kB, since a state's data are 256 KiB at most.
        answer_path: Where a number stands in the JSON answer, with fields and indices, for example
            ``$.predictions[0].churn_probability``.
        content_type: The request's form.
        least: Smallest number that is right.
        most: Largest number that is right.
    """

    bucket: s3.IBucket
    key: str
    answer_path: str
    content_type: str = "text/csv"
    least: float = 0.0
    most: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Monitored:
    """What of Model Monitor comes and goes with an endpoint.

    Args:
        schedule: Name of the monitoring schedule, a :class:`~sagelens.ModelMonitorSchedule`.
        role: Role of its jobs.
    """

    schedule: str
    role: iam.IRole


@dataclass(frozen=True, kw_only=True)
class HostingStack:
    """Where the endpoint lives, by names alone: the stack need not exist yet.

    Args:
        stack_name: The hosting stack.
        endpoint_name: Its endpoint, a :class:`~sagelens.ModelEndpoint`.
        variants: Names of the endpoint's variants.
        endpoint_role: Execution role of its models.
        scaling_function: Serves its scaling; None when serverless.
        monitored: Its monitoring schedule, if it has one.
        version_parameter: The template's parameter that reads the live version, see
            :class:`~sagelens.LivePackage`.
    """

    stack_name: str
    endpoint_name: str
    variants: Sequence[str]
    endpoint_role: iam.IRole
    scaling_function: ScalingFunction | None = None
    monitored: Monitored | None = None
    version_parameter: str = LivePackage.PARAMETER


@dataclass(frozen=True, kw_only=True)
class ReleasePace:
    """How long a release waits for what.

    Args:
        poll_seconds: Between two looks at stack, lock or alarms.
        quiet_looks: How often it looks for ringing alarms to end before it restores.
        timeout_hours: After so long it is given up and told.
    """

    poll_seconds: int = 30
    quiet_looks: int = 20
    timeout_hours: float = 8
