"""What starts a pipeline by way of a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .alarm import Alarm
from .pipeline_schedule import PipelineTarget, allow, starting_role
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .work_queue import QueueOptions, WorkQueue


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Which events start a pipeline, and how often.

    Args:
        mode: ``data`` starts at the end of each interval in which an event came; ``event`` at
            once, but not again within the period.
        seconds: The interval or period.
        schedule_name: Name of the schedule, or what the names of the schedules begin with.
        pattern: The events, as a rule's pattern.
        event: Source, detail type and model of the events of ``event``.
        bus_name: Bus that they come on; None: the account's own.
    """

    mode: Literal["data", "event"]
    seconds: int
    schedule_name: str
    pattern: Mapping[str, Any]
    event: Mapping[str, str] = field(default_factory=dict[str, str])
    bus_name: str | None = None


class QueuedStart(Construct):
    """Event → rule → queue → function → one-time schedule → pipeline.

    What :class:`~sagelens.PipelineStartOnData` and :class:`~sagelens.PipelineStartOnEvent` have
    in common; their arguments are described there.

    Attributes:
        work: The queue, its dead-letter queue and their alarms. What schedules could not start
            is set aside in the dead-letter queue too, and may be sent back to work.
        worker: The function, its role and its log group.
        rule: The rule that queues each event.
        start_role: What the schedules may do: start this pipeline.
        error_alarm: Rings when the function itself fails.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: PipelineTarget,
        trigger: Trigger,
        environment_name: str,
        function: FunctionOptions,
        queue: QueueOptions,
        network: Network | None,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, id)
        self._target = target
        self._trigger = trigger
        self._environment_name = environment_name
        self.work = WorkQueue(
            self,
            "Work",
            encryption_key=target.encryption_key,
            alarm_topic=target.alarm_topic,
            worker_timeout_seconds=function.timeout_seconds,
            options=queue,
        )
        self.start_role = starting_role(self, target, self.work.dead_letter_queue)
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="pipeline_start.handler.handler",
            description=f"Schedules starts of {target.name}",
            statements=self._statements(),
            encryption_key=target.encryption_key,
            environment={
                "ENVIRONMENT": environment_name,
                "QUEUE_URL": self.work.queue.queue_url,
                "START": cdk.Stack.of(self).to_json_string(self._start()),
            },
            options=function,
            network=network,
            removal_policy=removal_policy,
        )
        self.rule = self.work.rule(
            self,
            bus_name=self._trigger.bus_name,
            pattern=self._trigger.pattern,
            description=f"Queues what asks for a start of {target.name}",
        )
        lambda_.EventSourceMapping(
            self,
            "EventSource",
            target=self.worker.function,
            event_source_arn=self.work.queue.queue_arn,
            batch_size=10,
            max_concurrency=2,
            report_batch_item_failures=True,
        )
        self.error_alarm = Alarm(
            self,
            "ErrorAlarm",
            metric=self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            description=f"The function that starts {target.name} failed: see its log group",
            topic=target.alarm_topic,
        )

    def _start(self) -> dict[str, Any]:
        partition = cdk.Aws.PARTITION
        return {
            "mode": self._trigger.mode,
            "seconds": self._trigger.seconds,
            "event": dict(self._trigger.event),
            "pipeline": self._target.name,
            "schedule": self._trigger.schedule_name,
            "group": self._target.group.ref,
            "role": self.start_role.role_arn,
            "key": self._target.encryption_key.key_arn,
            "dead_letters": self.work.dead_letter_queue.queue_arn,
            # "Using universal targets with EventBridge Scheduler".
            "target": f"arn:{partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
        }

    def _statements(self) -> list[iam.PolicyStatement]:
        kept = self._trigger.mode == "event"
        actions = ["CreateSchedule", *(("GetSchedule", "UpdateSchedule") if kept else ())]
        names = self._trigger.schedule_name + ("" if kept else "-*")
        schedules = cdk.Stack.of(self).format_arn(
            service="scheduler",
            resource="schedule",
            resource_name=f"{self._target.group.ref}/{names}",
        )
        return [
            allow("Schedule", [f"scheduler:{action}" for action in actions], schedules),
            iam.PolicyStatement(
                sid="PassStartRole",
                actions=["iam:PassRole"],
                resources=[self.start_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            ),
            # Of the queue and the variables; and whoever makes an encrypted schedule needs all
            # three ("Using identity-based policies in EventBridge Scheduler").
            allow(
                "UseKey",
                ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                self._target.encryption_key.key_arn,
            ),
            *self.work.worker_statements(),
        ]

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the functions that start pipelines, summed over five minutes.

        Args:
            name: ``RunsScheduled``, ``StartsRepeated``, ``StartsMalformed`` or ``StartsFailed``.
        """
        return cloudwatch.Metric(
            namespace="Sagelens",
            metric_name=name,
            dimensions_map={"Environment": self._environment_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )
