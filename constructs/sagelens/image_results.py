"""Each image's result as a row that Amazon Athena reads."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .errors import ArgumentErrors
from .event_worker import EventWorker
from .private_network import Network
from .python_function import FunctionOptions
from .results_catalog import IMAGE_ROWS, ResultsCatalog
from .seen_objects import LARGE_RESULTS
from .statement import allow
from .work_queue import QueueOptions

FOLLOWED = {"source": ["sagelens.vision"], "detail-type": ["Image Analysed", "Image Reviewed"]}
"""The events that tell of a new or changed record of an image."""


class ImageResults(Construct):
    """Rows in a bucket, and what queries them with SQL.

    A function follows the events of the bus and writes one JSON object for each image version, by
    the day of its analysis; writing it again replaces it. A table of AWS Glue describes the rows,
    partitions and all, so that nothing crawls, and a workgroup of Amazon Athena bounds what a query
    may read and encrypts what it answers.

    Args:
        scope: The parent construct.
        id: The construct's id.
        bucket: Where rows lie (under ``results/images/``), large results, and answers of queries
            (under ``athena/``).
        results: Table of the records.
        bus: Event bus that hears of each result.
        encryption_key: Key of bucket, table and queue.
        alarm_topic: Receives the alarms.
        environment_name: Dimension of the metrics, and part of the names of database and workgroup:
            people write them into their queries.
        most_gb_scanned: Gigabytes that one query may read before it is cancelled.
        retry_seconds: Wait after a first failure; it doubles with each further one.
        function: Size and logs of the function.
        queue: How long an event waits, and how often it is tried.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        follower: Rule, queue and function.
        catalog: Database, table and workgroup.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: s3.IBucket,
        results: dynamodb.ITable,
        bus: events.IEventBus,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        environment_name: str,
        most_gb_scanned: float = 10,
        retry_seconds: float = 5,
        function: FunctionOptions = FunctionOptions(timeout_seconds=30, memory_mb=256),
        queue: QueueOptions = QueueOptions(),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"ImageResults {self.node.path}")
        errors.between("most_gb_scanned", most_gb_scanned, 0.01, 100_000, unit="GB")
        errors.throw()
        self.follower = EventWorker(
            self,
            "Follower",
            bus=bus,
            pattern=FOLLOWED,
            handler="image_results.handler.handler",
            description="Writes each image's result as a row for Amazon Athena",
            statements=_statements(bucket, results, encryption_key),
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            environment_name=environment_name,
            environment={
                "RESULTS_BUCKET": bucket.bucket_name,
                "RETRY_SECONDS": f"{retry_seconds:g}",
            },
            function=function,
            queue=queue,
            network=network,
            removal_policy=removal_policy,
        )
        self.catalog = ResultsCatalog(
            self,
            "Catalog",
            bucket=bucket,
            encryption_key=encryption_key,
            name=f"sagelens-{environment_name}",
            most_gb_scanned=most_gb_scanned,
        )

    def grant_query(self, grantee: iam.IGrantable) -> None:
        """Let a principal ask questions about results; see :class:`ResultsCatalog`.

        Args:
            grantee: A role, user or function.
        """
        for statement in self.catalog.query_statements():
            grantee.grant_principal.add_to_principal_policy(statement)


def _statements(
    bucket: s3.IBucket, results: dynamodb.ITable, key: kms.IKey
) -> list[iam.PolicyStatement]:
    rows = bucket.arn_for_objects(f"{IMAGE_ROWS}*")
    return [
        allow("ReadRecords", ["dynamodb:GetItem"], results.table_arn),
        allow("ReadLargeResults", ["s3:GetObject"], bucket.arn_for_objects(f"{LARGE_RESULTS}*")),
        allow("WriteRows", ["s3:PutObject"], rows),
        # The row of a record that was erased while it was written.
        allow("TakeRowsBack", ["s3:DeleteObjectVersion"], rows),
        allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], key.key_arn),
    ]
