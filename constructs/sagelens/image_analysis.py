"""Every image that arrives under a prefix is analysed, judged and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .analysis_calls import Operation, known_analyses, operations_of
from .backfill_options import BackfillShare
from .custom_models_table import CustomModels, given_by_arn
from .errors import ArgumentErrors
from .image_worker import AnswerReuse, ImageWorker, Instructions, Policy, Surroundings
from .pace import SMALLEST_DEFAULT_QUOTA, Pace, Retry
from .private_network import Network
from .python_function import FunctionOptions
from .review_share import ReviewShare
from .seen_objects import new_objects
from .work_queue import QueueOptions, WorkQueue


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
        large_results: Bucket for results that are too large for a record (under
            ``results/vision/``); without one such an image fails.
        reuse: When images with the same bytes are answered from an earlier record, which the table
            finds by its index ``contents``; None: never.
        custom_models: The Custom Labels models that ``analyses`` calls by name.
        review_share: When the share of images that wait for a person is unusual; None: never.
        backfill: What an :class:`ImageBackfill` gets of the quotas; None: there is none.
        function: Size and logs of the function.
        queue: How long an image waits, and how often it is tried.
        retry: When an image that failed is tried again.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        work: The queue, its dead-letter queue and their alarms.
        backfill_work: The same for what lies in the bucket already; None without a backfill.
        surroundings: What the function works with.
        instructions: What it is told.
        worker: The function, its role and its log group.
        rule: The rule that queues each new object.
        pace: How the quotas are shared out.
        error_alarm: Rings when the function itself fails.
        denied_alarm: Rings when AWS denies the function something it needs.
        failed_alarm: Rings when an image meets an error that no retry mends.
        review_alarms: Ring when the share of images for review is unusual.
        waiting_alarm: Rings when images wait for a Custom Labels model that is not running;
            None where no analysis calls one by its ARN: others are started for what waits.

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
        policy: Policy,
        quotas: Mapping[str, float] | None = None,
        record_days: int | None = None,
        large_results: s3.IBucket | None = None,
        reuse: AnswerReuse | None = None,
        custom_models: CustomModels | None = None,
        review_share: ReviewShare | None = ReviewShare(),
        backfill: BackfillShare | None = None,
        function: FunctionOptions = FunctionOptions(),
        queue: QueueOptions = QueueOptions(),
        retry: Retry = Retry(),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._environment_name = environment_name
        self._results = results
        self._encryption_key = encryption_key
        operations = self._operations(prefix, analyses, policy, review_share, reuse, backfill)
        called = [resource for each in operations for resource in each.resources]
        by_arn = given_by_arn(called, custom_models, f"ImageAnalysis {self.node.path}")
        self.pace = Pace.of(
            {
                each.name: (quotas or {}).get(each.name, SMALLEST_DEFAULT_QUOTA)
                for each in operations
            },
            timeout_seconds=function.timeout_seconds,
            calls_an_image={each.name: each.calls for each in operations},
            backfill_share=backfill.quota_share if backfill else None,
        )
        self.work = WorkQueue(
            self,
            "Work",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            worker_timeout_seconds=function.timeout_seconds,
            options=queue,
        )
        self.backfill_work = (
            WorkQueue(
                self,
                "BackfillWork",
                encryption_key=encryption_key,
                alarm_topic=alarm_topic,
                worker_timeout_seconds=function.timeout_seconds,
                options=backfill.queue(queue),
            )
            if backfill
            else None
        )
        self.surroundings = Surroundings(
            bucket=bucket,
            prefix=prefix,
            results=results,
            bus=bus,
            encryption_key=encryption_key,
            work=self.work,
            large_results=large_results,
            custom_models=custom_models,
            backfill_work=self.backfill_work,
            backfill_prefixes=backfill.prefixes if backfill else (),
        )
        self.instructions = Instructions(
            environment_name=environment_name,
            analyses=analyses,
            operations=operations,
            policy=policy,
            pace=self.pace,
            retry=retry,
            record_days=record_days,
            reuse=reuse,
        )
        self.worker = ImageWorker(
            self,
            "Worker",
            surroundings=self.surroundings,
            instructions=self.instructions,
            options=function,
            network=network,
            removal_policy=removal_policy,
        )
        self.rule = self._rule(bucket, prefix)
        self.work.receive_from_rule(self.rule)
        self._work_off("EventSource", self.work, self.pace.workers)
        if self.backfill_work:
            self._work_off("BackfillSource", self.backfill_work, self.pace.backfill_workers)
        self._watch(alarm_topic)
        self.review_alarms = (
            review_share.alarms(self, self.metric("ReviewShare"), alarm_topic)
            if review_share
            else []
        )
        self.waiting_alarm = (
            Alarm(
                self,
                "WaitingAlarm",
                metric=self.metric("MessagesWaiting"),
                description="Images wait for a Custom Labels model that is not running",
                topic=alarm_topic,
            )
            if by_arn
            else None
        )

    def _work_off(self, id: str, work: WorkQueue, workers: int) -> None:
        lambda_.EventSourceMapping(
            self,
            id,
            target=self.worker.function,
            event_source_arn=work.queue.queue_arn,
            batch_size=self.pace.batch,
            max_concurrency=workers,
            report_batch_item_failures=True,
        )

    def _watch(self, topic: sns.ITopic) -> None:
        self.error_alarm = Alarm(
            self,
            "ErrorAlarm",
            metric=self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            description="The image function failed as a whole: see its log group",
            topic=topic,
        )
        self.denied_alarm = Alarm(
            self,
            "DeniedAlarm",
            metric=self.metric("MessagesDenied"),
            description="AWS denies the image function something it needs; its messages wait",
            topic=topic,
        )
        self.failed_alarm = Alarm(
            self,
            "FailedAlarm",
            metric=self.metric("MessagesFailed"),
            description="The image function met an error that no retry mends: see its log group",
            topic=topic,
        )

    def _operations(
        self,
        prefix: str,
        analyses: Mapping[str, Mapping[str, Any]],
        policy: Mapping[str, object],
        review_share: ReviewShare | None,
        reuse: AnswerReuse | None,
        backfill: BackfillShare | None,
    ) -> list[Operation]:
        errors = ArgumentErrors(f"ImageAnalysis {self.node.path}")
        errors.require(
            prefix.endswith("/") and not prefix.startswith("/"),
            f"prefix: got {prefix!r}, allowed is a folder such as 'incoming/'",
        )
        if review_share:
            review_share.check(errors)
        if reuse:
            reuse.check(errors)
        if backfill:
            backfill.check(errors, prefix)
        errors.require(bool(analyses), "analyses: got none, allowed are one or more")
        known = known_analyses()
        unknown = sorted(set(analyses) - set(known))
        errors.require(not unknown, f"analyses: got {unknown}, allowed are {known}")
        errors.require(
            set(analyses) == set(policy),
            f"policy: got one for {sorted(policy)}, allowed is one for each of {sorted(analyses)}",
        )
        errors.throw()
        operations = operations_of(analyses)
        idle = sorted(each.name for each in operations if each.calls == 0)
        errors.require(not idle, f"analyses: {idle} is given no resource, allowed are one or more")
        errors.throw()
        return operations

    def _rule(self, bucket: s3.IBucket, prefix: str) -> events.CfnRule:
        return events.CfnRule(
            self,
            "Rule",
            description=f"Queues each new object under {prefix}",
            event_pattern=new_objects(bucket, prefix),
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

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the function, summed over five minutes.

        Args:
            name: ``ImagesAccepted``, ``ImagesForReview``, ``ImagesRejected``,
                ``ImagesUnusable``, ``ImagesRepeated``, ``ReviewShare``, ``CallsSaved``,
                ``DollarsSaved``, ``MessagesRetried``, ``MessagesDenied``, ``MessagesParked``,
                ``MessagesWaiting``, ``MessagesMalformed`` or ``MessagesFailed``.
        """
        return cloudwatch.Metric(
            namespace="Sagelens",
            metric_name=name,
            dimensions_map={"Environment": self._environment_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )

    def grant_read_results(self, grantee: iam.IGrantable) -> None:
        """Let a principal read records and use their key.

        Args:
            grantee: A role, user or function.
        """
        statements = [
            iam.PolicyStatement(
                sid="ReadResults",
                actions=["dynamodb:GetItem", "dynamodb:Query"],
                resources=[self._results.table_arn],
            ),
            iam.PolicyStatement(
                sid="DecryptResults",
                actions=["kms:Decrypt"],
                resources=[self._encryption_key.key_arn],
            ),
        ]
        for statement in statements:
            grantee.grant_principal.add_to_principal_policy(statement)
