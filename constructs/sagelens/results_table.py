"""The table that keeps what was found in each image."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

REVIEWS_INDEX = "reviews"
CONTENTS_INDEX = "contents"


class ResultsTable(dynamodb.Table):
    """Records by object (``pk``) and by version of it (``sk``), billed by request.

    What waits for a person has the attribute ``review`` and is listed by the index ``reviews``,
    oldest first. The index holds keys only and such records only, so it costs next to nothing.

    Records whose answer may be used again have the attribute ``content`` and are found by it in the
    index ``contents``, the newest last; it holds keys only too.

    Point-in-time recovery covers 35 days. Items expire by the attribute ``expires_at``, in
    seconds since 1970.

    Source: "DynamoDB encryption at rest usage notes" and "Using time to live" (Amazon DynamoDB).

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Key of the table.
        removal_policy: With any but ``DESTROY`` the table stays, protected from deletion.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        protected = removal_policy != cdk.RemovalPolicy.DESTROY
        super().__init__(
            scope,
            id,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=encryption_key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            # Deletion protection would stop the roll-back of a first deployment from deleting it.
            removal_policy=cdk.RemovalPolicy.RETAIN if protected else removal_policy,
            deletion_protection=protected,
        )
        # Keys alone: what was found stays in one place, with one expiry and one deletion.
        self.add_global_secondary_index(
            index_name=REVIEWS_INDEX,
            partition_key=dynamodb.Attribute(name="review", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="analysed_at", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        self.add_global_secondary_index(
            index_name=CONTENTS_INDEX,
            partition_key=dynamodb.Attribute(name="content", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="answered_at", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )

    def reviewing_statements(self) -> list[iam.PolicyStatement]:
        """What a role needs to list what waits for a person, and to record a decision on it,
        without the use of the table's key."""
        return [
            iam.PolicyStatement(
                sid="ListReviews",
                actions=["dynamodb:Query"],
                resources=[f"{self.table_arn}/index/{REVIEWS_INDEX}"],
            ),
            iam.PolicyStatement(
                sid="RecordReviews",
                actions=["dynamodb:GetItem", "dynamodb:UpdateItem"],
                resources=[self.table_arn],
            ),
        ]
