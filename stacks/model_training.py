"""Everything that one model's training takes, put together from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from config import ModelSettings
from sagelens import (
    AutoMLLimits,
    AutoMLTraining,
    CardContent,
    DataLocation,
    ExperimentTracking,
    FunctionOptions,
    JobSurroundings,
    ModelCard,
    ModelGroup,
    Network,
    PipelineSchedule,
    PipelineStartOnData,
    PipelineStartOnEvent,
    PipelineTarget,
    S3Folder,
    SourceArchive,
    TrainingPipeline,
)
from sagelens.algorithms import algorithm
from stacks import acknowledgements
from stacks.training_plans import gate_of, jobs_of, recipe_of, tuning_of

if TYPE_CHECKING:
    from stacks.training_stack import TrainingStack


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the models of a stack share.

    Args:
        source: The code archive.
        jobs: What the jobs run within.
        functions: Where functions run; None: outside any network.
        tracking: What records the runs, if anything does.
        starts: Group of the schedules that start pipelines; None: nothing starts any.
    """

    source: SourceArchive
    jobs: JobSurroundings
    functions: Network | None
    tracking: ExperimentTracking | None
    starts: scheduler.CfnScheduleGroup | None


class ModelTraining(Construct):
    """A model's group, card, pipeline, and what starts it.

    Args:
        stack: The stack that it is part of.
        id: The construct's id.
        name: The model's name.
        model: Its settings.
        shared: What it shares with the stack's other models.

    Attributes:
        model_group: Where its versions are registered.
        card: Its model card.
        pipeline: Its pipeline.
        schedule: Starts it at set times, or None.
        on_data: Starts it when data arrive, or None.
        on_drift: Starts it when retraining is asked for, or None.
        autopilot: The search for a model besides, or None.
    """

    def __init__(
        self, stack: TrainingStack, id: str, *, name: str, model: ModelSettings, shared: Shared
    ) -> None:
        super().__init__(stack, id)
        self._stack = stack
        self._foundation = stack.foundation
        self._name = name
        self._model = model
        self._shared = shared
        self._full_name = f"sagelens-{stack.settings.name}-{name}"
        self.algorithm = algorithm(model.algorithm)
        self.model_group = self._group()
        self.pipeline = self._pipeline()
        self.card = self._card()
        self._make_starts()
        self.autopilot = self._autopilot()

    def _group(self) -> ModelGroup:
        training = self._stack.training
        return ModelGroup(
            self,
            "Group",
            name=self._full_name,
            description=f"Versions of the model {self._name}",
            share_with=training.share_models_with,
            encryption_key=self._foundation.encryption_key,
            log_retention_days=self._stack.settings.log_retention_days,
            removal_policy=self._stack.removal_policy,
        )

    def _pipeline(self) -> TrainingPipeline:
        model, foundation = self._model, self._foundation
        features = self._stack.settings.account_features
        return TrainingPipeline(
            self,
            "Pipeline",
            name=self._full_name,
            recipe=recipe_of(self._name),
            algorithm=self.algorithm,
            hyperparameters=model.hyperparameters,
            data=DataLocation(bucket=foundation.data_bucket, prefix=model.data_prefix),
            artifacts=foundation.models_bucket,
            encryption_key=foundation.encryption_key,
            gate=gate_of(model),
            source=self._shared.source,
            model_group=self.model_group,
            alarm_topic=foundation.alarm_topic,
            environment_name=self._stack.settings.name,
            jobs=jobs_of(model),
            surroundings=self._shared.jobs,
            tuning=tuning_of(self.algorithm, model),
            rules=model.training_rules,
            tracking=self._shared.tracking,
            debugger=features.debugger,
            cache_days=model.cache_days,
            announce=model.announce,
            removal_policy=self._stack.removal_policy,
        )

    def _card(self) -> ModelCard:
        model, card, foundation = self._model, self._model.card, self._foundation
        gate = model.gate
        bound = f"at least {gate.at_least:g}" if gate.at_least is not None else ""
        bound = bound or f"at most {gate.at_most:g}"
        return ModelCard(
            self,
            "Card",
            name=self._full_name,
            encryption_key=foundation.encryption_key,
            content=CardContent(
                model=self._name,
                description=f"Trained by the pipeline {self._full_name}",
                owner=card.owner,
                algorithm=self.algorithm.title,
                purpose=card.purpose,
                intended_uses=card.intended_uses,
                risk=card.risk,
                caveats=card.caveats,
                datasets=[f"s3://{foundation.data_bucket.bucket_name}/{model.data_prefix}"],
                hyperparameters=model.hyperparameters,
                evaluation=f"A version is registered if {gate.metric} is {bound}; its own "
                "figures are in the model registry.",
                details={"environment": self._stack.settings.name, "versions": self._full_name},
            ),
        )

    def _make_starts(self) -> None:
        start, settings = self._model.start, self._stack.settings
        self.schedule: PipelineSchedule | None = None
        self.on_data: PipelineStartOnData | None = None
        self.on_drift: PipelineStartOnEvent | None = None
        if self._shared.starts is None:
            return
        target = PipelineTarget(
            name=self._full_name,
            arn=self.pipeline.pipeline_arn,
            group=self._shared.starts,
            encryption_key=self._foundation.encryption_key,
            alarm_topic=self._foundation.alarm_topic,
        )
        function = FunctionOptions(
            timeout_seconds=30, memory_mb=256, log_retention_days=settings.log_retention_days
        )
        if start.schedule is not None:
            self.schedule = PipelineSchedule(
                self, "Schedule", target=target, expression=start.schedule
            )
        if start.on_new_data_minutes is not None:
            self.on_data = PipelineStartOnData(
                self,
                "OnData",
                target=target,
                schedule_name=f"{self._full_name}-data",
                bucket=self._foundation.data_bucket,
                prefix=self._model.data_prefix,
                interval_minutes=start.on_new_data_minutes,
                environment_name=settings.name,
                function=function,
                network=self._shared.functions,
                removal_policy=self._stack.removal_policy,
            )
        if start.on_drift_days is not None:
            self.on_drift = PipelineStartOnEvent(
                self,
                "OnDrift",
                target=target,
                schedule_name=f"{self._full_name}-drift",
                bus=self._foundation.event_bus,
                model=self._name,
                period_days=start.on_drift_days,
                environment_name=settings.name,
                function=function,
                network=self._shared.functions,
                removal_policy=self._stack.removal_policy,
            )

    def _autopilot(self) -> AutoMLTraining | None:
        asked, foundation = self._model.autopilot, self._foundation
        if asked is None:
            return None
        return AutoMLTraining(
            self,
            "Autopilot",
            name=self._name,
            data=S3Folder(bucket=foundation.data_bucket, prefix=self._model.data_prefix),
            target=asked.target,
            artifacts=S3Folder(bucket=foundation.models_bucket, prefix=f"{self._name}/autopilot/"),
            model_group_name=f"{self._full_name}-autopilot",
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            objective=asked.objective,
            limits=AutoMLLimits(
                max_candidates=asked.max_candidates,
                candidate_seconds=asked.candidate_seconds,
                total_seconds=asked.total_seconds,
            ),
            network=self._shared.jobs.network,
            log_retention_days=self._stack.settings.log_retention_days,
            removal_policy=self._stack.removal_policy,
        )

    def acknowledge(self) -> None:
        """Say why each finding of cdk-nag in it stands."""
        foundation, starts = self._foundation, self._shared.starts
        acknowledgements.model_group_findings(self.model_group)
        acknowledgements.pipeline_findings(
            self.pipeline,
            data=foundation.data_bucket,
            prefix=self._model.data_prefix,
            models=foundation.models_bucket,
            model=self._name,
            group=self._full_name,
            network=self._shared.jobs.network is not None,
            tunes=self._model.tuning is not None,
        )
        if self.on_data is not None and starts is not None:
            group = self._stack.get_logical_id(starts)
            acknowledgements.start_findings(
                self.on_data, schedules=f"<{group}>/{self._full_name}-data-*"
            )
        if self.on_drift is not None:
            acknowledgements.start_findings(self.on_drift)
        if self.schedule is not None:
            acknowledgements.schedule_findings(self.schedule)
        if self.autopilot is not None:
            acknowledgements.autopilot_findings(
                self.autopilot,
                data=foundation.data_bucket,
                prefix=self._model.data_prefix,
                models=foundation.models_bucket,
                model=self._name,
                group=f"{self._full_name}-autopilot",
            )
