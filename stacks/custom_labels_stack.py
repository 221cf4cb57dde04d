"""Custom Labels models of one's own, and what starts and stops them."""

from __future__ import annotations

from collections.abc import Mapping

from constructs import Construct

from config import CustomModelSettings, EnvironmentSettings
from sagelens import (
    CustomLabelsModel,
    CustomModelKeeper,
    CustomModels,
    CustomModelsTable,
    Lease,
    Network,
)
from stacks import custom_labels_acknowledgements as acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack
from stacks.training_stack import pascal


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
        network = foundation.network
        self.keeper = CustomModelKeeper(
            self,
            "Keeper",
            models={name: model.kept for name, model in self.models.items()},
            table=self.table,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            environment_name=settings.name,
            log_retention_days=settings.log_retention_days,
            network=Network(vpc=network.vpc, security_groups=[network.workload_security_group])
            if network
            else None,
            removal_policy=self.removal_policy,
        )
        self.named = CustomModels(
            table=self.table,
            projects={name: model.project_name for name, model in self.models.items()},
        )
        acknowledgements.custom_labels_findings(
            keeper=self.keeper, table=self.table, projects=self.named.projects.values()
        )
        self.export("CustomModelsTableName", self.table.table_name, "Models and waiting work")
        self.export("CustomModelKeeperName", self.keeper.worker.function.function_name, "Sweeps")

    def _model(self, name: str, model: CustomModelSettings) -> CustomLabelsModel:
        return CustomLabelsModel(
            self,
            pascal(name),
            name=name,
            project_name=f"sagelens-{self.settings.name}-{name}",
            lease=Lease(
                minutes=model.lease_minutes,
                inference_units=model.inference_units,
                most_inference_units=model.most_inference_units,
                alarm_hours=model.alarm_hours,
            ),
        )
