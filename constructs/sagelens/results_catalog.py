"""What describes the rows of results, and what queries them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .statement import allow

IMAGE_ROWS = "results/images/"
"""Folder of the rows, by day."""
ATHENA_OUTPUTS = "athena/"
"""Folder of what queries answer."""
TABLE = "images"
FIRST_DAY = "2026-01-01"
"""Where the partitions begin; there is no image before."""
GB = 1_000_000_000

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("bucket", "string", "where the object lies"),
    ("object_key", "string", "its key"),
    ("version_id", "string", "its version"),
    ("etag", "string", "as S3 gives it"),
    ("size", "bigint", "in bytes"),
    ("format", "string", "jpeg or png; null for an unusable file"),
    ("width", "int", "in pixels"),
    ("height", "int", "in pixels"),
    ("decision", "string", "accept, review, reject or unusable: what holds now"),
    ("policy_decision", "string", "what the policy had decided"),
    ("reviewed_at", "string", "when a person decided, ISO 8601; null if none did"),
    ("codes", "array<string>", "why: analysis:rule, or the code of an unusable file"),
    ("quarantined", "boolean", "whether reading it is denied"),
    ("settings", "string", "fingerprint of analyses and policy"),
    ("created_at", "string", "when the object came, ISO 8601"),
    ("analysed_at", "string", "when it was decided, ISO 8601"),
    ("calls_saved", "int", "calls not made, since the same bytes were known"),
    ("labels", "array<string>", "names of all that was found, each once"),
    (
        "findings",
        "array<struct<analysis:string,name:string,confidence:double,parents:array<string>>>",
        "labels and celebrities, with confidence from 0 to 100",
    ),
    ("text_lines", "array<string>", "lines of text, where they are kept"),
    ("face_count", "int", "faces, where they are counted"),
    ("sharpness", "double", "0 to 100, with image_quality"),
    ("brightness", "double", "0 to 100, with image_quality"),
    ("contrast", "double", "0 to 100, with image_quality"),
    ("analyses", "string", "everything that the analyses found, as JSON"),
)
"""The table's columns: name, type, meaning. The function writes exactly these fields."""


class ResultsCatalog(Construct):
    """A table over the rows, whose partitions are computed, and a workgroup to query it in.

    Sources: "Partition projection with Amazon Athena", "OpenX JSON SerDe", "Manage query control
    limits" and "Encrypt Athena query results stored in Amazon S3" (Amazon Athena user guide).

    Args:
        scope: The parent construct.
        id: The construct's id.
        bucket: Where rows and answers lie.
        encryption_key: Key of both.
        name: Of the workgroup, and with ``_`` for ``-`` of the database: queries name them.
        most_gb_scanned: Gigabytes that one query may read before it is cancelled.

    Attributes:
        database: The database in the AWS Glue Data Catalog.
        table: The table ``images``.
        workgroup: The workgroup, whose settings hold whatever a client says.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: s3.IBucket,
        encryption_key: kms.IKey,
        name: str,
        most_gb_scanned: float,
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self.database_name = name.replace("-", "_")
        self._bucket = bucket
        self._encryption_key = encryption_key
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="What Sagelens found"
            ),
        )
        self.table = self._table()
        self.table.add_resource_dependency(self.database)
        self.workgroup = self._workgroup(round(most_gb_scanned * GB))

    def _table(self) -> glue.CfnTable:
        place = f"s3://{self._bucket.bucket_name}/{IMAGE_ROWS}"
        return glue.CfnTable(
            self,
            "Table",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=TABLE,
                description="One row for each image version, by the day of its analysis",
                table_type="EXTERNAL_TABLE",
                partition_keys=[_column("day", "string", "yyyy-MM-dd, UTC")],
                parameters={
                    "classification": "json",
                    "projection.enabled": "true",
                    "projection.day.type": "date",
                    "projection.day.format": "yyyy-MM-dd",
                    "projection.day.range": f"{FIRST_DAY},NOW",
                    "storage.location.template": f"{place}day=${{day}}/",
                },
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[_column(*each) for each in COLUMNS],
                    location=place,
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe"
                    ),
                ),
            ),
        )

    def _workgroup(self, most_bytes: int) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.name,
            description="Questions about what Sagelens found",
            # Its history goes with it; rows and answers lie in the bucket.
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=most_bytes,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self._bucket.bucket_name}/{ATHENA_OUTPUTS}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=self._encryption_key.key_arn
                    ),
                ),
            ),
        )

    def query_statements(self) -> list[iam.PolicyStatement]:
        """What a role needs to ask questions about results, and nothing else.

        Source: "Example workgroup policies", "Access to databases and tables in AWS Glue" (Amazon
        Athena user guide).
        """
        arn = cdk.Stack.of(self).format_arn
        read = [f"{IMAGE_ROWS}*", f"{ATHENA_OUTPUTS}*"]
        return [
            allow(
                "Query",
                [
                    f"athena:{action}"
                    for action in (
                        "GetQueryExecution",
                        "GetQueryResults",
                        "GetWorkGroup",
                        "StartQueryExecution",
                        "StopQueryExecution",
                    )
                ],
                arn(service="athena", resource="workgroup", resource_name=self.name),
            ),
            allow(
                "ReadCatalog",
                ["glue:GetDatabase", "glue:GetTable"],
                arn(service="glue", resource="catalog"),
                arn(service="glue", resource="database", resource_name=self.database_name),
                arn(
                    service="glue",
                    resource="table",
                    resource_name=f"{self.database_name}/{TABLE}",
                ),
            ),
            allow("ReadRows", ["s3:GetObject"], *map(self._bucket.arn_for_objects, read)),
            allow(
                "WriteAnswers", ["s3:PutObject"], self._bucket.arn_for_objects(f"{ATHENA_OUTPUTS}*")
            ),
            allow("FindRows", ["s3:GetBucketLocation", "s3:ListBucket"], self._bucket.bucket_arn),
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], self._encryption_key.key_arn),
        ]


def _column(name: str, type: str, comment: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=type, comment=comment)
