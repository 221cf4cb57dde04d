"""Every image that arrives under a prefix is analysed, judged and recorded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .assets import constant, lambda_source
from .errors import ArgumentErrors
from .python_function import PythonFunction
from .work_queue import WorkQueue

SMALLEST_DEFAULT_QUOTA = 5.0
"""Calls a second that Amazon Rekognition grants a new account in most Regions."""

_BATCH = 10
_QUOTA_SHARE = 0.96  # room for calls that the service counts into the neighbouring second
_ASSUMED_CALL_SECONDS = 1.0
_FEWEST_WORKERS, _MOST_WORKERS = 2, 1000  # bounds of an event source's maximum concurrency


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a message that failed is tried again.

    Args:
        first_seconds: Longest wait after the first failure; it doubles with each further one.
        most_seconds: Longest wait of all.
        denied_seconds: Wait after a denied call: it outlasts the mending of a policy, so that
            a wrong permission does not carry the queue into the dead-letter queue.
    """

    first_seconds: int = 5
    most_seconds: int = 300
    denied_seconds: int = 900


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How one account's quotas are shared by the function's execution environments.

    Args:
        workers: Execution environments at work at once.
        batch: Messages that one takes at a time.
        calls: Calls a second of each operation for one execution environment.
    """

    workers: int
    batch: int
    calls: Mapping[str, float]

    @classmethod
    def of(cls, quotas: Mapping[str, float], *, timeout_seconds: float) -> Pace:
        """Share out the quotas so that a backlog fills them and hardly any call is refused.

        A worker analyses a batch side by side, so a batch takes about one call's time; workers
        are as many as fill the smallest quota at that rate, and each keeps to its share.

        Args:
            quotas: Calls a second of each operation, for the whole account and Region.
            timeout_seconds: The function's time-out; a batch is kept to half of it.
        """
        smallest = min(quotas.values())
        workers = math.ceil(smallest * _ASSUMED_CALL_SECONDS / _BATCH)
        workers = min(max(workers, _FEWEST_WORKERS), _MOST_WORKERS)
        calls = {
            operation: round(quota * _QUOTA_SHARE / workers, 3)
            for operation, quota in sorted(quotas.items())
        }
        fits = math.floor(min(calls.values()) * timeout_seconds / 2)
        return cls(workers=workers, batch=min(_BATCH, max(1, fits)), calls=calls)


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where a function runs when it has a network.

    Args:
        vpc: A network with isolated subnets and endpoints to the services that it calls.
        security_groups: Security groups for the function.
    """

    vpc: ec2.IVpc
    security_groups: Sequence[ec2.ISecurityGroup] = field(default_factory=tuple)


class ImageAnalysis(Construct):
    """Object in a bucket → queue → function → Amazon Rekognition → policy → record and event.

    The bucket must be versioned and send its events to EventBridge. Events are filtered by
    prefix only: what an object is, its bytes tell.

    Sources: "Amazon S3 Event Notifications with EventBridge" (Amazon S3); "Guidelines and quotas
    in Amazon Rekognition"; "Configuring scaling behavior for SQS event source mappings" and
    "Implementing partial batch responses" (AWS Lambda).

    Args:
        scope: The parent construct.
        id: The construct's id.
        bucket: Where images arrive.
        prefix: Only objects whose key begins with it are analysed, for example ``incoming/``.
        results: Table of the records, with the keys ``pk`` and ``sk``.
        bus: Event bus that hears of each result.
        encryption_key: Key of the bucket, table, queues and logs.
        alarm_topic: Receives the alarms.
        environment_name: Dimension of the metrics.
        analyses: Settings by name of the analysis, for example
            ``{"moderation": {"minimum_confidence": 60}}``.
        policy: By analysis and by label (``*`` for any other) the bands of confidence, in per
            cent, that accept, review or reject, for example
            ``{"moderation": {"*": {"accept": [0, 60], "reject": [60, 100]}}}``.
        quotas: Calls a second that the account has for each operation used; 5 where not given.
        record_days: Days after which a record expires; kept for good when absent.
        timeout: The function's time-out.
        memory_mb: The function's memory.
        max_receives: Times that a message is tried before it is set aside.
        retention: How long a message waits.
        dead_letter_retention: How long a message that was set aside waits.
        retry: When a message that failed is tried again.
        log_retention_days: Days to keep logs.
        removal_policy: What becomes of the logs when the stack is deleted.
        network: Where the function runs; by default outside any network of yours.

    Attributes:
        work: The queue, its dead-letter queue and their alarms.
        worker: The function, its role and its log group.
        rule: The rule that queues each new object.
        pace: How the quotas are shared out.
        error_alarm: Rings when the function itself fails.
        denied_alarm: Rings when AWS denies the function something it needs.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: s3.IBucket,
        prefix: str,
        results: dynamodb.ITable,
        bus: events.IEventBus,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        environment_name: str,
        analyses: Mapping[str, Mapping[str, Any]],
        policy: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
        quotas: Mapping[str, float] | None = None,
        record_days: int | None = None,
        timeout: cdk.Duration | None = None,
        memory_mb: int = 512,
        max_receives: int = 8,
        retention: cdk.Duration | None = None,
        dead_letter_retention: cdk.Duration | None = None,
        retry: Retry | None = None,
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, id)
        timeout = timeout or cdk.Duration.seconds(60)
        operations = self._operations(prefix, analyses, policy)
        granted = {
            operation: (quotas or {}).get(operation, SMALLEST_DEFAULT_QUOTA)
            for operation in operations
        }
        self.pace = Pace.of(granted, timeout_seconds=timeout.to_seconds())
        self.work = WorkQueue(
            self,
            "Work",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            worker_timeout=timeout,
            max_receives=max_receives,
            retention=retention,
            dead_letter_retention=dead_letter_retention,
        )
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="image_analysis.handler.handler",
            description="Analyses each new image with Amazon Rekognition and records the decision",
            statements=_statements(
                bucket, prefix, results, bus, encryption_key, operations, self.work
            ),
            encryption_key=encryption_key,
            environment={
                "ENVIRONMENT": environment_name,
                "EVENT_BUS": bus.event_bus_name,
                "QUEUE_URL": self.work.queue.queue_url,
                "RECORD_DAYS": "" if record_days is None else str(record_days),
                "RESULTS_TABLE": results.table_name,
                "SETTINGS": _settings(analyses, policy, self.pace, retry or Retry()),
            },
            timeout=timeout,
            memory_mb=memory_mb,
            log_retention_days=log_retention_days,
            removal_policy=removal_policy,
            vpc=network.vpc if network else None,
            security_groups=network.security_groups if network else (),
        )
        self.rule = self._rule(bucket, prefix)
        self.work.receive_from_rule(self.rule)
        lambda_.EventSourceMapping(
            self,
            "EventSource",
            target=self.worker.function,
            event_source_arn=self.work.queue.queue_arn,
            batch_size=self.pace.batch,
            max_concurrency=self.pace.workers,
            report_batch_item_failures=True,
        )
        self.error_alarm = self._alarm(
            "ErrorAlarm",
            self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            "The image function failed as a whole: see its log group",
            alarm_topic,
        )
        self.denied_alarm = self._alarm(
            "DeniedAlarm",
            self.metric_denied(environment_name),
            "AWS denies the image function something it needs; its messages wait",
            alarm_topic,
        )

    def _operations(
        self, prefix: str, analyses: Mapping[str, object], policy: Mapping[str, object]
    ) -> list[str]:
        errors = ArgumentErrors(f"ImageAnalysis {self.node.path}")
        errors.require(
            prefix.endswith("/") and not prefix.startswith("/"),
            f"prefix: got {prefix!r}, allowed is a folder such as 'incoming/'",
        )
        errors.require(bool(analyses), "analyses: got none, allowed are one or more")
        folder = lambda_source() / "image_analysis" / "analyses"
        known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
        errors.require(
            set(analyses) <= set(known),
            f"analyses: got {sorted(set(analyses) - set(known))}, allowed are {known}",
        )
        errors.require(
            set(analyses) == set(policy),
            f"policy: got one for {sorted(policy)}, allowed is one for each of {sorted(analyses)}",
        )
        errors.throw()
        found = {constant(folder / f"{name}.py", "OPERATION") for name in analyses}
        return sorted(operation for operation in found if operation)

    def _rule(self, bucket: s3.IBucket, prefix: str) -> events.CfnRule:
        return events.CfnRule(
            self,
            "Rule",
            description=f"Queues each new object under {prefix}",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": prefix}]},
                },
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

    def _alarm(
        self, id: str, metric: cloudwatch.Metric, description: str, topic: sns.ITopic
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm

    def metric_denied(self, environment_name: str) -> cloudwatch.Metric:
        """Images that wait because AWS denied the function something."""
        return cloudwatch.Metric(
            namespace="Sagelens",
            metric_name="MessagesDenied",
            dimensions_map={"Environment": environment_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )


def _settings(
    analyses: Mapping[str, Mapping[str, Any]],
    policy: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
    pace: Pace,
    retry: Retry,
) -> str:
    settings = {
        "analyses": analyses,
        "policy": policy,
        "pace": pace.calls,
        "retry": {
            "first": retry.first_seconds,
            "most": retry.most_seconds,
            "denied": retry.denied_seconds,
        },
    }
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))


def _statements(
    bucket: s3.IBucket,
    prefix: str,
    results: dynamodb.ITable,
    bus: events.IEventBus,
    key: kms.IKey,
    operations: Sequence[str],
    work: WorkQueue,
) -> list[iam.PolicyStatement]:
    images = bucket.arn_for_objects(f"{prefix}*")
    return [
        iam.PolicyStatement(
            sid="Analyse",
            actions=[f"rekognition:{operation}" for operation in operations],
            resources=["*"],  # these actions take no resource
        ),
        iam.PolicyStatement(
            # Objects are always read by their version id, by Rekognition with this role too.
            sid="ReadImages",
            actions=["s3:GetObjectVersion"],
            resources=[images],
        ),
        iam.PolicyStatement(
            # Without it S3 answers 403, not 404, for an object that is gone.
            sid="TellGoneFromDenied",
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
        ),
        iam.PolicyStatement(
            sid="Quarantine",
            actions=["s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging"],
            resources=[images],
        ),
        iam.PolicyStatement(
            sid="Record",
            actions=["dynamodb:UpdateItem"],
            resources=[results.table_arn],
        ),
        iam.PolicyStatement(
            sid="Announce", actions=["events:PutEvents"], resources=[bus.event_bus_arn]
        ),
        iam.PolicyStatement(sid="UseKey", actions=["kms:Decrypt"], resources=[key.key_arn]),
        *work.worker_statements(),
    ]
