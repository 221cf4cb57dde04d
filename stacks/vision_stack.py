"""What looks at images."""

from __future__ import annotations

from constructs import Construct

from config import EnvironmentSettings, VisionSettings
from sagelens import (
    AnswerReuse,
    BackfillShare,
    FunctionOptions,
    ImageAnalysis,
    Network,
    QueueOptions,
    Retry,
    ReviewShare,
)
from stacks import acknowledgements
from stacks.custom_labels_acknowledgements import calls_findings
from stacks.custom_labels_stack import CustomLabelsStack
from stacks.foundation_stack import FoundationStack
from stacks.image_backfill import add_backfill
from stacks.platform_stack import PlatformStack
from stacks.results_stack import ResultsStack
from stacks.video_stack import VideoStack
from stacks.vision_policy import policy_of


class VisionStack(PlatformStack):
    """Each image that arrives is analysed and judged.

    Args:
        scope: The app.
        settings: The environment's settings.
        vision: How images are analysed and judged.
        foundation: The environment's foundation.
        custom_labels: The models that analyses call by name, if there are any.

    Attributes:
        custom_labels: The same.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        vision: VisionSettings,
        foundation: FoundationStack,
        custom_labels: CustomLabelsStack | None = None,
    ) -> None:
        super().__init__(
            scope,
            "vision",
            settings=settings,
            description="Sagelens: image analysis with Amazon Rekognition",
        )
        self.custom_labels = custom_labels
        private = foundation.network
        network = (
            Network(vpc=private.vpc, security_groups=[private.workload_security_group])
            if private
            else None
        )
        self.image_analysis = ImageAnalysis(
            self,
            "ImageAnalysis",
            bucket=foundation.images_bucket,
            prefix=vision.prefix,
            results=foundation.results_table,
            bus=foundation.event_bus,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            environment_name=settings.name,
            analyses={
                name: analysis.model_dump(exclude_none=True)
                for name, analysis in vision.analyses.on().items()
            },
            policy=policy_of(vision, vision.analyses.on()),
            quotas=vision.quotas,
            record_days=vision.record_days,
            large_results=foundation.data_bucket,
            reuse=AnswerReuse(
                days=vision.reuse_days,
                image_price=vision.image_price,
            )
            if vision.reuse_days
            else None,
            custom_models=custom_labels.named if custom_labels and vision.named_models() else None,
            review_share=ReviewShare(
                least=vision.review_share.least,
                most=vision.review_share.most,
                hours=vision.review_share.hours,
            )
            if vision.review_share
            else None,
            backfill=BackfillShare(
                quota_share=vision.backfill.quota_share, prefixes=vision.backfill.prefixes
            )
            if vision.backfill
            else None,
            function=FunctionOptions(
                timeout_seconds=vision.function.timeout_seconds,
                memory_mb=vision.function.memory_mb,
                log_retention_days=settings.log_retention_days,
            ),
            queue=QueueOptions(
                max_receives=vision.queue.max_receives,
                retention_days=vision.queue.retention_days,
                dead_letter_retention_days=vision.queue.dead_letter_retention_days,
            ),
            retry=Retry(
                first_seconds=vision.retry.first_seconds,
                most_seconds=vision.retry.most_seconds,
                denied_seconds=vision.retry.denied_seconds,
            ),
            network=network,
            removal_policy=self.removal_policy,
        )
        acknowledgements.image_analysis_findings(
            self.image_analysis,
            bucket=foundation.images_bucket,
            prefixes=self.image_analysis.surroundings.prefixes,
            results=foundation.data_bucket,
        )
        if custom_labels and vision.named_models():
            policy = custom_labels.keeper.send_back_to(self.image_analysis.work)
            acknowledgements.stands(
                policy, "NIST.800.53.R5-IAMNoInlinePolicy", acknowledgements.INLINE
            )
            calls_findings(
                self.image_analysis.worker.role,
                (custom_labels.named.projects[name] for name in vision.named_models()),
            )
        work, worker = self.image_analysis.work, self.image_analysis.worker
        self.export("ImageQueueUrl", work.queue.queue_url, "Images that wait")
        self.export(
            "ImageDeadLetterQueueUrl", work.dead_letter_queue.queue_url, "Images that failed"
        )
        self.export(
            "ImageDeadLetterQueueArn", work.dead_letter_queue.queue_arn, "For the redrive command"
        )
        self.export("ImageQueueArn", work.queue.queue_arn, "For the redrive command")
        self.export("ImageFunctionName", worker.function.function_name, "Analyses images")
        self.export("ImagePrefix", vision.prefix, "Where images must arrive in the bucket")
        self.backfill = (
            add_backfill(
                self,
                analysis=self.image_analysis,
                vision=vision,
                backfill=vision.backfill,
                foundation=foundation,
                network=network,
            )
            if vision.backfill
            else None
        )


def add_vision(
    app: Construct,
    *,
    settings: EnvironmentSettings,
    foundation: FoundationStack,
) -> VisionStack | None:
    """Add what looks at images, if anything does, before it the Custom Labels models that are
    configured, what looks at videos, and what is made of the results.

    Args:
        app: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
    """
    vision = settings.vision
    if vision is None:
        return None
    models = (
        CustomLabelsStack(
            app, settings=settings, models=vision.custom_models, foundation=foundation
        )
        if vision.custom_models
        else None
    )
    if vision.athena or vision.blurred_copies:
        ResultsStack(app, settings=settings, vision=vision, foundation=foundation)
    if vision.video:
        VideoStack(app, settings=settings, vision=vision, video=vision.video, foundation=foundation)
    return VisionStack(
        app, settings=settings, vision=vision, foundation=foundation, custom_labels=models
    )
