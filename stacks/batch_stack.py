"""What scores files with the live version of a model."""

from __future__ import annotations

from constructs import Construct

from config import EnvironmentSettings, HostingSettings, TrainingSettings
from config.batch import BatchSettings
from sagelens import BatchLimits, BatchRecords, BatchScoring, S3Folder
from sagelens.algorithms import algorithm
from stacks import job_acknowledgements as acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.hosting_plans import HostingNames, surroundings_of
from stacks.platform_stack import PlatformStack
from stacks.training_plans import recipe_of
from stacks.training_stack import pascal


def records_of(batch: BatchSettings) -> BatchRecords:
    """What a batch's files hold, and what becomes of them."""
    form, columns = batch.content_type, range(batch.identifiers)
    if not columns:
        return BatchRecords(content_type=form, accept=form)
    return BatchRecords(
        content_type=form,
        accept=form,
        sent=f"$[{batch.identifiers}:]",
        kept=f"$[{','.join(map(str, columns))},-1]",
    )


class BatchStack(PlatformStack):
    """Batch scoring for each model that asks for it. It knows live versions by name alone.

    Args:
        scope: The app.
        settings: The environment's settings.
        hosting: Which models are hosted, and how.
        training: How they are trained.
        foundation: The environment's foundation.

    Attributes:
        batches: Batch scoring by the model's name.
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
            "batch",
            settings=settings,
            description="Sagelens: batch scoring with the live versions of models",
        )
        self.foundation = foundation
        self.training = training
        self.batches = {
            name: self._batch(name, endpoint.batch)
            for name, endpoint in hosting.models.items()
            if endpoint.batch
        }

    def _batch(self, model: str, batch: BatchSettings) -> BatchScoring:
        names, foundation = HostingNames(self.settings.name, model), self.foundation
        bucket, recipe = foundation.models_bucket, recipe_of(model)
        chosen = algorithm(self.training.models[model].algorithm)
        inputs = S3Folder(bucket=foundation.data_bucket, prefix=batch.prefix_for(model))
        made = BatchScoring(
            self,
            pascal(model),
            name=names.batch,
            model=model,
            live_version=names.live_parameter,
            model_group_name=names.endpoint,
            models=S3Folder(bucket=bucket, prefix=f"{model}/runs/"),
            inputs=inputs,
            outputs=S3Folder(bucket=bucket, prefix=names.scores),
            images=[chosen.inference_image(self, recipe.serving_processor)],
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            bus=foundation.event_bus,
            records=records_of(batch),
            limits=BatchLimits(
                instance_type=batch.job.instance_type,
                instance_count=batch.job.instance_count,
                max_seconds=batch.job.max_runtime_seconds,
            ),
            schedule=batch.schedule,
            surroundings=surroundings_of(self.training, foundation.network),
            log_retention_days=self.settings.log_retention_days,
            removal_policy=self.removal_policy,
        )
        acknowledgements.batch_findings(
            made,
            names=names,
            models=bucket,
            inputs=inputs,
            network=foundation.network is not None,
        )
        self._export(model, made, inputs)
        return made

    def _export(self, model: str, batch: BatchScoring, inputs: S3Folder) -> None:
        prefix = pascal(model)
        self.export(
            f"{prefix}BatchStateMachineArn", batch.machine.state_machine.ref, "Scores files"
        )
        self.export(f"{prefix}BatchPrefix", inputs.prefix, "Where in the data bucket they are put")
        self.export(
            f"{prefix}ScoresPrefix",
            HostingNames(self.settings.name, model).scores,
            "Where in the models bucket results lie",
        )
