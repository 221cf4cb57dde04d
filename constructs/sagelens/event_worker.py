"""A function that follows what is announced on a bus, and loses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .work_queue import QueueOptions, WorkQueue


class EventWorker(Construct):
    """Event on a bus → rule → queue → function.

    The function gets the variables ``ENVIRONMENT`` and ``QUEUE_URL``, and may work off its queue;
    the use of the queue's key is among the statements that are given.

    Args:
        scope: The parent construct.
        id: The construct's id.
        bus: Where events are announced.
        pattern: Which of them, as a rule's pattern.
        handler: Dotted path of the function below the functions' source.
        description: What the function does, for whoever meets it in the console.
        statements: What it may do, the use of the key included.
        encryption_key: Key of the queues, variables and logs.
        alarm_topic: Receives the alarms.
        environment_name: Dimension of its metrics.
        environment: Its further variables.
        batch: Messages at once, 1 to 10.
        workers: Batches side by side, 2 or more ("Configuring scaling behavior for SQS event source
            mappings", AWS Lambda).
        layers: Native packages that its code needs.
        function: Size and logs of the function.
        queue: How long a message waits, and how often it is tried.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        work: The queue, its dead-letter queue and their alarms.
        worker: The function, its role and its log group.
        rule: The rule that queues each event.
        error_alarm: Rings when the function itself fails.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bus: events.IEventBus,
        pattern: Mapping[str, Any],
        handler: str,
        description: str,
        statements: Sequence[iam.PolicyStatement],
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        environment_name: str,
        environment: Mapping[str, str],
        batch: int = 10,
        workers: int = 2,
        layers: Sequence[lambda_.ILayerVersion] = (),
        function: FunctionOptions = FunctionOptions(),
        queue: QueueOptions = QueueOptions(),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.work = WorkQueue(
            self,
            "Work",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            worker_timeout_seconds=function.timeout_seconds,
            options=queue,
        )
        self.worker = PythonFunction(
            self,
            "Worker",
            handler=handler,
            description=description,
            statements=[*statements, *self.work.worker_statements()],
            encryption_key=encryption_key,
            environment={
                "ENVIRONMENT": environment_name,
                "QUEUE_URL": self.work.queue.queue_url,
                **environment,
            },
            options=function,
            layers=layers,
            network=network,
            removal_policy=removal_policy,
        )
        self.rule = self.work.rule(
            self,
            bus_name=bus.event_bus_name,
            pattern=pattern,
            description=f"Queues events for the function that does this: {description}",
        )
        lambda_.EventSourceMapping(
            self,
            "EventSource",
            target=self.worker.function,
            event_source_arn=self.work.queue.queue_arn,
            batch_size=batch,
            max_concurrency=workers,
            report_batch_item_failures=True,
        )
        self.error_alarm = Alarm(
            self,
            "ErrorAlarm",
            metric=self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            description=f"A function failed as a whole, see its log group: {description}",
            topic=alarm_topic,
        )
