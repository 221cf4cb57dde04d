"""What is made of results: rows for programs, blurred copies for people."""

from __future__ import annotations

from constructs import Construct

from config import EnvironmentSettings, VisionSettings
from config.results import AthenaSettings, BlurredCopiesSettings
from sagelens import FaceBlur, FunctionOptions, ImageResults, Network, QueueOptions
from sagelens.event_worker import EventWorker
from stacks import acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack


class ResultsStack(PlatformStack):
    """Follows what is announced about images.

    Args:
        scope: The app.
        settings: The environment's settings.
        vision: What is made of results.
        foundation: The environment's foundation.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        vision: VisionSettings,
        foundation: FoundationStack,
    ) -> None:
        super().__init__(
            scope,
            "results",
            settings=settings,
            description="Sagelens: what is made of the results of image analysis",
        )
        self._vision = vision
        self._foundation = foundation
        network = foundation.network
        self._surroundings = {
            "bus": foundation.event_bus,
            "results": foundation.results_table,
            "encryption_key": foundation.encryption_key,
            "alarm_topic": foundation.alarm_topic,
            "environment_name": settings.name,
            "retry_seconds": vision.retry.first_seconds,
            "queue": QueueOptions(
                max_receives=vision.queue.max_receives,
                retention_days=vision.queue.retention_days,
                dead_letter_retention_days=vision.queue.dead_letter_retention_days,
            ),
            "network": Network(vpc=network.vpc, security_groups=[network.workload_security_group])
            if network
            else None,
            "removal_policy": self.removal_policy,
        }
        self.image_results = self._rows(vision.athena) if vision.athena else None
        self.face_blur = self._copies(vision.blurred_copies) if vision.blurred_copies else None

    def _rows(self, athena: AthenaSettings) -> ImageResults:
        results = ImageResults(
            self,
            "ImageResults",
            bucket=self._foundation.data_bucket,
            most_gb_scanned=athena.most_gb_scanned,
            function=FunctionOptions(
                timeout_seconds=30,
                memory_mb=256,
                log_retention_days=self.settings.log_retention_days,
            ),
            **self._surroundings,
        )
        acknowledgements.image_results_findings(results, bucket=self._foundation.data_bucket)
        self._export_queue("ImageRows", results.follower)
        self.export("AthenaWorkgroup", results.catalog.name, "Where to query results")
        self.export("AthenaDatabase", results.catalog.database_name, "Holds the table images")
        return results

    def _copies(self, chosen: BlurredCopiesSettings) -> FaceBlur:
        foundation = self._foundation
        blur = FaceBlur(
            self,
            "FaceBlur",
            images=foundation.images_bucket,
            prefix=self._vision.prefix,
            copies=foundation.data_bucket,
            longest_side=chosen.longest_side,
            function=FunctionOptions(
                timeout_seconds=60,
                memory_mb=2048,
                log_retention_days=self.settings.log_retention_days,
            ),
            **self._surroundings,
        )
        acknowledgements.face_blur_findings(
            blur,
            images=foundation.images_bucket,
            prefix=self._vision.prefix,
            copies=foundation.data_bucket,
        )
        self._export_queue("BlurredCopies", blur.follower)
        return blur

    def _export_queue(self, name: str, follower: EventWorker) -> None:
        work = follower.work
        self.export(f"{name}QueueUrl", work.queue.queue_url, "Events that wait")
        self.export(f"{name}QueueArn", work.queue.queue_arn, "For the redrive command")
        self.export(
            f"{name}DeadLetterQueueArn", work.dead_letter_queue.queue_arn, "For the redrive command"
        )
