"""What counts the products on shelf pictures that were looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from sagelens import Alarm, FunctionOptions, Network, PythonFunction, QueueOptions, WorkQueue
from sagelens.job_role import allow
from stacks.foundation_stack import FoundationStack

TELLING = ("Image Analysed", "Image Reviewed")
"""Events after which a picture may count."""


@dataclass(frozen=True, kw_only=True)
class Shelves:
    """Where shelf pictures lie and where their counts go.

    Args:
        bucket: Where pictures arrive.
        prefix: Folder of the shelf pictures.
        table: The retail table.
        rules: How boxes are counted, the fields of ``retail.counting.Rules``.
        record_days: Days after which a reading expires; None keeps it.
    """

    bucket: s3.IBucket
    prefix: str
    table: dynamodb.ITable
    rules: Mapping[str, Any]
    record_days: int | None


class ShelfCounting(Construct):
    """Event of a picture → rule → queue → function → counts of its reading, and their event.

    Args:
        scope: The parent construct.
        id: The construct's id.
        shelves: Where pictures lie and counts go.
        foundation: The environment's foundation.
        environment_name: Dimension of the metrics.
        function: Size and logs of the function.
        queue: How long a picture's event waits, and how often it is tried.
        network: Where the function runs; None: outside any network.
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
        shelves: Shelves,
        foundation: FoundationStack,
        environment_name: str,
        function: FunctionOptions,
        queue: QueueOptions,
        network: Network | None,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, id)
        self._shelves, self._foundation = shelves, foundation
        self.work = WorkQueue(
            self,
            "Work",
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            worker_timeout_seconds=function.timeout_seconds,
            options=queue,
        )
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="retail.counting_handler.handler",
            description="Counts the products on shelf pictures, and announces whole readings",
            statements=self._statements(),
            encryption_key=foundation.encryption_key,
            environment=self._variables(environment_name),
            options=function,
            network=network,
            removal_policy=removal_policy,
        )
        self.rule = self._rule()
        self.work.receive_from_rule(self.rule)
        lambda_.EventSourceMapping(
            self,
            "EventSource",
            target=self.worker.function,
            event_source_arn=self.work.queue.queue_arn,
            batch_size=10,
            max_concurrency=10,
            report_batch_item_failures=True,
        )
        self.error_alarm = Alarm(
            self,
            "ErrorAlarm",
            metric=self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            description="The function that counts shelves failed as a whole: see its log group",
            topic=foundation.alarm_topic,
        )

    def _variables(self, environment_name: str) -> dict[str, str]:
        days = self._shelves.record_days
        return {
            "ENVIRONMENT": environment_name,
            "EVENT_BUS": self._foundation.event_bus.event_bus_name,
            "PREFIX": self._shelves.prefix,
            "QUEUE_URL": self.work.queue.queue_url,
            "RECORD_DAYS": "" if days is None else str(days),
            "RESULTS_TABLE": self._foundation.results_table.table_name,
            "RULES": json.dumps(dict(self._shelves.rules), sort_keys=True),
            "TABLE": self._shelves.table.table_name,
        }

    def _statements(self) -> list[Any]:
        foundation = self._foundation
        return [
            allow("ReadRecords", ["dynamodb:GetItem"], [foundation.results_table.table_arn]),
            allow("Count", ["dynamodb:UpdateItem"], [self._shelves.table.table_arn]),
            allow("Announce", ["events:PutEvents"], [foundation.event_bus.event_bus_arn]),
            allow("UseKey", ["kms:Decrypt"], [foundation.encryption_key.key_arn]),
            *self.work.worker_statements(),
        ]

    def _rule(self) -> events.CfnRule:
        thing = {
            "bucket": [self._shelves.bucket.bucket_name],
            "key": [{"prefix": self._shelves.prefix}],
        }
        return events.CfnRule(
            self,
            "Rule",
            description="Queues each shelf picture that was looked at",
            event_bus_name=self._foundation.event_bus.event_bus_name,
            event_pattern={
                "source": ["sagelens.vision"],
                "detail-type": list(TELLING),
                "detail": {"object": thing},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.work.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.work.dead_letter_queue.queue_arn
                    ),
                )
            ],
        )
