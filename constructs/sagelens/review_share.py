"""How many of the judged images usually wait for a person, and alarms when that shifts."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .errors import ArgumentErrors

HOURS_LOOKED_AT = 24
"""An alarm with periods of an hour looks back seven days at most; one is enough here."""


@dataclass(frozen=True, kw_only=True)
class ReviewShare:
    """Which share of the judged images usually waits for a person.

    The share is the average of a metric that is 1 for an image for review and 0 for any other,
    so that no metric math is needed.

    Args:
        least: Share from 0 to 1; below it is unusual. 0: it cannot be too low.
        most: Share from 0 to 1; from it on it is unusual.
        hours: In how many hours of the last 24 it must be so. Hours without an image do not
            count, so that a few images of a quiet day do not ring.
    """

    least: float = 0
    most: float = 0.5
    hours: int = 3

    def check(self, errors: ArgumentErrors) -> None:
        """Note bounds that nothing can lie between, and too many hours."""
        errors.require(
            0 <= self.least < self.most <= 1,
            f"review_share: got least {self.least:g} and most {self.most:g}, allowed are shares "
            "from 0 to 1, the first below the second",
        )
        errors.between("review_share.hours", self.hours, 1, HOURS_LOOKED_AT)

    def alarms(self, scope: Construct, metric: cloudwatch.Metric, topic: sns.ITopic) -> list[Alarm]:
        """Alarms on a share that is too high and, where one can be, too low.

        Args:
            scope: The parent construct.
            metric: 1 for an image for review, 0 for any other.
            topic: Where they tell.
        """
        share = metric.with_(statistic="Average", period=cdk.Duration.hours(1))
        words = "than usual wait for a person: has what arrives changed, or the policy?"
        high = Alarm(
            scope,
            "ReviewShareHighAlarm",
            metric=share,
            threshold=self.most,
            periods=self.hours,
            of_periods=HOURS_LOOKED_AT,
            description=f"More images {words}",
            topic=topic,
        )
        if not self.least:
            return [high]
        low = Alarm(
            scope,
            "ReviewShareLowAlarm",
            metric=share,
            threshold=self.least,
            falling=True,
            periods=self.hours,
            of_periods=HOURS_LOOKED_AT,
            description=f"Fewer images {words}",
            topic=topic,
        )
        return [high, low]
