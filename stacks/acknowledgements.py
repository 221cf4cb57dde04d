"""Each finding of cdk-nag that stands, where, and why: one exact finding an entry.

A judge fails on any finding that is not listed here.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from sagelens import ImageAnalysis, PrivateNetwork, Quarantine, ResultsTable, SecureBucket
from sagelens.image_worker import LARGE_RESULTS

_INLINE = (
    "The policy belongs to this one role and goes with it: nothing else can be given it, and it "
    "is read in one place with the role"
)


def _stands(construct: IConstruct, finding: str, reason: str) -> None:
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def _objects(bucket: s3.IBucket, prefix: str = "") -> str:
    """The name that cdk-nag gives to a policy's wildcard over a bucket's objects."""
    resource = bucket.node.default_child
    assert isinstance(resource, cdk.CfnElement)
    logical_id = cdk.Stack.of(bucket).get_logical_id(resource)
    return f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>/{prefix}*]"


def bucket_findings(bucket: SecureBucket) -> None:
    """What stands of a bucket's findings."""
    _stands(
        bucket,
        "NIST.800.53.R5-S3BucketReplicationEnabled",
        "Versioning guards against overwriting and deletion; a copy in a second Region doubles "
        "the cost of storage and is the owner's decision",
    )


def log_bucket_findings(bucket: SecureBucket) -> None:
    """What stands of the log bucket's findings, besides those of any bucket."""
    _stands(
        bucket,
        "NIST.800.53.R5-S3DefaultEncryptionKMS",
        "Server access logs are delivered to buckets with SSE-S3 only",
    )


def quarantine_findings(quarantine: Quarantine) -> None:
    """What stands of the reviewer role's findings."""
    role = quarantine.reviewer_role
    _stands(
        role,
        _objects(quarantine.bucket),
        "A reviewer reads any object of this one bucket: which ones are rejected is not known "
        "beforehand",
    )
    _stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", _INLINE)


def table_findings(table: ResultsTable) -> None:
    """What stands of the result table's findings."""
    _stands(
        table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        "Point-in-time recovery covers 35 days; a backup plan is a matter of the account, and "
        "selects the table by its tags",
    )


def network_findings(network: PrivateNetwork) -> None:
    """What stands of the network's findings."""
    _stands(
        network.vpc,
        "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        "Nothing is placed in the default group, and CloudFormation can empty it only by a "
        "custom resource with rights on security groups",
    )
    _stands(network.flow_log_role, "NIST.800.53.R5-IAMNoInlinePolicy", _INLINE)


def image_analysis_findings(
    analysis: ImageAnalysis, *, bucket: s3.IBucket, prefix: str, results: s3.IBucket | None = None
) -> None:
    """What stands of the image analysis's findings."""
    role, function = analysis.worker.role, analysis.worker.function
    _stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "Amazon Rekognition's image operations take no resource in a policy, and neither do "
        "those by which the Lambda service joins a network",
    )
    _stands(
        role,
        _objects(bucket, prefix),
        "The function reads whatever arrives under its prefix, and nothing else",
    )
    if results is not None:
        _stands(
            role,
            _objects(results, LARGE_RESULTS),
            "Results that are too large for a record are written to this folder, by object and "
            "version",
        )
    _stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", _INLINE)
    _stands(
        function,
        "AwsSolutions-L1",
        "Python 3.13 is supported until 2029, and is the newest that the rehearsal's wheels cover",
    )
    _stands(
        function,
        "NIST.800.53.R5-LambdaConcurrency",
        "The event source bounds its concurrency; reserving some would fail in accounts that "
        "have ten in all",
    )
    _stands(
        function,
        "NIST.800.53.R5-LambdaDLQ",
        "It is invoked by a queue, whose dead-letter queue keeps what fails; a function's own "
        "serves asynchronous invocations only",
    )
