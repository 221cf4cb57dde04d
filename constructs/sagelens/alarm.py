"""An alarm that tells the environment's topic."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


class Alarm(cloudwatch.Alarm):
    """Rings as soon as one period of a metric reaches a threshold; silence is no alarm.

    Args:
        scope: The parent construct.
        id: The construct's id.
        metric: What is watched, with its statistic and period.
        threshold: The value from which it rings, in the metric's unit.
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
        description: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(
            scope,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        self.add_alarm_action(actions.SnsAction(topic))
