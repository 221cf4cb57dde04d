"""The backfill of an environment: what lies in its images bucket already is analysed."""

from __future__ import annotations

from config import BackfillSettings, VisionSettings
from sagelens import ImageAnalysis, ImageBackfill, Network, S3Folder
from sagelens.backfill_options import INVENTORIES, RUNS
from stacks.backfill_acknowledgements import backfill_findings
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack


def add_backfill(
    stack: PlatformStack,
    *,
    analysis: ImageAnalysis,
    vision: VisionSettings,
    backfill: BackfillSettings,
    foundation: FoundationStack,
    network: Network | None,
) -> ImageBackfill:
    """Add the backfill to the stack of the image analysis.

    Args:
        stack: The vision stack.
        analysis: What analyses the images.
        vision: How images are analysed and judged.
        backfill: How those are that lie there already.
        foundation: The environment's foundation.
        network: Where functions run, if they have a network.
    """
    made = ImageBackfill(
        stack,
        "ImageBackfill",
        analysis=analysis,
        runs=S3Folder(bucket=foundation.data_bucket, prefix=RUNS),
        inventories=S3Folder(bucket=foundation.data_bucket, prefix=INVENTORIES),
        alarm_topic=foundation.alarm_topic,
        retention_days=vision.queue.retention_days,
        image_price=vision.image_price,
        settle_seconds=backfill.settle_seconds,
        log_retention_days=stack.settings.log_retention_days,
        network=network,
        removal_policy=stack.removal_policy,
    )
    backfill_findings(
        made,
        images=foundation.images_bucket,
        prefixes=analysis.surroundings.prefixes,
        data=foundation.data_bucket,
        runs=RUNS,
        inventories=INVENTORIES,
    )
    work = made.work
    stack.export("BackfillMachineArn", made.machine.state_machine.ref, "Starts backfills")
    stack.export("BackfillQueueUrl", work.queue.queue_url, "Images of backfills that wait")
    stack.export("BackfillQueueArn", work.queue.queue_arn, "For the redrive command")
    dead = work.dead_letter_queue
    stack.export("BackfillDeadLetterQueueUrl", dead.queue_url, "Images of backfills that failed")
    stack.export("BackfillDeadLetterQueueArn", dead.queue_arn, "For the redrive command")
    stack.export("BackfillRunsPrefix", RUNS, "Where reports lie in the data bucket")
    return made
