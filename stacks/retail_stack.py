"""From pictures of shelves to what to order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constructs import Construct

from config import EnvironmentSettings, RetailSettings
from sagelens import (
    FunctionOptions,
    ImageAnalysis,
    Network,
    QueueOptions,
    ResultsTable,
    Retry,
)
from sagelens.image_worker import Policy
from stacks import retail_acknowledgements as acknowledgements
from stacks.custom_labels_stack import CustomLabelsStack
from stacks.foundation_stack import FoundationStack
from stacks.hosting_plans import HostingNames
from stacks.platform_stack import PlatformStack
from stacks.retail_counting import ShelfCounting, Shelves
from stacks.retail_ordering import DOCUMENTS, Ordering, ReplenishmentOrders
from stacks.vision_stack import VisionStack

MOST_BOXES = 500
"""Boxes of one picture: so many fit in a record."""
QUALITY: Mapping[str, Mapping[str, Any]] = {
    "Blurred": {"accept": [0, 80], "review": [80, 100]},
    "Dark": {"accept": [0, 80], "review": [80, 100]},
    "*": {"accept": [0, 100]},
}


class RetailStack(PlatformStack):
    """Shelf pictures are looked at by an image analysis of their own, counted, and ordered after.

    Args:
        scope: The app.
        settings: The environment's settings.
        retail: How shelves are counted and orders made.
        foundation: The environment's foundation.
        custom_labels: The Custom Labels models that have names, if there are any.

    Attributes:
        table: Plans, sales, readings and orders.
        image_analysis: What looks at shelf pictures.
        counting: What counts them.
        orders: What orders.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        retail: RetailSettings,
        foundation: FoundationStack,
        custom_labels: CustomLabelsStack | None = None,
    ) -> None:
        super().__init__(
            scope,
            "retail",
            settings=settings,
            description="Sagelens: from shelf pictures to replenishment orders",
        )
        self._retail, self._foundation = retail, foundation
        self._models = custom_labels if retail.by_name() else None
        # A dimension of its own, so that its alarms are not those of the vision stack.
        self._metrics = f"{settings.name}-retail"
        self.table = ResultsTable(
            self,
            "Table",
            encryption_key=foundation.encryption_key,
            removal_policy=self.removal_policy,
        )
        self.image_analysis = self._look()
        self.counting = self._count()
        self.orders = self._order()
        acknowledgements.retail_findings(
            self, images=foundation.images_bucket, prefix=retail.prefix
        )
        if self._models:
            # Pictures that wait for the model go back to this stack's queue.
            acknowledgements.model_findings(
                self.image_analysis.worker.role,
                self._models.keeper.send_back_to(self.image_analysis.work),
                project=self._models.named.projects[retail.model],
            )
        self._export()

    def _look(self) -> ImageAnalysis:
        retail, foundation, counting = self._retail, self._foundation, self._retail.counting
        doubt = 100 * counting.doubtful_share
        policy: Policy = {
            "custom_labels": {
                "*": {"accept": [0, 100]},
                "Unsure": {"accept": [0, doubt], "review": [doubt, 100]},
                "Nothing found": {"review": [0, 100]},
            },
            "image_quality": QUALITY,
        }
        return ImageAnalysis(
            self,
            "ImageAnalysis",
            bucket=foundation.images_bucket,
            prefix=retail.prefix,
            results=foundation.results_table,
            bus=foundation.event_bus,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            environment_name=self._metrics,
            analyses={
                "custom_labels": {
                    "models": [retail.model],
                    "minimum_confidence": counting.doubtful_confidence,
                    "sure_confidence": counting.minimum_confidence,
                    "maximum": MOST_BOXES,
                },
                "image_quality": {},
            },
            policy=policy,
            quotas=retail.quotas,
            record_days=retail.record_days,
            custom_models=self._models.named if self._models else None,
            function=self._function(),
            queue=self._queue(),
            retry=Retry(
                first_seconds=retail.retry.first_seconds,
                most_seconds=retail.retry.most_seconds,
                denied_seconds=retail.retry.denied_seconds,
            ),
            network=self._network(),
            removal_policy=self.removal_policy,
        )

    def _count(self) -> ShelfCounting:
        retail, counting = self._retail, self._retail.counting
        return ShelfCounting(
            self,
            "Counting",
            shelves=Shelves(
                bucket=self._foundation.images_bucket,
                prefix=retail.prefix,
                table=self.table,
                rules=counting.model_dump(exclude={"doubtful_confidence", "doubtful_share"}),
                record_days=retail.record_days,
            ),
            foundation=self._foundation,
            environment_name=self._metrics,
            function=self._function(),
            queue=self._queue(),
            network=self._network(),
            removal_policy=self.removal_policy,
        )

    def _order(self) -> ReplenishmentOrders:
        retail, ordering = self._retail, self._retail.ordering
        return ReplenishmentOrders(
            self,
            "Orders",
            ordering=Ordering(
                table=self.table,
                endpoint=HostingNames(self.settings.name, ordering.endpoint).endpoint,
                wait_seconds=ordering.wait_seconds,
                give_up_hours=ordering.give_up_hours,
                record_days=retail.record_days,
            ),
            foundation=self._foundation,
            environment_name=self._metrics,
            function=self._function(),
            network=self._network(),
            removal_policy=self.removal_policy,
        )

    def _function(self) -> FunctionOptions:
        return FunctionOptions(
            timeout_seconds=self._retail.function.timeout_seconds,
            memory_mb=self._retail.function.memory_mb,
            log_retention_days=self.settings.log_retention_days,
        )

    def _queue(self) -> QueueOptions:
        queue = self._retail.queue
        return QueueOptions(
            max_receives=queue.max_receives,
            retention_days=queue.retention_days,
            dead_letter_retention_days=queue.dead_letter_retention_days,
        )

    def _network(self) -> Network | None:
        network = self._foundation.network
        if network is None:
            return None
        return Network(vpc=network.vpc, security_groups=[network.workload_security_group])

    def _export(self) -> None:
        images, counting = self.image_analysis, self.counting.work
        machine = self.orders.machine.state_machine
        self.export("RetailTableName", self.table.table_name, "Plans, sales, readings and orders")
        self.export("ShelfPrefix", self._retail.prefix, "Where shelf pictures must arrive")
        self.export("ShelfFunctionName", images.worker.function.function_name, "Looks at shelves")
        self.export("CountingFunctionName", self.counting.worker.function.function_name, "Counts")
        self.export("OrderingFunctionName", self.orders.worker.function.function_name, "Orders")
        self.export("OrderingStateMachineArn", machine.ref, "Orders after each reading")
        self.export("ReadingsPrefix", DOCUMENTS, "Where in the data bucket readings are kept")
        for name, work in (("Shelf", images.work), ("Counting", counting)):
            self.export(f"{name}QueueUrl", work.queue.queue_url, "Pictures that wait")
            self.export(f"{name}QueueArn", work.queue.queue_arn, "For the redrive command")
            self.export(
                f"{name}DeadLetterQueueUrl",
                work.dead_letter_queue.queue_url,
                "Pictures that failed",
            )
            self.export(
                f"{name}DeadLetterQueueArn",
                work.dead_letter_queue.queue_arn,
                "For the redrive command",
            )


def add_retail(
    app: Construct,
    *,
    settings: EnvironmentSettings,
    foundation: FoundationStack,
    vision: VisionStack | None,
) -> RetailStack | None:
    """Add what counts shelves and orders, if anything does.

    Args:
        app: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
        vision: What looks at other images, and its Custom Labels models.
    """
    if settings.retail is None:
        return None
    return RetailStack(
        app,
        settings=settings,
        retail=settings.retail,
        foundation=foundation,
        custom_labels=vision.custom_labels if vision else None,
    )
