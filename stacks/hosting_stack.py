"""What answers requests for one model."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config import EndpointSettings, EnvironmentSettings
from sagelens.endpoint_options import Variant
from sagelens.live_version import LivePackage
from sagelens.model_endpoint import ModelEndpoint
from stacks.batch_stack import BatchStack
from stacks.drift_stack import DriftStack, watched
from stacks.foundation_stack import FoundationStack
from stacks.hosting_monitor import is_monitored, monitor, monitored_metrics
from stacks.hosting_plans import (
    VARIANT,
    HostingNames,
    capacity_of,
    capture_of,
    deployment_of,
    network_of,
    thresholds_of,
)
from stacks.platform_stack import PlatformStack
from stacks.releases_stack import ReleasesStack
from stacks.training_stack import pascal


class HostingStack(PlatformStack):
    """A model's endpoint. Releases update this stack with its own template, by its name.

    So it is one stack an endpoint, nothing imports from it, and it holds what a release may
    change and no role, bucket or function.

    Args:
        scope: The app.
        settings: The environment's settings.
        model: The model's name.
        endpoint: How its endpoint is to be.
        foundation: The environment's foundation.
        releases: What releases its versions.

    Attributes:
        live: What is live, as the template reads it.
        endpoint: The endpoint, there from the first approved version on.
        monitor: Model Monitor's schedule, if it watches the endpoint.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        model: str,
        endpoint: EndpointSettings,
        foundation: FoundationStack,
        releases: ReleasesStack,
    ) -> None:
        names = HostingNames(settings.name, model)
        super().__init__(
            scope,
            names.capability,
            settings=settings,
            description=f"Sagelens: endpoint of the model {model}",
        )
        # The template reads the live version by its parameter's name, which CDK cannot see.
        self.add_stack_dependency(releases)
        self.live = LivePackage(self, "Live", parameter_name=names.live_parameter)
        bucket = foundation.models_bucket
        self.capture = capture_of(endpoint, names=names, bucket=bucket)
        self.endpoint = ModelEndpoint(
            self,
            "Endpoint",
            endpoint_name=names.endpoint,
            variants=[
                Variant(
                    name=VARIANT,
                    model_package=self.live.model_package,
                    capacity=capacity_of(endpoint),
                )
            ],
            role=releases.models[model].endpoint_role,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            deployment=deployment_of(endpoint),
            capture=self.capture,
            thresholds=thresholds_of(endpoint),
            network=network_of(endpoint, foundation.network),
            network_isolation=endpoint.isolated,
            scaling_function=releases.functions.scaling,
            drift=self._figures(endpoint, names),
            only_if=self.live.exists,
            log_retention_days=settings.log_retention_days,
        )
        role = releases.models[model].monitor_role
        self.monitor = (
            monitor(
                self,
                names=names,
                settings=endpoint,
                training=releases.training,
                endpoint=self.endpoint,
                role=role,
                live=self.live,
                foundation=foundation,
            )
            if role
            else None
        )
        self._export_all(pascal(model), model)

    def _figures(
        self, endpoint: EndpointSettings, names: HostingNames
    ) -> Sequence[cloudwatch.IMetric]:
        """What the dashboard shows of drift."""
        if endpoint.drift is None:
            return ()
        if is_monitored(self.settings, endpoint):
            return monitored_metrics(endpoint, names)
        return watched(names)

    def _export_all(self, prefix: str, model: str) -> None:
        endpoint = self.endpoint
        self.export(f"{prefix}EndpointName", endpoint.endpoint_name, f"Answers for {model}")
        self.export(f"{prefix}EndpointArn", endpoint.endpoint_arn, "For policies of callers")
        self.export(
            f"{prefix}DashboardName", endpoint.dashboard.dashboard_name, f"Figures of {model}"
        )
        if self.capture:
            self.export(
                f"{prefix}CapturedPrefix",
                f"{self.capture.folder.prefix}{endpoint.endpoint_name}/",
                "Where in the models bucket requests are kept",
            )


def add_hosting(
    scope: Construct, *, settings: EnvironmentSettings, foundation: FoundationStack
) -> None:
    """Add an environment's releases, after them a hosting stack for each model, drift watches and
    batch scoring.

    Args:
        scope: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
    """
    hosting, training = settings.hosting, settings.training
    if hosting is None or training is None:
        return
    watches = not settings.account_features.model_monitor
    if watches and any(endpoint.drift for endpoint in hosting.models.values()):
        DriftStack(
            scope, settings=settings, hosting=hosting, training=training, foundation=foundation
        )
    if any(endpoint.batch for endpoint in hosting.models.values()):
        BatchStack(
            scope, settings=settings, hosting=hosting, training=training, foundation=foundation
        )
    releases = ReleasesStack(
        scope, settings=settings, hosting=hosting, training=training, foundation=foundation
    )
    for model, endpoint in hosting.models.items():
        HostingStack(
            scope,
            settings=settings,
            model=model,
            endpoint=endpoint,
            foundation=foundation,
            releases=releases,
        )
