"""Each finding of cdk-nag that stands in the retail stack, where, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from stacks.acknowledgements import (
    INLINE,
    QUEUED,
    function_findings,
    image_analysis_findings,
    objects_in,
    stands,
    table_findings,
)
from stacks.custom_labels_acknowledgements import calls_findings
from stacks.retail_ordering import DOCUMENTS

if TYPE_CHECKING:
    from stacks.retail_stack import RetailStack


def retail_findings(stack: RetailStack, *, images: s3.IBucket, prefix: str) -> None:
    """What stands of the findings of the retail stack.

    Args:
        stack: The stack.
        images: Bucket of the shelf pictures.
        prefix: Their folder.
    """
    counting, orders = stack.counting, stack.orders
    table_findings(stack.table)
    image_analysis_findings(stack.image_analysis, bucket=images, prefixes=[prefix])
    function_findings(counting.worker.function, QUEUED)
    for role in (counting.worker.role, orders.worker.role):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
        stands(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            "The operations by which the Lambda service joins a network take no resource "
            "beforehand",
        )
    data = stack.orders.documents
    stands(
        orders.worker.role,
        objects_in(data.bucket, DOCUMENTS),
        "Each reading is kept under its shelf and time, which are not known beforehand",
    )
    function_findings(
        orders.worker.function,
        "A state machine invokes it and waits for its answer; a dead-letter queue serves "
        "asynchronous invocations only",
    )
    stands(
        orders.machine_role,
        "AwsSolutions-IAM5[Resource::*]",
        "Log delivery and tracing take no resource",
    )
    for role in (orders.machine_role, orders.trigger.role):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        orders.trigger.dead_letter_queue,
        "AwsSolutions-SQS3",
        "It is where counted shelves that could not start their order end; nothing works it off",
    )


def model_findings(role: IConstruct, policy: IConstruct, *, project: str) -> None:
    """What stands where shelf pictures call a model by its name.

    Args:
        role: Of the function that looks at them.
        policy: Lets the models' keeper send pictures back that waited.
        project: Name of the model's project.
    """
    calls_findings(role, [project])
    stands(policy, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
