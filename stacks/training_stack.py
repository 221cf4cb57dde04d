"""What trains models and registers them."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from config import EnvironmentSettings, TrainingSettings
from sagelens import (
    ExperimentTracking,
    FunctionOptions,
    JobSurroundings,
    Network,
    S3Folder,
    SourceArchive,
)
from sagelens.experiment_tracking import MLFLOW_APP_REGIONS
from stacks import acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.model_training import ModelTraining, Shared
from stacks.platform_stack import PlatformStack
from stacks.training_plans import SOURCE


def add_training(
    app: Construct, *, settings: EnvironmentSettings, foundation: FoundationStack
) -> TrainingStack | None:
    """Add the stack, if models are trained.

    Args:
        app: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
    """
    if settings.training is None:
        return None
    return TrainingStack(app, settings=settings, training=settings.training, foundation=foundation)


class TrainingStack(PlatformStack):
    """Each model's raw data become registered versions of it.

    Args:
        scope: The app.
        settings: The environment's settings.
        training: How models are trained.
        foundation: The environment's foundation.

    Attributes:
        source: The code archive of all models.
        tracking: The MLflow app and what writes to it, or None.
        models: The models by name.
        job_security_group: Of the jobs, or None without a network.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        training: TrainingSettings,
        foundation: FoundationStack,
    ) -> None:
        super().__init__(
            scope,
            "training",
            settings=settings,
            description="Sagelens: training pipelines, model registry and experiments",
        )
        self.training = training
        self.foundation = foundation
        self.source = SourceArchive(self, "Source", folder=SOURCE)
        self.tracking = self._make_tracking()
        shared = Shared(
            source=self.source,
            jobs=JobSurroundings(
                network=self._job_network(),
                network_isolation=training.network_isolation,
                encrypt_between_instances=training.encrypt_between_instances,
            ),
            functions=self._function_network(),
            tracking=self.tracking,
            starts=self._make_schedule_group(),
        )
        self.models = {
            name: ModelTraining(self, pascal(name), name=name, model=model, shared=shared)
            for name, model in training.models.items()
        }
        self._acknowledge()
        self._export_all()

    def _make_tracking(self) -> ExperimentTracking | None:
        if not self.training.experiments:
            return None
        if not cdk.Token.is_unresolved(self.region) and self.region not in MLFLOW_APP_REGIONS:
            cdk.Annotations.of(self).add_info(
                f"training.experiments is off: {self.region} has no MLflow apps of Amazon "
                f"SageMaker; those with one are {', '.join(sorted(MLFLOW_APP_REGIONS))}"
            )
            return None
        bucket = self.foundation.models_bucket
        return ExperimentTracking(
            self,
            "Tracking",
            name=f"sagelens-{self.settings.name}",
            artifacts=S3Folder(bucket=bucket, prefix="mlflow/"),
            results=[
                S3Folder(bucket=bucket, prefix=f"{name}/runs/") for name in self.training.models
            ],
            encryption_key=self.foundation.encryption_key,
            environment_name=self.settings.name,
            alarm_topic=self.foundation.alarm_topic,
            function=FunctionOptions(
                timeout_seconds=300, log_retention_days=self.settings.log_retention_days
            ),
            # AWS documents no VPC endpoint for MLflow apps, so the function is not in the network.
            network=None,
            removal_policy=self.removal_policy,
        )

    def _job_network(self) -> Network | None:
        """Where jobs run: they reach S3 by its gateway, and the other instances of their job.

        Source: "Give SageMaker AI Training Jobs Access to Resources in Your Amazon VPC".
        """
        network = self.foundation.network
        self.job_security_group: ec2.SecurityGroup | None = None
        if network is None:
            return None
        self.job_security_group = group = ec2.SecurityGroup(
            self,
            "JobSecurityGroup",
            vpc=network.vpc,
            description="Training jobs: HTTPS out, and among instances of a job",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "Amazon S3 by its gateway")
        group.add_ingress_rule(group, ec2.Port.all_traffic(), "Other instances of a job")
        group.add_egress_rule(group, ec2.Port.all_traffic(), "Other instances of a job")
        return Network(vpc=network.vpc, security_groups=[group])

    def _function_network(self) -> Network | None:
        network = self.foundation.network
        if network is None:
            return None
        return Network(vpc=network.vpc, security_groups=[network.workload_security_group])

    def _make_schedule_group(self) -> scheduler.CfnScheduleGroup | None:
        starts = [model.start for model in self.training.models.values()]
        if not any(any(start.model_dump().values()) for start in starts):
            return None
        return scheduler.CfnScheduleGroup(self, "Starts")

    def _acknowledge(self) -> None:
        bucket = self.foundation.models_bucket
        if self.job_security_group:
            acknowledgements.job_network_findings(self.job_security_group)
        if self.tracking:
            acknowledgements.tracking_findings(self.tracking, bucket=bucket)
            for name in self.models:
                acknowledgements.tracked_run_findings(self.tracking, bucket=bucket, model=name)
        for model in self.models.values():
            model.acknowledge()

    def _export_all(self) -> None:
        if self.tracking:
            self.export("MlflowAppArn", self.tracking.app_arn, "Where runs are recorded")
        for name, model in self.models.items():
            self._export_model(pascal(name), name, model)

    def _export_model(self, prefix: str, name: str, model: ModelTraining) -> None:
        pipeline, settings = model.pipeline, self.training.models[name]
        self.export(f"{prefix}PipelineName", pipeline.pipeline_name, f"Trains {name}")
        self.export(f"{prefix}PipelineArn", pipeline.pipeline_arn, f"Trains {name}")
        self.export(f"{prefix}ModelGroupName", model.model_group.name, f"Versions of {name}")
        self.export(f"{prefix}DataPrefix", settings.data_prefix, f"Raw data of {name}")
        self.export(f"{prefix}JobRoleArn", pipeline.job_role.role_arn, f"Role of {name}'s jobs")
        for kind, start in (("Data", model.on_data), ("Drift", model.on_drift)):
            if start is not None:
                work = start.work
                self.export(
                    f"{prefix}{kind}StartQueueArn", work.queue.queue_arn, "For the redrive command"
                )
                self.export(
                    f"{prefix}{kind}StartDeadLetterQueueArn",
                    work.dead_letter_queue.queue_arn,
                    "For the redrive command",
                )
        if model.autopilot is not None:
            self.export(
                f"{prefix}AutopilotStateMachineArn",
                model.autopilot.state_machine.ref,
                f"Searches for a model of {name}",
            )


def pascal(name: str) -> str:
    """A model's name as constructs and outputs begin with it: "store-demand" is StoreDemand."""
    return re.sub(r"(?:^|-)([a-z])", lambda found: found[1].upper(), name)
