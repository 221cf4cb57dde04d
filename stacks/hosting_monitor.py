"""Amazon SageMaker Model Monitor in place of the drift watch, where the account still has it."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config import EndpointSettings, EnvironmentSettings, TrainingSettings
from sagelens import (
    Job,
    ModelEndpoint,
    ModelMonitorSchedule,
    MonitorJobRole,
    S3Folder,
    monitor_metric,
)
from sagelens.algorithms.image_uri import monitor_image_uri
from sagelens.live_version import LivePackage
from stacks.foundation_stack import FoundationStack
from stacks.hosting_plans import VARIANT, HostingNames, surroundings_of


def is_monitored(settings: EnvironmentSettings, endpoint: EndpointSettings) -> bool:
    """Whether Model Monitor watches an endpoint."""
    return settings.account_features.model_monitor and endpoint.drift is not None


def monitored_metrics(
    endpoint: EndpointSettings, names: HostingNames
) -> Sequence[cloudwatch.IMetric]:
    """The figures of an endpoint's monitoring schedule, for its dashboard.

    Args:
        endpoint: Its settings.
        names: Names of the model's hosting.
    """
    features = endpoint.drift.features if endpoint.drift else ()
    return [monitor_metric(names.endpoint, names.monitor, feature) for feature in features]


def monitor_role(
    scope: Construct,
    *,
    names: HostingNames,
    training: TrainingSettings,
    foundation: FoundationStack,
) -> MonitorJobRole:
    """The role of a monitoring schedule's jobs.

    Args:
        scope: A construct of the stack of releases.
        names: Names of the model's hosting.
        training: How models are trained.
        foundation: The environment's foundation.
    """
    bucket = foundation.models_bucket
    return MonitorJobRole(
        scope,
        "MonitorRole",
        endpoint_name=names.endpoint,
        captured=S3Folder(bucket=bucket, prefix=names.captured),
        baseline=_folder(bucket, names, "baseline"),
        reports=_folder(bucket, names, "reports"),
        image=monitor_image_uri(scope),
        encryption_key=foundation.encryption_key,
        variant=VARIANT,
        network=surroundings_of(training, foundation.network).network,
    )


def monitor(
    scope: Construct,
    *,
    names: HostingNames,
    settings: EndpointSettings,
    training: TrainingSettings,
    endpoint: ModelEndpoint,
    role: MonitorJobRole,
    live: LivePackage,
    foundation: FoundationStack,
) -> ModelMonitorSchedule:
    """An endpoint's monitoring schedule, which comes and goes with it.

    Args:
        scope: The hosting stack.
        names: Names of the model's hosting.
        settings: Settings of its endpoint.
        training: How models are trained.
        endpoint: The endpoint.
        role: Role of the jobs.
        live: What is live.
        foundation: The environment's foundation.
    """
    drift, bucket = settings.drift, foundation.models_bucket
    assert drift is not None and drift.monitor_schedule is not None
    return ModelMonitorSchedule(
        scope,
        "Monitor",
        name=names.monitor,
        endpoint=endpoint,
        role=role,
        baseline=_folder(bucket, names, "baseline"),
        reports=_folder(bucket, names, "reports"),
        image=monitor_image_uri(scope),
        features=drift.features,
        encryption_key=foundation.encryption_key,
        alarm_topic=foundation.alarm_topic,
        expression=drift.monitor_schedule,
        only_if=live.exists,
        job=Job(**drift.job.model_dump()),
        surroundings=surroundings_of(training, foundation.network),
    )


def _folder(bucket: s3.IBucket, names: HostingNames, name: str) -> S3Folder:
    return S3Folder(bucket=bucket, prefix=f"{names.model}/monitor/{name}/")
