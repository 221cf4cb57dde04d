"""What holds an environment's data and outlives everything else."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from config import EnvironmentSettings, VisionSettings
from config.regions import BUDGETS
from sagelens import (
    AlarmTopic,
    CostBudget,
    EncryptionKey,
    PlatformBus,
    PrivateNetwork,
    Quarantine,
    ResultsTable,
    SecureBucket,
)
from sagelens.backfill_options import RUN_DAYS, RUNS
from sagelens.face_blur import BLURRED_COPIES
from sagelens.results_catalog import ATHENA_OUTPUTS, IMAGE_ROWS
from sagelens.seen_objects import LARGE_RESULTS
from stacks import acknowledgements
from stacks.hosting_plans import expiring
from stacks.platform_stack import PlatformStack

# The services that functions in the network call, besides S3 and DynamoDB by their gateways.
NETWORK_SERVICES = ("events", "sqs")
VISION_SERVICES = ("rekognition",)
# Jobs need Amazon S3 alone: SageMaker brings images and takes logs and metrics by itself ("Give
# SageMaker AI Processing Jobs Access to Resources in Your Amazon VPC"). This one is for the
# functions that schedule starts.
TRAINING_SERVICES = ("scheduler",)
# Where people work, their programs call what they could reach over the internet otherwise; the idle
# script reports to CloudWatch and stops its instance by SageMaker's API.
WORKBENCH_SERVICES = ("logs", "monitoring", "sagemaker.api", "sagemaker.runtime", "sts")


class FoundationStack(PlatformStack):
    """Key, buckets, event bus, alarm topic, result table and, where configured, the network.

    Args:
        scope: The app.
        settings: The environment's settings.
    """

    def __init__(self, scope: Construct, *, settings: EnvironmentSettings) -> None:
        super().__init__(
            scope,
            "foundation",
            settings=settings,
            description="Sagelens: key, buckets, event bus, alarm topic and result table",
        )
        self.encryption_key = EncryptionKey(
            self, "EncryptionKey", removal_policy=self.removal_policy
        )
        self._make_buckets()
        self.results_table = ResultsTable(
            self,
            "ResultsTable",
            encryption_key=self.encryption_key,
            removal_policy=self.removal_policy,
        )
        self.event_bus = PlatformBus(
            self,
            "EventBus",
            encryption_key=self.encryption_key,
            description="What the platform announces: results, releases, drift",
        )
        self.quarantine = Quarantine(
            self,
            "Quarantine",
            bucket=self.images_bucket,
            encryption_key=self.encryption_key,
            reviewers=settings.security.reviewers,
            statements=[
                *self.results_table.reviewing_statements(),
                iam.PolicyStatement(
                    sid="AnnounceReviews",
                    actions=["events:PutEvents"],
                    resources=[self.event_bus.event_bus_arn],
                ),
            ],
        )
        self.alarm_topic = AlarmTopic(
            self,
            "AlarmTopic",
            encryption_key=self.encryption_key,
            emails=settings.alarm_emails,
        )
        self.budget = self._make_budget()
        self.network = self._make_network()
        self.adopt_bucket_emptier()
        self._acknowledge()
        self._export_all()

    def _make_buckets(self) -> None:
        self.log_bucket = SecureBucket(
            self,
            "LogBucket",
            expire_after=cdk.Duration.days(365),
            expire_noncurrent_after=cdk.Duration.days(30),
            removal_policy=self.removal_policy,
        )
        self.images_bucket = self._data_bucket("ImagesBucket", event_notifications=True)
        self.data_bucket = self._data_bucket("DataBucket", event_notifications=True)
        self.models_bucket = self._data_bucket("ModelsBucket")
        if self.settings.vision:
            for prefix, days in _expiries(self.settings.vision).items():
                self.data_bucket.add_lifecycle_rule(
                    prefix=prefix,
                    expiration=cdk.Duration.days(days),
                    noncurrent_version_expiration=cdk.Duration.days(1),
                )
        for folder, days in expiring(self.settings):
            self.models_bucket.add_lifecycle_rule(
                prefix=folder,
                expiration=cdk.Duration.days(days),
                noncurrent_version_expiration=cdk.Duration.days(1),
            )

        if self.settings.vision and self.settings.vision.backfill:
            # Plans name objects, whose keys may be personal data.
            self.data_bucket.add_lifecycle_rule(
                prefix=RUNS,
                expiration=cdk.Duration.days(RUN_DAYS),
                noncurrent_version_expiration=cdk.Duration.days(1),
            )

    def _data_bucket(self, id: str, *, event_notifications: bool = False) -> SecureBucket:
        return SecureBucket(
            self,
            id,
            encryption_key=self.encryption_key,
            access_logs=self.log_bucket,
            expire_noncurrent_after=cdk.Duration.days(90),
            event_notifications=event_notifications,
            removal_policy=self.removal_policy,
        )

    def _make_budget(self) -> CostBudget | None:
        budget = self.settings.budget
        if budget is None:
            return None
        if not cdk.Token.is_unresolved(self.region) and self.region not in BUDGETS:
            cdk.Annotations.of(self).add_info(
                f"budget is off: AWS CloudFormation has no AWS Budgets in {self.region}; it has in "
                f"{', '.join(sorted(BUDGETS))}"
            )
            return None
        return CostBudget(
            self,
            "Budget",
            monthly_usd=budget.monthly_usd,
            alert_percents=budget.alert_percents,
            tag=("sagelens:environment", self.settings.name),
            topic=self.alarm_topic,
            labels=self.labels,
        )

    def _make_network(self) -> PrivateNetwork | None:
        network = self.settings.network
        if network is None:
            return None
        return PrivateNetwork(
            self,
            "Network",
            cidr=network.cidr,
            availability_zones=network.availability_zones,
            services=self._services(),
            encryption_key=self.encryption_key,
            log_retention_days=self.settings.log_retention_days,
            removal_policy=self.removal_policy,
        )

    def _services(self) -> list[str]:
        services = [*NETWORK_SERVICES]
        seeing = self.settings.vision or self.settings.retail
        services += VISION_SERVICES if seeing else ()
        services += TRAINING_SERVICES if self.settings.training else ()
        services += WORKBENCH_SERVICES if self.settings.workbench else ()
        return sorted(services)

    def _acknowledge(self) -> None:
        for bucket in (self.log_bucket, self.images_bucket, self.data_bucket, self.models_bucket):
            acknowledgements.bucket_findings(bucket)
        acknowledgements.log_bucket_findings(self.log_bucket)
        acknowledgements.quarantine_findings(self.quarantine)
        acknowledgements.table_findings(self.results_table)
        if self.network:
            acknowledgements.network_findings(self.network)

    def _export_all(self) -> None:
        self.export("ImagesBucketName", self.images_bucket.bucket_name, "Where images arrive")
        self.export("DataBucketName", self.data_bucket.bucket_name, "Where training data lies")
        self.export("ModelsBucketName", self.models_bucket.bucket_name, "Where models lie")
        self.export("LogBucketName", self.log_bucket.bucket_name, "Access logs of the buckets")
        self.export("ResultsTableName", self.results_table.table_name, "Records of results")
        self.export("EventBusName", self.event_bus.event_bus_name, "What the platform announces")
        self.export("AlarmTopicArn", self.alarm_topic.topic_arn, "What needs attention")
        self.export("KeyArn", self.encryption_key.key_arn, "The environment's key")
        self.export(
            "ReviewerRoleArn",
            self.quarantine.reviewer_role.role_arn,
            "The role that reads quarantined objects",
        )


def _expiries(vision: VisionSettings) -> dict[str, int]:
    """What is made of records goes with them, and for good: days by folder of the data bucket."""
    expiries: dict[str, int] = {}
    if vision.record_days is not None:
        expiries[LARGE_RESULTS] = vision.record_days
    if vision.blurred_copies:
        expiries[BLURRED_COPIES] = vision.blurred_copies.days
    if vision.athena:
        expiries[ATHENA_OUTPUTS] = vision.athena.keep_answers_days
        if vision.record_days is not None:
            expiries[IMAGE_ROWS] = vision.record_days
    return expiries
