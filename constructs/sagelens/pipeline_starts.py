"""What starts a training pipeline by itself: new data, or an event."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .errors import ArgumentErrors
from .pipeline_schedule import PipelineTarget
from .private_network import Network
from .python_function import FunctionOptions
from .queued_start import QueuedStart, Trigger
from .work_queue import QueueOptions

LONGEST_NAME = 64
"""CreateSchedule, Name: 1 to 64 letters, digits, hyphens, underscores and points."""

_NUMBER = 11
"""What the number of an interval adds to a name: minutes since 1970 have 8 digits till 2160."""


class PipelineStartOnData(QueuedStart):
    """New objects start a SageMaker pipeline: one run an interval, however many they are.

    Each object under the prefix is an event; the first of an interval makes a one-time schedule
    for the interval's end, named after it, which the others find there already. An event that
    comes late counts for the interval it comes in, so no object is missed.

    The bucket must be versioned and send its events to EventBridge.

    Sources: "Schedule types on EventBridge Scheduler" and "Using universal targets with
    EventBridge Scheduler" (Amazon EventBridge Scheduler); "StartPipelineExecution" (Amazon
    SageMaker API Reference: ``ClientRequestToken`` makes a second delivery harmless).

    Args:
        scope: The parent construct.
        id: The construct's id.
        target: The pipeline and its surroundings.
        schedule_name: What the schedules' names begin with, at most 53 letters, digits, hyphens,
            underscores and points; no other start of the group may have it.
        bucket: Where data arrive.
        prefix: Folder in it, for example ``churn/customers/``.
        interval_minutes: Length of an interval, 1 to 43,200 min.
        environment_name: Dimension of the metrics.
        function: Size and logs of the function.
        queue: How long events wait, and how often they are tried.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        work: The queue, its dead-letter queue and their alarms.
        worker: The function, its role and its log group.
        rule: The rule that queues each new object.
        start_role: What the schedules may do: start this pipeline.
        error_alarm: Rings when the function itself fails.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: PipelineTarget,
        schedule_name: str,
        bucket: s3.IBucket,
        prefix: str,
        interval_minutes: int,
        environment_name: str,
        function: FunctionOptions = FunctionOptions(timeout_seconds=30, memory_mb=256),
        queue: QueueOptions = QueueOptions(),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        errors = ArgumentErrors(f"PipelineStartOnData {scope.node.path}/{id}")
        errors.between("interval_minutes", interval_minutes, 1, 43_200, unit="min")
        errors.require(
            prefix.endswith("/") and not prefix.startswith("/"),
            f"prefix: got {prefix!r}, allowed is a folder such as 'churn/customers/'",
        )
        _check_name(errors, schedule_name, LONGEST_NAME - _NUMBER)
        errors.throw()
        super().__init__(
            scope,
            id,
            target=target,
            trigger=Trigger(
                mode="data",
                seconds=60 * interval_minutes,
                schedule_name=schedule_name,
                pattern={
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {
                        "bucket": {"name": [bucket.bucket_name]},
                        "object": {"key": [{"prefix": prefix}]},
                    },
                },
            ),
            environment_name=environment_name,
            function=function,
            queue=queue,
            network=network,
            removal_policy=removal_policy,
        )


class PipelineStartOnEvent(QueuedStart):
    """An event on a bus starts a SageMaker pipeline, but not again within a period.

    One schedule is kept for good: its time says when the pipeline was started last.

    Sources as of :class:`PipelineStartOnData`.

    Args:
        scope: The parent construct.
        id: The construct's id.
        target: The pipeline and its surroundings.
        schedule_name: The schedule's name, at most 64 letters, digits, hyphens, underscores and
            points; no other start of the group may have it.
        bus: Where the events are sent.
        model: Their ``detail.model``.
        period_days: Least time between two starts, 1 to 365 days.
        environment_name: Dimension of the metrics.
        source: Source of the events.
        detail_type: Their detail type.
        function: Size and logs of the function.
        queue: How long events wait, and how often they are tried.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        work: The queue, its dead-letter queue and their alarms.
        worker: The function, its role and its log group.
        rule: The rule that queues each event.
        start_role: What the schedule may do: start this pipeline.
        error_alarm: Rings when the function itself fails.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: PipelineTarget,
        schedule_name: str,
        bus: events.IEventBus,
        model: str,
        period_days: int,
        environment_name: str,
        source: str = "sagelens.drift",
        detail_type: str = "Retraining Requested",
        function: FunctionOptions = FunctionOptions(timeout_seconds=30, memory_mb=256),
        queue: QueueOptions = QueueOptions(),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        errors = ArgumentErrors(f"PipelineStartOnEvent {scope.node.path}/{id}")
        errors.between("period_days", period_days, 1, 365, unit="days")
        _check_name(errors, schedule_name, LONGEST_NAME)
        errors.throw()
        super().__init__(
            scope,
            id,
            target=target,
            trigger=Trigger(
                mode="event",
                seconds=86_400 * period_days,
                schedule_name=schedule_name,
                pattern={
                    "source": [source],
                    "detail-type": [detail_type],
                    "detail": {"model": [model]},
                },
                event={"source": source, "detail-type": detail_type, "model": model},
                bus_name=bus.event_bus_name,
            ),
            environment_name=environment_name,
            function=function,
            queue=queue,
            network=network,
            removal_policy=removal_policy,
        )


def _check_name(errors: ArgumentErrors, name: str, most: int) -> None:
    if cdk.Token.is_unresolved(name):
        return
    fits = all(sign.isascii() and (sign.isalnum() or sign in "-_.") for sign in name)
    errors.require(
        fits and 1 <= len(name) <= most,
        f"schedule_name: got {name!r}, allowed are 1 to {most} letters, digits and - _ .",
    )
