"""What an endpoint's metrics say, and when they ring."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .endpoint_names import EndpointNames
from .endpoint_options import Instances, Thresholds, Variant

CALLS = "AWS/SageMaker"
HOSTS = "/aws/sagemaker/Endpoints"
HOST_METRICS = ("CPUUtilization", "MemoryUtilization", "DiskUtilization", "GPUUtilization")


def endpoint_metric(
    endpoint_name: str, name: str, *, variant: str, statistic: str = "Sum"
) -> cloudwatch.Metric:
    """A metric of a variant, by the minute.

    Latencies are in microseconds. Source: "Metrics for monitoring Amazon SageMaker AI with Amazon
    CloudWatch".

    Args:
        endpoint_name: The endpoint.
        name: ``Invocations``, ``InvocationsPerInstance``, ``Invocation4XXErrors``,
            ``Invocation5XXErrors``, ``InvocationModelErrors``, ``ModelLatency``,
            ``OverheadLatency``, ``ModelSetupTime``; ``CPUUtilization``, ``MemoryUtilization``,
            ``DiskUtilization`` or ``GPUUtilization``.
        variant: The variant.
        statistic: Such as ``Sum``, ``Average`` or ``p99``.
    """
    return cloudwatch.Metric(
        namespace=HOSTS if name in HOST_METRICS else CALLS,
        metric_name=name,
        dimensions_map={"EndpointName": endpoint_name, "VariantName": variant},
        statistic=statistic,
        period=cdk.Duration.minutes(1),
    )


class EndpointAlarms(Construct):
    """Alarms on every variant of an endpoint, whether the endpoint exists yet or not.

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint_name: The endpoint.
        variants: Its variants.
        topic: Where they ring.
        thresholds: From when.

    Attributes:
        rollback: The alarms that roll a deployment back: errors and latency of each variant.
        others: Those that only tell.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        variants: Sequence[Variant],
        topic: sns.ITopic,
        thresholds: Thresholds = Thresholds(),
    ) -> None:
        super().__init__(scope, id)
        self._endpoint_name = endpoint_name
        self._topic = topic
        self._names = EndpointNames(endpoint_name)
        self.rollback = [
            alarm for each in variants for alarm in self._rolling_back(each.name, thresholds)
        ]
        self.others = [alarm for each in variants for alarm in self._telling(each, thresholds)]

    def _rolling_back(self, variant: str, thresholds: Thresholds) -> list[cloudwatch.Alarm]:
        return [
            self._alarm(
                f"{variant}Errors",
                ("Invocation5XXErrors", variant, "Sum"),
                threshold=thresholds.errors,
                description=f"Variant {variant} of {self._endpoint_name} answers with 5xx",
                name=self._names.error_alarm(variant),
            ),
            self._alarm(
                f"{variant}Latency",
                ("ModelLatency", variant, "p99"),
                threshold=1000 * thresholds.latency_ms,
                description=f"Variant {variant} of {self._endpoint_name} answers slowly",
                name=self._names.latency_alarm(variant),
            ),
        ]

    def _telling(self, variant: Variant, thresholds: Thresholds) -> list[cloudwatch.Alarm]:
        name = variant.name
        alarms = [
            self._alarm(
                f"{name}BadRequests",
                ("Invocation4XXErrors", name, "Sum"),
                threshold=thresholds.bad_requests,
                description=f"Callers of {self._endpoint_name} get 4xx: requests are wrong, or "
                "more than it takes",
            )
        ]
        if isinstance(variant.capacity, Instances):
            alarms += [
                self._alarm(
                    f"{name}{metric}",
                    (metric, name, "Average"),
                    threshold=thresholds.utilization_percent,
                    description=f"{metric} of {self._endpoint_name}, variant {name}, is high",
                )
                for metric in ("CPUUtilization", "MemoryUtilization")
            ]
        return alarms

    def _alarm(
        self,
        id: str,
        watched: tuple[str, str, str],
        *,
        threshold: float,
        description: str,
        name: str | None = None,
    ) -> cloudwatch.Alarm:
        metric, variant, statistic = watched
        alarm = Alarm(
            self,
            id,
            metric=endpoint_metric(
                self._endpoint_name, metric, variant=variant, statistic=statistic
            ),
            threshold=threshold,
            description=description,
            topic=self._topic,
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_name = name
        return alarm
