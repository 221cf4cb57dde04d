"""Data quality by Amazon SageMaker Model Monitor, for accounts that still have it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .drift_roles import DriftJobRole
from .endpoint_names import EndpointNames
from .errors import ArgumentErrors
from .job_network import SelectedNetwork
from .job_role import allow
from .jobs import Job, JobSurroundings, has_local_storage
from .model_endpoint import ModelEndpoint
from .private_network import Network
from .s3_folder import S3Folder

NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
FOLDER = "/opt/ml/processing"
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
HOURLY = re.compile(r"cron\(0 .+\)")


class MonitorJobRole(DriftJobRole):
    """What the jobs of a monitoring schedule may do: read captured requests and the baseline, write
    reports and metrics.

    It lies in a stack that comes before the endpoint's: a release passes it, and makes no role.

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint_name: The endpoint, which captures its requests.
        captured: Where it captures.
        baseline: Folder with Model Monitor's own statistics.json and constraints.json.
        reports: Where reports go.
        image: Address of Model Monitor's container.
        encryption_key: Key of these folders and the jobs' volumes.
        variant: The endpoint's variant.
        network: Where the jobs run; by default outside any network of yours.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        captured: S3Folder,
        baseline: S3Folder,
        reports: S3Folder,
        image: str,
        encryption_key: kms.IKey,
        variant: str = "main",
        network: Network | None = None,
    ) -> None:
        errors = ArgumentErrors("MonitorJobRole")
        selected = SelectedNetwork.of(network, errors)
        errors.throw()
        super().__init__(
            scope,
            id,
            captured=S3Folder(
                bucket=captured.bucket, prefix=f"{captured.prefix}{endpoint_name}/{variant}/"
            ),
            baselines=baseline,
            labels=None,
            reports=reports,
            source=None,
            encryption_key=encryption_key,
            image=image,
            network=selected,
            more=[
                allow(
                    "PublishDrift",
                    ["cloudwatch:PutMetricData"],
                    ["*"],
                    {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
                )
            ],
        )


def monitor_metric(endpoint_name: str, schedule: str, feature: str) -> cloudwatch.Metric:
    """How far a feature has drifted, of which 0 is not at all.

    Args:
        endpoint_name: The endpoint.
        schedule: The monitoring schedule's name.
        feature: The feature.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=f"feature_baseline_drift_{feature}",
        dimensions_map={"Endpoint": endpoint_name, "MonitoringSchedule": schedule},
        statistic="Maximum",
        period=cdk.Duration.hours(1),
    )


class ModelMonitorSchedule(Construct):
    """A monitoring schedule of Model Monitor's own container, in place of a drift watch.

    Model Monitor is closed to new customers. It does less than a :class:`~sagelens.DriftWatch`:
    its baseline is in a form of its own, made by a baselining job of Model Monitor, and does not
    change with the live version; it looks at features only, and asks nobody to retrain. It lies in
    the hosting stack, and comes and goes with the endpoint: SageMaker deletes none that is watched.

    Sources: "Monitor data quality", "CloudWatch metrics for Bring Your Own Containers", "Schedule
    data quality monitoring jobs" (Amazon SageMaker AI); "CreateDataQualityJobDefinition" (Amazon
    SageMaker API Reference).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The schedule's name, 1 to 63 letters, digits and hyphens.
        endpoint: The endpoint, which captures its requests.
        role: What the jobs may do, a :class:`MonitorJobRole`.
        baseline: Folder with Model Monitor's own statistics.json and constraints.json.
        reports: Where reports go.
        image: Address of Model Monitor's container in this Region:
            :func:`~sagelens.algorithms.image_uri.monitor_image_uri`.
        features: Columns whose drift rings.
        encryption_key: Key of these folders and the job's volume.
        alarm_topic: Hears of drift.
        threshold: Distance from which on a feature has drifted, above 0 to 1.
        expression: ``cron(0 * ? * * *)``, every hour, or ``cron(0 2 ? * * *)``, at 02:00 UTC.
        only_if: Condition under which the endpoint is there.
        job: What each job runs on.
        surroundings: What it runs within.

    Attributes:
        job_definition: What they are.
        schedule: When they run.
        alarms: By feature.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        endpoint: ModelEndpoint,
        role: iam.IRole,
        baseline: S3Folder,
        reports: S3Folder,
        image: str,
        features: Sequence[str],
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        threshold: float = 0.2,
        expression: str = "cron(0 2 ? * * *)",
        only_if: cdk.CfnCondition | None = None,
        job: Job = Job(),
        surroundings: JobSurroundings = JobSurroundings(),
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"ModelMonitorSchedule {self.node.path}")
        errors.require(
            cdk.Token.is_unresolved(name) or bool(NAME.fullmatch(name)),
            f"name: got {name!r}, allowed are 1 to 63 letters, digits and hyphens",
        )
        errors.require(bool(features), "features: got none, allowed is at least one column")
        errors.require(0 < threshold <= 1, f"threshold: got {threshold:g}, allowed is above 0 to 1")
        errors.require(
            bool(HOURLY.fullmatch(expression)),
            f"expression: got {expression!r}, allowed is one on the hour: cron(0 … ? * * *)",
        )
        job.check("job", errors)
        network = SelectedNetwork.of(surroundings.network, errors)
        errors.throw()
        name_of = endpoint.endpoint_name
        self._role = role
        self.job_definition = self._definition(
            name_of, baseline, reports, image, encryption_key, job, surroundings, network
        )
        # Its name is made up from this, by which releases may make it.
        self.job_definition.override_logical_id(EndpointNames(name_of).monitor)
        self.schedule = sagemaker.CfnMonitoringSchedule(
            self,
            "Schedule",
            monitoring_schedule_name=name,
            monitoring_schedule_config=sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
                # The definition is known by its ARN alone: its name is CloudFormation's choice,
                # since every change of it makes a new one.
                monitoring_job_definition_name=cdk.Fn.select(
                    1, cdk.Fn.split("/", self.job_definition.ref)
                ),
                monitoring_type="DataQuality",
                schedule_config=sagemaker.CfnMonitoringSchedule.ScheduleConfigProperty(
                    schedule_expression=expression
                ),
            ),
        )
        for resource in (self.job_definition, self.schedule):
            resource.cfn_options.condition = only_if
            resource.add_resource_dependency(endpoint.endpoint)
        self.alarms = {
            feature: Alarm(
                self,
                f"{feature}Alarm",
                metric=monitor_metric(name_of, name, feature),
                threshold=threshold,
                description=f"{feature} in requests to {name_of} has drifted",
                topic=alarm_topic,
            )
            for feature in features
        }

    def _definition(
        self,
        endpoint_name: str,
        baseline: S3Folder,
        reports: S3Folder,
        image: str,
        key: kms.IKey,
        job: Job,
        surroundings: JobSurroundings,
        network: SelectedNetwork | None,
    ) -> sagemaker.CfnDataQualityJobDefinition:
        kind = sagemaker.CfnDataQualityJobDefinition
        # AWS refuses a key for the volume of an instance with disks of its own.
        volume_key = None if has_local_storage(job.instance_type) else key.key_arn
        return kind(
            self,
            "Definition",
            data_quality_app_specification=kind.DataQualityAppSpecificationProperty(
                image_uri=image, environment={"publish_cloudwatch_metrics": "Enabled"}
            ),
            data_quality_baseline_config=kind.DataQualityBaselineConfigProperty(
                constraints_resource=kind.ConstraintsResourceProperty(
                    s3_uri=f"{baseline.url}/constraints.json"
                ),
                statistics_resource=kind.StatisticsResourceProperty(
                    s3_uri=f"{baseline.url}/statistics.json"
                ),
            ),
            data_quality_job_input=kind.DataQualityJobInputProperty(
                endpoint_input=kind.EndpointInputProperty(
                    endpoint_name=endpoint_name, local_path=f"{FOLDER}/input/endpoint"
                )
            ),
            data_quality_job_output_config=kind.MonitoringOutputConfigProperty(
                kms_key_id=key.key_arn,
                monitoring_outputs=[
                    kind.MonitoringOutputProperty(
                        s3_output=kind.S3OutputProperty(
                            local_path=f"{FOLDER}/output", s3_uri=reports.url
                        )
                    )
                ],
            ),
            job_resources=kind.MonitoringResourcesProperty(
                cluster_config=kind.ClusterConfigProperty(
                    instance_count=1,
                    instance_type=job.instance_type,
                    volume_size_in_gb=job.volume_gb,
                    volume_kms_key_id=volume_key,
                )
            ),
            network_config=kind.NetworkConfigProperty(
                enable_inter_container_traffic_encryption=surroundings.encrypt_between_instances,
                enable_network_isolation=surroundings.network_isolation,
                vpc_config=kind.VpcConfigProperty(
                    security_group_ids=list(network.security_groups), subnets=list(network.subnets)
                )
                if network
                else None,
            ),
            role_arn=self._role.role_arn,
            stopping_condition=kind.StoppingConditionProperty(
                max_runtime_in_seconds=job.max_runtime_seconds
            ),
        )
