"""A bucket that is private, encrypted, versioned and reached over TLS only."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


class SecureBucket(s3.Bucket):
    """A versioned bucket that nobody reaches publicly or without TLS.

    Incomplete multipart uploads are dropped after 7 days.

    Sources: "Security best practices for Amazon S3" and "Using Amazon S3 Bucket Keys" (Amazon
    S3); "Enabling Amazon EventBridge" (Amazon S3).

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Customer-managed key for its objects, with a bucket key to save calls;
            without one, SSE-S3 is used, which a target of server access logs needs.
        access_logs: Bucket that receives its server access logs, under the id as prefix.
        expire_after: Age at which current objects expire; they stay for good by default.
        expire_noncurrent_after: Age at which replaced or deleted versions go.
        event_notifications: Whether the bucket sends its events to EventBridge. This is set on
            the resource itself: the higher-level option would add a custom resource.
        removal_policy: With ``DESTROY`` the bucket goes together with its contents.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey | None = None,
        access_logs: s3.IBucket | None = None,
        expire_after: cdk.Duration | None = None,
        expire_noncurrent_after: cdk.Duration | None = None,
        event_notifications: bool = False,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        managed = encryption_key is None
        super().__init__(
            scope,
            id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED if managed else s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=None if managed else True,
            enforce_ssl=True,
            versioned=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{id}/" if access_logs else None,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                    expiration=expire_after,
                    noncurrent_version_expiration=expire_noncurrent_after,
                )
            ],
            removal_policy=removal_policy,
            auto_delete_objects=removal_policy == cdk.RemovalPolicy.DESTROY,
        )
        if event_notifications:
            resource = self.node.default_child
            assert isinstance(resource, s3.CfnBucket)
            resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                    event_bridge_enabled=True
                )
            )
