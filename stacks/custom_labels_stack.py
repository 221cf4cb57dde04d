"""Custom Labels models of one's own, and what starts and stops them."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from config import CustomModelSettings, EnvironmentSettings
from sagelens import (
    CustomLabelsGate,
    CustomLabelsModel,
    CustomModelKeeper,
    CustomModels,
    CustomModelsTable,
    Lease,
    Network,
    S3Folder,
    TrainingPlaces,
)
from stacks import custom_labels_acknowledgements as acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack
from stacks.training_stack import pascal

FOLDER = "custom-labels/"


class CustomLabelsStack(PlatformStack):
    """The models with their table and their keeper.

    Args:
        scope: The app.
        settings: The environment's settings.
        models: The models by name.
        foundation: The environment's foundation.

    Attributes:
        table: What is live and what waits.
        models: The models by name.
        keeper: What starts and stops them.
        named: The models as analyses call them.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        models: Mapping[str, CustomModelSettings],
        foundation: FoundationStack,
    ) -> None:
        super().__init__(
            scope,
            "custom-labels",
            settings=settings,
            description="Sagelens: Custom Labels models, started on a lease",
        )
        self.foundation = foundation
        self.table = CustomModelsTable(
            self,
            "Table",
            encryption_key=foundation.encryption_key,
            removal_policy=self.removal_policy,
        )
        self.models = {name: self._model(name, model) for name, model in models.items()}
        self.keeper = CustomModelKeeper(
            self,
            "Keeper",
            models={name: model.kept for name, model in self.models.items()},
            table=self.table,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            environment_name=settings.name,
            log_retention_days=settings.log_retention_days,
            network=self._network(),
            removal_policy=self.removal_policy,
        )
        for model in self.models.values():
            if model.emptier:
                # Gone first, so that nothing starts again what is being stopped and deleted.
                self.keeper.node.add_dependency(model.emptier)
        self.named = CustomModels(
            table=self.table,
            projects={name: model.project_name for name, model in self.models.items()},
        )
        acknowledgements.custom_labels_findings(
            keeper=self.keeper, table=self.table, projects=self.named.projects.values()
        )
        for name, model in self.models.items():
            acknowledgements.model_findings(
                model, data=self._data(name, models[name]), output=self._output(name)
            )
            machine = model.training.machine.state_machine
            self.export(f"{pascal(name)}TrainingArn", machine.ref, "Trains a version")
            self.export(
                f"{pascal(name)}DataPrefix",
                self._data(name, models[name]).prefix,
                "Where in the data bucket manifests and images lie",
            )
        self.export("CustomModelsTableName", self.table.table_name, "Models and waiting work")
        self.export("CustomModelKeeperName", self.keeper.worker.function.function_name, "Sweeps")

    def _model(self, name: str, model: CustomModelSettings) -> CustomLabelsModel:
        return CustomLabelsModel(
            self,
            pascal(name),
            name=name,
            project_name=f"sagelens-{self.settings.name}-{name}",
            places=TrainingPlaces(
                data=self._data(name, model),
                output=self._output(name),
                table=self.table,
                encryption_key=self.foundation.encryption_key,
                alarm_topic=self.foundation.alarm_topic,
            ),
            gate=CustomLabelsGate(
                f1=model.gate.f1, recall=model.gate.recall, least_images=model.least_images
            ),
            lease=Lease(
                minutes=model.lease_minutes,
                inference_units=model.inference_units,
                most_inference_units=model.most_inference_units,
                alarm_hours=model.alarm_hours,
            ),
            log_retention_days=self.settings.log_retention_days,
            network=self._network(),
            removal_policy=self.removal_policy,
        )

    def _data(self, name: str, model: CustomModelSettings) -> S3Folder:
        prefix = model.prefix or f"{FOLDER}{name}/"
        return S3Folder(bucket=self.foundation.data_bucket, prefix=prefix)

    def _output(self, name: str) -> S3Folder:
        return S3Folder(bucket=self.foundation.models_bucket, prefix=f"{FOLDER}{name}/")

    def _network(self) -> Network | None:
        network = self.foundation.network
        if network is None:
            return None
        return Network(vpc=network.vpc, security_groups=[network.workload_security_group])
