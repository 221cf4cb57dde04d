"""Rejected objects stay where they are and cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

TAG_KEY = "sagelens-quarantine"
TAG_VALUE = "rejected"


class Quarantine(Construct):
    """Denies reading object versions tagged ``sagelens-quarantine=rejected``.

    Nothing is moved or deleted: the bucket's policy refuses the tagged versions to everyone but
    the reviewer's role, refuses to take the tag off again, and refuses uploads that bring the
    tag along.

    Source: "Tagging and access control policies" (Amazon S3).

    Args:
        scope: The parent construct.
        id: The construct's id.
        bucket: The bucket to guard; its policy must be ours to extend.
        encryption_key: The key of the bucket's objects, which the reviewer may decrypt with.
        reviewers: ARNs of the principals that may assume the reviewer's role. When empty, the
            account's own IAM policies decide.
        statements: What else the reviewer may, for example record decisions.

    Attributes:
        reviewer_role: The one role that reads quarantined versions and lifts a quarantine.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: s3.Bucket,
        encryption_key: kms.IKey,
        reviewers: Sequence[str] = (),
        statements: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, id)
        self.bucket = bucket
        principals = [iam.ArnPrincipal(arn) for arn in reviewers] or [iam.AccountRootPrincipal()]
        self.reviewer_role = iam.Role(
            self,
            "ReviewerRole",
            description="Reads quarantined objects and lifts their quarantine",
            assumed_by=iam.CompositePrincipal(*principals),
            inline_policies={
                "review": iam.PolicyDocument(
                    statements=[*self._reviewing(encryption_key), *statements]
                )
            },
        )
        for statement in self._denials():
            bucket.add_to_resource_policy(statement)

    def _reviewing(self, key: kms.IKey) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="ReadObjects",
                actions=["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
                resources=[self.bucket.arn_for_objects("*")],
            ),
            iam.PolicyStatement(
                sid="LiftQuarantine",
                actions=["s3:DeleteObjectVersionTagging", "s3:PutObjectVersionTagging"],
                resources=[self.bucket.arn_for_objects("*")],
            ),
            # Without it S3 answers 403, not 404, for a version that is gone.
            iam.PolicyStatement(
                sid="TellGoneFromDenied",
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
            ),
            iam.PolicyStatement(sid="Decrypt", actions=["kms:Decrypt"], resources=[key.key_arn]),
        ]

    def _denials(self) -> list[iam.PolicyStatement]:
        tagged = {
            "StringEquals": {f"s3:ExistingObjectTag/{TAG_KEY}": TAG_VALUE},
            "ArnNotEquals": {"aws:PrincipalArn": self.reviewer_role.role_arn},
        }
        tagging = [
            "s3:DeleteObjectTagging",
            "s3:DeleteObjectVersionTagging",
            "s3:PutObjectTagging",
            "s3:PutObjectVersionTagging",
        ]
        brought = {"Null": {f"s3:RequestObjectTag/{TAG_KEY}": "false"}}
        return [
            self._deny("DenyReadingQuarantined", ["s3:GetObject", "s3:GetObjectVersion"], tagged),
            self._deny("DenyLiftingQuarantine", tagging, tagged),
            self._deny("DenyUploadingQuarantined", ["s3:PutObject"], brought),
        ]

    def _deny(
        self, sid: str, actions: list[str], conditions: Mapping[str, Mapping[str, str]]
    ) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=actions,
            resources=[self.bucket.arn_for_objects("*")],
            conditions=dict(conditions),
        )
