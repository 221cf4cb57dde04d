"""An alarm that tells the environment's topic."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


class Alarm(cloudwatch.Alarm):
    """Rings as soon as a metric reaches a threshold for some periods; silence is no alarm.

    Args:
        scope: The parent construct.
        id: The construct's id.
        metric: What is watched, with its statistic and period.
        threshold: The value from which it rings, in the metric's unit.
        falling: Whether it rings below the threshold instead.
        periods: How many periods must be so, at any time of the last ``of_periods``.
        of_periods: How many periods are looked at; ``periods`` when absent.
        description: What it means, for whoever is woken by it.
        topic: Where it is told.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        metric: cloudwatch.IMetric,
        threshold: float = 1,
        falling: bool = False,
        periods: int = 1,
        of_periods: int | None = None,
        description: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(
            scope,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=of_periods or periods,
            datapoints_to_alarm=periods if of_periods else None,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            if falling
            else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        self.add_alarm_action(actions.SnsAction(topic))
