"""Each finding of cdk-nag about a backfill that stands, where, and why."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from sagelens import ImageBackfill
from sagelens.backfill_definition import LABELS
from stacks.acknowledgements import ARN, INLINE, function_findings, objects_in, stands

_STEPS = "A state machine invokes it, waits for its answer and tries again"
_FOLDER = "Each run writes below its own name, which is not known beforehand"


def backfill_findings(
    backfill: ImageBackfill,
    *,
    images: s3.IBucket,
    prefixes: Sequence[str],
    data: s3.IBucket,
    runs: str,
    inventories: str,
) -> None:
    """What stands of a backfill's findings."""
    worker, machine = backfill.worker.role, backfill.machine_role
    for prefix in prefixes:
        stands(
            worker,
            objects_in(images, prefix),
            "The function looks up versions of whatever lies in these folders, and reads none",
        )
    for role in (worker, machine):
        stands(role, objects_in(data, runs), _FOLDER)
    # Not on the role as a whole: its policy of its children is one of its own.
    own = machine.node.default_child
    assert own is not None
    stands(
        own,
        "AwsSolutions-IAM5[Resource::*]",
        "Delivering logs and traces takes no resource in a policy",
    )
    stands(
        machine,
        objects_in(data, inventories),
        "Amazon S3 names each inventory after its day, which is not known beforehand",
    )
    _children_findings(backfill)
    for each in (worker, own, backfill.children):
        stands(each, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    function_findings(backfill.worker.function, _STEPS)


def _children_findings(backfill: ImageBackfill) -> None:
    machine = backfill.machine.state_machine
    name = cdk.Stack.of(machine).get_logical_id(machine)
    for label in ("", *(f"/{label}" for label in LABELS)):
        execution = f"{ARN.format('states')}:execution:<{name}.Name>{label}:*"
        stands(
            backfill.children,
            f"AwsSolutions-IAM5[Resource::{execution}]",
            "The executions of this one state machine, which Step Functions names",
        )
