"""Whether what an endpoint is asked, and answers, is still what its live version was trained on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .drift_definition import drift_definition
from .drift_options import WatchPeriod, drift_metric
from .drift_plan import LONGEST_PERIOD, WatchPlaces
from .drift_roles import DriftJobRole, DriftMachineRole
from .errors import ArgumentErrors
from .image_repository import repository_arn
from .job_machine import JobMachine
from .job_network import SelectedNetwork
from .job_requests import ENVIRONMENT, INPUT, start
from .job_tags import tags_of
from .jobs import Job, JobSurroundings, has_local_storage
from .live_version import parameter_arn
from .machine_schedule import SCHEDULED_TIME, MachineSchedule
from .s3_folder import S3Folder
from .source_archive import SourceArchive

LONGEST_ARGUMENT = 256
"""Characters of an argument ("AppSpecification", Amazon SageMaker API Reference)."""
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,53}")
"""A job's name has 63 characters, nine of which make it unique."""
START_SECONDS = 1800
"""How long a job may take to get its instance, apart from its own limit."""


class DriftWatch(Construct):
    """Schedule → state machine → processing job → metrics → alarm, and a request to retrain.

    It ends well and says nothing while no version is live, right after a release, and when nothing
    was captured. What fails rings.

    Sources: "Create and manage Amazon SageMaker AI jobs with Step Functions", "Transforming data
    with JSONata in Step Functions" (AWS Step Functions); "Capture data from real-time endpoint"
    (Amazon SageMaker AI); "Configuring how CloudWatch alarms treat missing data" (Amazon
    CloudWatch).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: Jobs' names begin with it, and metrics have it as dimension ``Watch``: 1 to 54
            letters, digits and hyphens, for example ``sagelens-dev-churn-drift``.
        model: ``detail.model`` of the event that asks for retraining.
        endpoint_name: The endpoint.
        variant: Its variant.
        live_version: Name of the SSM parameter with the live version.
        model_group_name: Model package group of the versions.
        captured: Where the endpoint captures: the folder of its ``DataCapture``.
        baselines: Folder that the versions' baselines lie in, such as ``churn/runs/``.
        reports: Where reports go; each run has a folder ``yyyy/mm/dd/hh-…`` there.
        source: The code archive, which holds ``ml_src/shared/drift`` and the adapter.
        image: Address of the image that runs it: the model's own.
        adapter: Module that reads the model's requests, such as ``ml_src.churn.capture``.
        encryption_key: Key of all these folders, of the job's volume, logs and state machine.
        alarm_topic: Hears of drift and of failures.
        bus: Event bus that hears ``Retraining Requested``; None: nobody is asked to retrain.
        labels: Folder of labels that come later, if they do.
        groups: Features watched for bias, ``feature`` or ``feature=value``.
        thresholds: From where on a difference is drift; see ``docs/drift.md``.
        period: When it looks, and at what.
        job: What the job runs on.
        surroundings: What it runs within.
        log_retention_days: Days to keep the state machine's logs.
        removal_policy: What becomes of logs and queue when the stack is deleted.

    Attributes:
        job_role: What the job may do.
        machine_role: What the state machine may do.
        machine: State machine, its log group and the alarms on its failures.
        schedule: Starts it.
        definition: The state machine's definition, as plain data.
        drift_alarm: Rings when the requests have drifted, until a later look finds them steady.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        model: str,
        endpoint_name: str,
        live_version: str,
        model_group_name: str,
        captured: S3Folder,
        baselines: S3Folder,
        reports: S3Folder,
        source: SourceArchive,
        image: str,
        adapter: str,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        bus: events.IEventBus | None,
        variant: str = "main",
        labels: S3Folder | None = None,
        groups: Sequence[str] = (),
        thresholds: Mapping[str, float] | None = None,
        period: WatchPeriod = WatchPeriod(),
        job: Job = Job(),
        surroundings: JobSurroundings = JobSurroundings(),
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.name, self.endpoint_name = name, endpoint_name
        arguments = self._arguments(adapter, groups, thresholds or {})
        errors = ArgumentErrors(f"DriftWatch {self.node.path}")
        folders = {"captured": captured, "baselines": baselines, "reports": reports}
        if labels:
            folders["labels"] = labels
        self._check(errors, folders, image, [*arguments, *self._dimensions()], period, job)
        network = SelectedNetwork.of(surroundings.network, errors)
        errors.throw()
        own = S3Folder(
            bucket=captured.bucket, prefix=f"{captured.prefix}{endpoint_name}/{variant}/"
        )
        self.job_role = DriftJobRole(
            self,
            "JobRole",
            captured=own,
            baselines=baselines,
            labels=labels,
            reports=reports,
            source=source,
            encryption_key=encryption_key,
            image=image,
            network=network,
        )
        self.machine_role = DriftMachineRole(
            self,
            "MachineRole",
            name=name,
            parameter_arn=parameter_arn(self, live_version),
            group_name=model_group_name,
            captured=own,
            labels=labels,
            reports=reports,
            job_role=self.job_role,
            bus=bus,
            encryption_key=encryption_key,
        )
        self.definition = drift_definition(
            WatchPlaces(
                partition=cdk.Aws.PARTITION,
                name=name,
                model=model,
                endpoint=endpoint_name,
                variant=variant,
                parameter=live_version,
                captured_bucket=own.bucket.bucket_name,
                captured_prefix=own.prefix,
                labels_bucket=labels.bucket.bucket_name if labels else None,
                labels_prefix=labels.prefix if labels else "",
                reports_bucket=reports.bucket.bucket_name,
                reports_prefix=reports.prefix,
                code_url=source.url,
                job=self._job(image, job, surroundings, network, encryption_key),
                key=encryption_key.key_arn,
                arguments=arguments,
                period_hours=period.hours,
                delay_minutes=period.delay_minutes,
                settle_minutes=period.settle_minutes,
                timeout_seconds=job.max_runtime_seconds + START_SECONDS,
                bus=bus.event_bus_name if bus else None,
            )
        )
        self.machine = JobMachine(
            self,
            "Machine",
            role=self.machine_role,
            definition=self.definition,
            what=f"The drift watch of {endpoint_name}",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            log_retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.schedule = MachineSchedule(
            self,
            "Schedule",
            state_machine=self.machine.state_machine,
            description=f"Drift watch of {endpoint_name}",
            expression=period.schedule,
            input={"at": SCHEDULED_TIME},
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )
        self.drift_alarm = self._drift_alarm(alarm_topic)

    def _check(
        self,
        errors: ArgumentErrors,
        folders: Mapping[str, S3Folder],
        image: str,
        arguments: Sequence[str],
        period: WatchPeriod,
        job: Job,
    ) -> None:
        errors.require(
            cdk.Token.is_unresolved(self.name) or bool(JOB_NAME.fullmatch(self.name)),
            f"name: got {self.name!r}, allowed are 1 to 54 letters, digits and hyphens",
        )
        for argument, folder in folders.items():
            problem = folder.problem()
            errors.require(problem is None, f"{argument}.{problem}")
        try:
            repository_arn(image)
        except ValueError as error:
            errors.require(False, str(error))
        for word in arguments:
            errors.require(
                cdk.Token.is_unresolved(word) or len(word) <= LONGEST_ARGUMENT,
                f"argument of the job: got {len(word)} characters ({word[:40]}…), allowed are "
                f"{LONGEST_ARGUMENT}: give fewer thresholds, or shorter names",
            )
        errors.between("period.hours", period.hours, 1, LONGEST_PERIOD, unit="h")
        errors.between("period.delay_minutes", period.delay_minutes, 5, 129_600, unit="min")
        errors.between("period.settle_minutes", period.settle_minutes, 0, 1_440, unit="min")
        job.check("job", errors)

    def _dimensions(self) -> list[str]:
        return [f"Endpoint={self.endpoint_name}", f"Watch={self.name}"]

    @staticmethod
    def _arguments(
        adapter: str, groups: Sequence[str], thresholds: Mapping[str, float]
    ) -> list[str]:
        found = ["--adapter", adapter]
        if groups:
            found += ["--groups", *groups]
        if thresholds:
            found += ["--thresholds", json.dumps(dict(thresholds), separators=(",", ":"))]
        return found

    def _job(
        self,
        image: str,
        job: Job,
        surroundings: JobSurroundings,
        network: SelectedNetwork | None,
        key: kms.IKey,
    ) -> dict[str, Any]:
        # AWS refuses a key for the volume of an instance with disks of its own.
        volume = {} if has_local_storage(job.instance_type) else {"VolumeKmsKeyId": key.key_arn}
        return {
            "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": start(INPUT)},
            "Environment": dict(ENVIRONMENT),
            "NetworkConfig": {
                "EnableInterContainerTrafficEncryption": surroundings.encrypt_between_instances,
                "EnableNetworkIsolation": surroundings.network_isolation,
                **({"VpcConfig": network.config} if network else {}),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": job.instance_type,
                    "VolumeSizeInGB": job.volume_gb,
                    **volume,
                }
            },
            "RoleArn": self.job_role.role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_seconds},
            "Tags": tags_of(lambda: self.machine.state_machine),
        }

    def _drift_alarm(self, topic: sns.ITopic) -> Alarm:
        alarm = Alarm(
            self,
            "DriftAlarm",
            metric=self.metric(),
            description=f"Requests to {self.endpoint_name}, or its answers, are no longer what "
            "its live version was trained on; the newest report says which",
            topic=topic,
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        # Between two looks, and after one without a verdict, the last verdict holds.
        resource.treat_missing_data = "ignore"
        return alarm

    def metric(self, name: str = "DriftDetected", **dimensions: str) -> cloudwatch.Metric:
        """A metric of this watch: see :func:`drift_metric`."""
        return drift_metric(self.name, self.endpoint_name, name, **dimensions)

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal look at once, or again at an earlier period.

        The input is ``{}``, or ``{"at": "2026-11-23T02:00:00Z"}`` for the look of that time.

        Args:
            grantee: A role, user or function.
        """
        self.machine.grant_start(grantee)
