"""What watches whether requests are still like the data that models were trained on."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config import EndpointSettings, EnvironmentSettings, HostingSettings, TrainingSettings
from sagelens import (
    DriftWatch,
    Job,
    S3Folder,
    SourceArchive,
    WatchPeriod,
    drift_metric,
)
from sagelens.algorithms import algorithm
from stacks import job_acknowledgements as acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.hosting_plans import VARIANT, HostingNames, capture_of, surroundings_of
from stacks.platform_stack import PlatformStack
from stacks.training_plans import SOURCE, recipe_of
from stacks.training_stack import pascal

ON_DASHBOARD = ("DriftedFeatures", "PredictionPSI")


def watched(names: HostingNames) -> Sequence[cloudwatch.IMetric]:
    """The figures of a model's drift watch that its endpoint's dashboard shows.

    Args:
        names: Names of the model's hosting.
    """
    return [drift_metric(names.watch, names.endpoint, name) for name in ON_DASHBOARD]


class DriftStack(PlatformStack):
    """A drift watch for each model that asks for one. It knows endpoints by their names alone.

    Args:
        scope: The app.
        settings: The environment's settings.
        hosting: Which models are hosted, and how.
        training: How they are trained.
        foundation: The environment's foundation.

    Attributes:
        source: The code archive with the watch and the models' adapters.
        watches: The watches by the model's name.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        hosting: HostingSettings,
        training: TrainingSettings,
        foundation: FoundationStack,
    ) -> None:
        super().__init__(
            scope,
            "drift",
            settings=settings,
            description="Sagelens: drift watches of the endpoints",
        )
        self.foundation = foundation
        self.training = training
        self.source = SourceArchive(self, "Source", folder=SOURCE)
        self.watches = {
            name: self._watch(name, endpoint)
            for name, endpoint in hosting.models.items()
            if endpoint.drift
        }
        for name, watch in self.watches.items():
            acknowledgements.drift_findings(
                watch,
                names=HostingNames(settings.name, name),
                models=foundation.models_bucket,
                labels=self._labels(hosting.models[name]),
                network=foundation.network is not None,
            )
            self._export(name, watch)

    def _watch(self, model: str, endpoint: EndpointSettings) -> DriftWatch:
        drift, foundation = endpoint.drift, self.foundation
        names = HostingNames(self.settings.name, model)
        capture = capture_of(endpoint, names=names, bucket=foundation.models_bucket)
        assert drift is not None and capture is not None
        chosen = algorithm(self.training.models[model].algorithm)
        image = recipe_of(model).processing_algorithm(chosen).training_image(self)
        bucket = foundation.models_bucket
        return DriftWatch(
            self,
            pascal(model),
            name=names.watch,
            model=model,
            endpoint_name=names.endpoint,
            variant=VARIANT,
            live_version=names.live_parameter,
            model_group_name=names.endpoint,
            captured=capture.folder,
            baselines=S3Folder(bucket=bucket, prefix=f"{model}/runs/"),
            reports=S3Folder(bucket=bucket, prefix=f"{model}/drift/"),
            labels=self._labels(endpoint),
            source=self.source,
            image=image,
            adapter=f"ml_src.{model}.capture",
            groups=drift.groups,
            thresholds=drift.thresholds,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            bus=foundation.event_bus if drift.retrain else None,
            period=WatchPeriod(
                schedule=drift.schedule,
                hours=drift.hours,
                delay_minutes=drift.delay_minutes,
                settle_minutes=drift.settle_minutes,
            ),
            job=Job(**drift.job.model_dump()),
            surroundings=surroundings_of(self.training, foundation.network),
            log_retention_days=self.settings.log_retention_days,
            removal_policy=self.removal_policy,
        )

    def _labels(self, endpoint: EndpointSettings) -> S3Folder | None:
        prefix = endpoint.drift.labels_prefix if endpoint.drift else None
        return S3Folder(bucket=self.foundation.data_bucket, prefix=prefix) if prefix else None

    def _export(self, model: str, watch: DriftWatch) -> None:
        machine, alarm, prefix = watch.machine.state_machine, watch.drift_alarm, pascal(model)
        self.export(f"{prefix}DriftStateMachineArn", machine.ref, "Looks for drift")
        self.export(f"{prefix}DriftAlarmName", alarm.alarm_name, "Rings when requests drift")
        self.export(
            f"{prefix}DriftReportsPrefix",
            f"{model}/drift/",
            "Where in the models bucket reports lie",
        )
