"""What looks at images."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from config import EnvironmentSettings
from sagelens import ImageAnalysis, Network, Retry
from stacks import acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack


class VisionStack(PlatformStack):
    """Each image that arrives is analysed and judged.

    Args:
        scope: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
    """

    def __init__(
        self, scope: Construct, *, settings: EnvironmentSettings, foundation: FoundationStack
    ) -> None:
        super().__init__(
            scope,
            "vision",
            settings=settings,
            description="Sagelens: image analysis with Amazon Rekognition",
        )
        vision, network = settings.vision, foundation.network
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
            policy={
                name: {label: bands.given() for label, bands in labels.items()}
                for name, labels in vision.policy.items()
            },
            quotas=vision.quotas,
            record_days=vision.record_days,
            timeout=cdk.Duration.seconds(vision.function.timeout_seconds),
            memory_mb=vision.function.memory_mb,
            max_receives=vision.queue.max_receives,
            retention=cdk.Duration.days(vision.queue.retention_days),
            dead_letter_retention=cdk.Duration.days(vision.queue.dead_letter_retention_days),
            retry=Retry(**vision.retry.model_dump()),
            log_retention_days=settings.log_retention_days,
            removal_policy=self.removal_policy,
            network=Network(vpc=network.vpc, security_groups=[network.workload_security_group])
            if network
            else None,
        )
        acknowledgements.image_analysis_findings(
            self.image_analysis, bucket=foundation.images_bucket, prefix=vision.prefix
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
