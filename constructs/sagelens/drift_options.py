"""When a drift watch looks, and the metrics that it publishes."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from .drift_definition import NAMESPACE


@dataclass(frozen=True, kw_only=True)
class WatchPeriod:
    """When a watch looks, and at what.

    A look at ``schedule`` covers the ``hours`` that ended ``delay_minutes`` before, rounded down
    to the whole hour: at 02:00 with a delay of 60 min, the 24 h until 01:00. What the version
    before answered is left out, until ``settle_minutes`` after the live version was released.

    Args:
        schedule: ``rate(1 day)``, or in UTC ``cron(0 2 * * ? *)``.
        hours: Length of a period, 1 to 744 h. From 6 h on, whole days' folders are read to pick
            them from; from 97 h on, whole months'.
        delay_minutes: How late captured files, or labels, may come, 5 to 129,600 min (90 days).
        settle_minutes: How long a release may take to shift all traffic, 0 to 1,440 min.
    """

    schedule: str = "cron(0 2 * * ? *)"
    hours: int = 24
    delay_minutes: int = 60
    settle_minutes: int = 60


def drift_metric(
    watch_name: str,
    endpoint_name: str,
    name: str = "DriftDetected",
    *,
    statistic: str = "Maximum",
    period: cdk.Duration | None = None,
    **dimensions: str,
) -> cloudwatch.Metric:
    """A metric of a drift watch, for an alarm or a dashboard in any stack.

    Args:
        watch_name: The watch's ``name``.
        endpoint_name: The endpoint.
        name: ``DriftDetected``, ``DriftedFeatures``, ``CapturedRows``, ``UnusableRequests``,
            ``PredictionPSI``, ``SelectionRate``, ``LabelledRows``, ``AUC``, ``LogLoss``,
            ``CalibrationGap``, ``Precision``, ``Recall``; ``FeaturePSI`` with ``Feature``;
            ``DisparateImpact`` and ``DPPL`` with ``Facet``.
        statistic: Such as ``Maximum``.
        period: An hour when absent.
        dimensions: ``Feature="tenure"`` or ``Facet="gender=Female"``.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"Endpoint": endpoint_name, "Watch": watch_name, **dimensions},
        statistic=statistic,
        period=period or cdk.Duration.hours(1),
    )
