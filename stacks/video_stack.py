"""What looks at stored videos."""

from __future__ import annotations

from constructs import Construct

from config import EnvironmentSettings, VideoSettings, VisionSettings
from sagelens import FunctionOptions, Network, VideoAnalysis, VideoPolling
from stacks import acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack
from stacks.vision_policy import policy_of

MOST_POLL_SECONDS = 300
"""Between two looks at a video's jobs, however long they take."""


class VideoStack(PlatformStack):
    """Each stored video that arrives is analysed and judged by time.

    It holds no data: it may be deleted and made anew at any time.

    Args:
        scope: The app.
        settings: The environment's settings.
        vision: How images and videos are judged.
        video: How videos are analysed.
        foundation: The environment's foundation.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        vision: VisionSettings,
        video: VideoSettings,
        foundation: FoundationStack,
    ) -> None:
        super().__init__(
            scope,
            "video",
            settings=settings,
            description="Sagelens: analysis of stored videos with Amazon Rekognition",
        )
        network = foundation.network
        analyses = video.analyses.on()
        self.video_analysis = VideoAnalysis(
            self,
            "VideoAnalysis",
            bucket=foundation.images_bucket,
            prefix=video.prefix,
            results=foundation.results_table,
            results_bucket=foundation.data_bucket,
            bus=foundation.event_bus,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            environment_name=settings.name,
            analyses={name: one.model_dump(exclude_none=True) for name, one in analyses.items()},
            policy=policy_of(vision, analyses),
            record_days=vision.record_days,
            polling=VideoPolling(
                first_seconds=video.poll_seconds,
                most_seconds=MOST_POLL_SECONDS,
                give_up_hours=video.give_up_hours,
            ),
            denied_seconds=vision.retry.denied_seconds,
            backlog_alarm_minutes=video.backlog_alarm_minutes,
            function=FunctionOptions(
                timeout_seconds=900, memory_mb=1024, log_retention_days=settings.log_retention_days
            ),
            network=Network(vpc=network.vpc, security_groups=[network.workload_security_group])
            if network
            else None,
            removal_policy=self.removal_policy,
        )
        acknowledgements.video_analysis_findings(
            self.video_analysis,
            bucket=foundation.images_bucket,
            prefix=video.prefix,
            results=foundation.data_bucket,
        )
        self.export(
            "VideoStateMachineArn",
            self.video_analysis.machine.state_machine.ref,
            "Analyses videos",
        )
        self.export(
            "VideoDeadLetterQueueUrl",
            self.video_analysis.trigger.dead_letter_queue.queue_url,
            "New videos that could not start their analysis",
        )
        self.export(
            "VideoFunctionName",
            self.video_analysis.worker.function.function_name,
            "Carries out the steps of a video's analysis",
        )
        self.export("VideoPrefix", video.prefix, "Where videos must arrive in the images bucket")
