"""What a function that judges objects needs, whatever the objects are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from .job_role import allow

LARGE_RESULTS = "results/vision/"
"""Folder of the results that lie in S3."""


def seeing(bucket: s3.IBucket, prefixes: Sequence[str], what: str) -> list[iam.PolicyStatement]:
    """Read object versions in folders, and quarantine them.

    Args:
        bucket: Where they arrive.
        prefixes: Folders in it.
        what: What they are, for the statement's id, such as ``Images``.
    """
    objects = [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]
    tagging = ["s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging"]
    return [
        # Objects are always read by their version id, by Rekognition with this role too.
        allow(f"Read{what}", ["s3:GetObjectVersion"], objects),
        # Without it S3 answers 403, not 404, for an object that is gone.
        allow("TellGoneFromDenied", ["s3:ListBucket"], [bucket.bucket_arn]),
        allow("Quarantine", tagging, objects),
    ]


def new_objects(bucket: s3.IBucket, prefix: str) -> dict[str, Any]:
    """The pattern of a rule that hears of each new object under a prefix.

    What an object is, its bytes tell, not its name.
    """
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [bucket.bucket_name]},
            "object": {"key": [{"prefix": prefix}]},
        },
    }


def recording(results: dynamodb.ITable) -> iam.PolicyStatement:
    """Write records."""
    return allow("Record", ["dynamodb:UpdateItem"], [results.table_arn])


def announcing(bus: events.IEventBus) -> iam.PolicyStatement:
    """Announce results on a bus."""
    return allow("Announce", ["events:PutEvents"], [bus.event_bus_arn])


def keeping(bucket: s3.IBucket, sid: str) -> iam.PolicyStatement:
    """Write results to a bucket; an encrypted one takes a data key too."""
    return allow(sid, ["s3:PutObject"], [bucket.arn_for_objects(f"{LARGE_RESULTS}*")])
