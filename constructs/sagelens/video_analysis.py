"""Every stored video that arrives under a prefix is analysed, judged by time and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .analysis_calls import known_video_analyses
from .errors import ArgumentErrors
from .image_worker import Policy
from .job_machine import JobMachine
from .job_role import allow
from .machine_trigger import MachineTrigger
from .private_network import Network
from .python_function import FunctionOptions
from .release_roles import log_and_trace
from .seen_objects import LARGE_RESULTS, new_objects
from .state_machine import states_principal
from .video_definition import video_definition
from .video_options import VideoPolling
from .video_worker import VideoInstructions, VideoPlaces, VideoWorker


class VideoAnalysis(Construct):
    """Object in a bucket → state machine → jobs of Amazon Rekognition → policy → record and event.

    The bucket must be versioned and send its events to EventBridge. The jobs of a video run side
    by side, as far as the account's limit of jobs allows; those beyond it wait for their turn in
    the state machine, which looks at them until they end. There is no topic and no table of jobs.

    Sources: "Working with stored video analysis operations" and "Guidelines and quotas in Amazon
    Rekognition"; "Amazon S3 Event Notifications with EventBridge" (Amazon S3); "Step Functions
    service quotas".

    Args:
        scope: The parent construct.
        id: The construct's id.
        bucket: Where videos arrive.
        prefix: Only objects whose key begins with it are analysed, for example ``videos/``.
        results: Table of the records, with the keys ``pk`` and ``sk``.
        results_bucket: Bucket of the results, one JSON document a video under
            ``results/vision/``.
        bus: Event bus that hears of each result.
        encryption_key: Key of buckets, table, queue, logs and executions.
        alarm_topic: Receives the alarms.
        environment_name: Dimension of the metrics.
        analyses: Settings by name of the analysis, for example
            ``{"moderation": {"minimum_confidence": 60}}``.
        policy: By analysis and by label (``*`` for any other) the bands of confidence, in per
            cent, that accept, review or reject; as for images.
        record_days: Days after which a record expires; kept for good when absent.
        polling: When the jobs are looked at.
        denied_seconds: Pause after AWS denied the function something, 1 to 43,200 s.
        backlog_alarm_minutes: How long a video may wait for its jobs to start before it rings.
        function: Size and logs of the function.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of logs and queue when the stack is deleted.

    Attributes:
        worker: The function, its role and its log group.
        machine: The state machine, its logs, and its alarms on executions that fail.
        machine_role: What the state machine may do.
        trigger: The rule, its role and its dead-letter queue.
        denied_alarm: Rings when AWS denies the function something it needs.
        backlog_alarm: Rings when a video waits too long for its jobs to start.

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
        results_bucket: s3.IBucket,
        bus: events.IEventBus,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        environment_name: str,
        analyses: Mapping[str, Mapping[str, Any]],
        policy: Policy,
        record_days: int | None = None,
        polling: VideoPolling = VideoPolling(),
        denied_seconds: int = 900,
        backlog_alarm_minutes: int = 240,
        function: FunctionOptions = FunctionOptions(timeout_seconds=900, memory_mb=1024),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._results, self._results_bucket = results, results_bucket
        self._encryption_key, self._environment_name = encryption_key, environment_name
        self._check(prefix, analyses, policy, polling, denied_seconds, backlog_alarm_minutes)
        self.worker = VideoWorker(
            self,
            "Worker",
            places=VideoPlaces(
                bucket=bucket,
                prefix=prefix,
                results=results,
                results_bucket=results_bucket,
                bus=bus,
                encryption_key=encryption_key,
            ),
            instructions=VideoInstructions(
                environment_name=environment_name,
                analyses=analyses,
                policy=policy,
                polling=polling,
                record_days=record_days,
            ),
            options=function,
            network=network,
            removal_policy=removal_policy,
        )
        self.machine_role = self._role()
        self.machine = JobMachine(
            self,
            "Machine",
            role=self.machine_role,
            definition=video_definition(
                partition=cdk.Aws.PARTITION,
                function_arn=self.worker.function.function_arn,
                denied_seconds=denied_seconds,
                timeout_seconds=3600 * polling.give_up_hours,
            ),
            what="The analysis of a video",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            log_retention_days=function.log_retention_days,
            removal_policy=removal_policy,
        )
        self.trigger = MachineTrigger(
            self,
            "Trigger",
            pattern=new_objects(bucket, prefix),
            description=f"Analyses each new video under {prefix}",
            starts="the analysis of a video",
            undelivered="A new video could not start its analysis",
            state_machine=self.machine.state_machine,
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )
        self._watch(alarm_topic, backlog_alarm_minutes)

    def _check(
        self,
        prefix: str,
        analyses: Mapping[str, Mapping[str, Any]],
        policy: Mapping[str, object],
        polling: VideoPolling,
        denied_seconds: int,
        backlog_alarm_minutes: int,
    ) -> None:
        errors = ArgumentErrors(f"VideoAnalysis {self.node.path}")
        errors.require(
            prefix.endswith("/") and not prefix.startswith("/"),
            f"prefix: got {prefix!r}, allowed is a folder such as 'videos/'",
        )
        known = known_video_analyses()
        unknown = sorted(set(analyses) - set(known))
        errors.require(bool(analyses), "analyses: got none, allowed are one or more")
        errors.require(not unknown, f"analyses: got {unknown}, allowed are {known}")
        errors.require(
            set(analyses) == set(policy),
            f"policy: got one for {sorted(policy)}, allowed is one for each of {sorted(analyses)}",
        )
        polling.check(errors)
        errors.between("denied_seconds", denied_seconds, 1, 43_200, unit="s")
        errors.between("backlog_alarm_minutes", backlog_alarm_minutes, 1, 10_080, unit="min")
        errors.throw()

    def _role(self) -> iam.Role:
        statements = [
            allow("Work", ["lambda:InvokeFunction"], [self.worker.function.function_arn]),
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [self._encryption_key.key_arn]),
            *log_and_trace(),
        ]
        return iam.Role(
            self,
            "MachineRole",
            description="The state machine that analyses videos",
            assumed_by=states_principal(),
            inline_policies={"analyse": iam.PolicyDocument(statements=statements)},
        )

    def _watch(self, topic: sns.ITopic, backlog_alarm_minutes: int) -> None:
        self.denied_alarm = Alarm(
            self,
            "DeniedAlarm",
            metric=self.metric("VideoStepsDenied"),
            description="AWS denies the video function something it needs; its videos wait",
            topic=topic,
        )
        self.backlog_alarm = Alarm(
            self,
            "BacklogAlarm",
            metric=self.metric("VideoWaitMilliseconds").with_(statistic="Maximum"),
            threshold=60_000 * backlog_alarm_minutes,
            description="A video waits too long for its jobs to start: see the limit of jobs",
            topic=topic,
        )

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the function, summed over five minutes.

        Args:
            name: ``VideosAccepted``, ``VideosForReview``, ``VideosRejected``, ``VideosUnusable``,
                ``VideosPartial``, ``VideosRepeated``, ``AnalysedMinutes``,
                ``VideoWaitMilliseconds``, ``VideoStepsRetried``, ``VideoStepsDenied`` or
                ``VideoStepsFailed``.
        """
        return cloudwatch.Metric(
            namespace="Sagelens",
            metric_name=name,
            dimensions_map={"Environment": self._environment_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )

    def grant_read_results(self, grantee: iam.IGrantable) -> None:
        """Let a principal read records and results, and use their key.

        Args:
            grantee: A role, user or function.
        """
        documents = self._results_bucket.arn_for_objects(f"{LARGE_RESULTS}*")
        for statement in (
            allow("ReadRecords", ["dynamodb:GetItem", "dynamodb:Query"], [self._results.table_arn]),
            allow("ReadResults", ["s3:GetObject"], [documents]),
            allow("DecryptResults", ["kms:Decrypt"], [self._encryption_key.key_arn]),
        ):
            grantee.grant_principal.add_to_principal_policy(statement)

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start an analysis by hand, with an object's event as input.

        Args:
            grantee: A role, user or function.
        """
        self.machine.grant_start(grantee)
