"""One page of an endpoint's figures."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from .endpoint_alarms import EndpointAlarms, endpoint_metric
from .endpoint_options import Instances, Variant


class EndpointDashboard(cloudwatch.Dashboard):
    """Invocations, errors, latency, processor, memory and drift of an endpoint, and its alarms.

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint_name: The endpoint.
        variants: Its variants.
        alarms: Its alarms.
        drift: Metrics of the drift watch, if there is one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        variants: Sequence[Variant],
        alarms: EndpointAlarms,
        drift: Sequence[cloudwatch.IMetric] = (),
    ) -> None:
        super().__init__(scope, id)
        self._endpoint_name = endpoint_name
        names = [variant.name for variant in variants]
        on_instances = any(isinstance(variant.capacity, Instances) for variant in variants)
        self.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title=endpoint_name, alarms=[*alarms.rollback, *alarms.others], width=24, height=3
            )
        )
        self.add_widgets(
            self._graph("Invocations a minute", names, [("Invocations", "Sum")]),
            self._graph(
                "Errors a minute",
                names,
                [("Invocation4XXErrors", "Sum"), ("Invocation5XXErrors", "Sum")],
            ),
            self._graph(
                "Model latency (µs)", names, [("ModelLatency", "p50"), ("ModelLatency", "p99")]
            ),
        )
        hosts = [("CPUUtilization", "Average")] if on_instances else []
        starts = [] if on_instances else [("ModelSetupTime", "p99")]
        self.add_widgets(
            self._graph("Hosts (%)", names, [*hosts, ("MemoryUtilization", "Average")]),
            self._graph(
                "Overhead and start (µs)",
                names,
                [("OverheadLatency", "p99"), *starts],
            ),
            *([cloudwatch.GraphWidget(title="Drift", left=list(drift), width=8)] if drift else []),
        )

    def _graph(
        self, title: str, variants: Sequence[str], metrics: Sequence[tuple[str, str]]
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            width=8,
            left=[
                endpoint_metric(
                    self._endpoint_name, name, variant=variant, statistic=statistic
                ).with_(label=f"{variant} {name} {statistic}")
                for variant in variants
                for name, statistic in metrics
            ],
        )
