"""The steps of a training pipeline and what leads from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .algorithms import Range
from .algorithms.metric import Goal
from .pipeline_definition import (
    Condition,
    Definition,
    Parameter,
    PropertyFile,
    RetryPolicy,
    Step,
    Value,
    execution,
    join,
    parameter,
    step,
)
from .step_results import EVALUATION_FILE, StepResults
from .training_plan import Gate, Retries, Tracking, Tuning
from .training_requests import TrainingRequests

SERVICE_ERRORS = ("Step.SERVICE_FAULT", "Step.THROTTLING")
JOB_ERRORS = ("SageMaker.JOB_INTERNAL_ERROR",)
SHORTAGES = ("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT")


@dataclass(frozen=True, kw_only=True)
class TrainingSteps:
    """Makes the definition.

    Attributes:
        requests: What the steps ask of SageMaker.
        pipeline_name: The pipeline.
        environment_name: Goes into customer metadata.
        defaults: Defaults of the hyperparameters that are not tuned.
        data_url: Default of ``DataUrl``.
        approval_status: Default of ``ApprovalStatus``.
        group_name: Where versions are registered.
        gate: What a model must reach.
        tuning: How hyperparameters are searched for, if they are.
        ranges: Where they are searched for.
        goal: Whether more or less of the objective is better.
        tracking: What records runs, if anything does.
        retries: How often steps are tried again.
        cache_days: How long a step's result serves for an equal one.
    """

    requests: TrainingRequests
    pipeline_name: str
    environment_name: str
    defaults: Mapping[str, str]
    data_url: str
    approval_status: str
    group_name: str
    gate: Gate
    retries: Retries
    tuning: Tuning | None = None
    ranges: Mapping[str, Range]
    goal: Goal | None = None
    tracking: Tracking | None = None
    cache_days: int | None = None

    @property
    def results(self) -> StepResults:
        """What steps take from each other."""
        requests = self.requests
        return StepResults(
            recipe=requests.recipe,
            algorithm=requests.algorithm,
            gate=self.gate,
            tuning=self.tuning,
        )

    def definition(self) -> Definition:
        """The whole definition."""
        training = self._train() if self.tuning is None else self._tune(self.tuning)
        evaluation = [self._evaluate()] if self.results.evaluates else []
        tracking = [self._track(self.tracking)] if self.tracking else []
        return Definition(
            parameters=self._parameters(),
            steps=[self._prepare(), training, *evaluation, *tracking, self._gate()],
        )

    def _parameters(self) -> list[Parameter]:
        jobs = self.requests.jobs
        found = [
            Parameter("DataUrl", self.data_url),
            Parameter("PrepareInstanceType", jobs.prepare.instance_type),
            Parameter("TrainInstanceType", jobs.train.instance_type),
            Parameter("TrainInstanceCount", jobs.train.instance_count),
        ]
        if self.results.evaluates:
            found.append(Parameter("EvaluateInstanceType", jobs.evaluate.instance_type))
        found += [
            Parameter("ApprovalStatus", self.approval_status),
            Parameter(self._bound, self._default_bound),
        ]
        if self.tuning:
            if self.tuning.strategy != "Grid":
                found.append(Parameter("TuneMaxJobs", self.tuning.max_jobs))
            found.append(Parameter("TuneParallelJobs", self.tuning.parallel_jobs))
        return [*found, *(Parameter(name, text) for name, text in self.defaults.items())]

    # Steps

    def _prepare(self) -> Step:
        return Step(
            name="Prepare",
            type="Processing",
            description="Makes channels of raw data",
            arguments=self.requests.prepare(),
            cache_days=self.cache_days,
            retries=self._retries(JOB_ERRORS),
        )

    def _train(self) -> Step:
        # The place of checkpoints, and of Debugger's tensors, is among what makes two training
        # jobs equal ("Default cache key attributes by pipeline step type"), and is the execution's.
        alike = not (self.requests.keeps_checkpoints or self.requests.debugger_rules)
        return Step(
            name="Train",
            type="Training",
            description="Trains a model",
            arguments=self.requests.train(),
            cache_days=self.cache_days if alike else None,
            retries=self._retries(JOB_ERRORS),
        )

    def _tune(self, tuning: Tuning) -> Step:
        return Step(
            name="Tune",
            type="Tuning",
            description="Trains models with different hyperparameters, for the best of them",
            arguments=self.requests.tune(tuning, self.ranges, self.goal or "Maximize"),
            cache_days=self.cache_days,
            # Its jobs are retried by the tuning job itself ("Retry Policy for Pipeline Steps").
            retries=self._retries(()),
        )

    def _evaluate(self) -> Step:
        recipe = self.requests.recipe
        return Step(
            name="Evaluate",
            type="Processing",
            description="Judges the model on data that it has never seen",
            arguments=self.requests.evaluate(self.results.model_url),
            property_files=[PropertyFile(EVALUATION_FILE, recipe.evaluated[0], recipe.evaluation)],
            cache_days=self.cache_days,
            retries=self._retries(JOB_ERRORS),
        )

    def _track(self, tracking: Tracking) -> Step:
        results = self.results
        plots = self.requests.recipe.plots if results.evaluates else None
        return Step(
            name="Track",
            type="Lambda",
            description="Records parameters, metrics and plots of the run",
            arguments=tracking.step_arguments(
                experiment=self.pipeline_name,
                execution_arn=execution("PipelineExecutionArn"),
                training_job=results.of_training("TrainingJobName"),
                model_group=self.group_name,
                model=self.requests.recipe.model,
                model_url=results.model_url,
                evaluation_url=results.evaluation_url if results.evaluates else "",
                plots_url=results.evaluated(plots) if plots else "",
                parameters=self._hyperparameters,
                metrics={} if results.evaluates else {self.gate.metric: results.metric},
            ),
            function_arn=tracking.function_arn,
            outputs=tracking.OUTPUTS,
        )

    def _gate(self) -> Condition:
        at_least = self.gate.at_least is not None
        return Condition(
            name="Gate",
            description=f"Registers the model if {self.gate.metric} is good enough",
            comparison="GreaterThanOrEqualTo" if at_least else "LessThanOrEqualTo",
            left=self.results.metric,
            right=parameter(self._bound),
            then=[self._register()],
            otherwise=[self._fail(at_least)],
            depends_on=["Track"] if self.tracking else [],
        )

    def _fail(self, at_least: bool) -> Step:
        model = self.requests.recipe.model
        reason = join(
            f"{model} was not registered: {self.gate.metric} is ",
            self.results.metric,
            f", and at {'least' if at_least else 'most'} ",
            parameter(self._bound),
            " is asked for",
        )
        return Step(
            name="Refuse",
            type="Fail",
            description="Ends the execution with the reason",
            arguments={"ErrorMessage": reason},
        )

    @property
    def _bound(self) -> str:
        return "Most" if self.gate.at_least is None else "Least"

    @property
    def _default_bound(self) -> float:
        bound = self.gate.at_most if self.gate.at_least is None else self.gate.at_least
        return float(bound or 0)

    @property
    def _hyperparameters(self) -> dict[str, Value]:
        given = {name: parameter(name) for name in self.defaults}
        return {**given, **self.results.tuned(self.ranges)}

    def _register(self) -> Step:
        requests = self.requests
        recipe, algorithm = requests.recipe, requests.algorithm
        container: dict[str, Any] = {
            "Image": requests.images.serve,
            "ModelDataUrl": self.results.model_url,
        }
        if recipe.serves_by_script(algorithm):
            container["Environment"] = {
                "SAGEMAKER_PROGRAM": recipe.serving,
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            }
        metrics = self.results.model_metrics()
        return Step(
            name="Register",
            type="RegisterModel",
            description="Registers the model as a version",
            arguments={
                "ModelPackageGroupName": self.group_name,
                "ModelPackageDescription": f"{recipe.model}, made by {self.pipeline_name}",
                "InferenceSpecification": {
                    "Containers": [container],
                    "SupportedContentTypes": recipe.served_types(algorithm),
                    "SupportedResponseMIMETypes": list(recipe.response_types),
                },
                **({"ModelMetrics": metrics} if metrics else {}),
                "ModelApprovalStatus": parameter("ApprovalStatus"),
                "CustomerMetadataProperties": self._metadata(),
            },
            retries=self._attempts(SERVICE_ERRORS),
        )

    def _metadata(self) -> dict[str, Value]:
        """Where a version comes from.

        A value may hold letters, digits, spaces and _.:/=+-@ only, and 256 characters.
        """
        found: dict[str, Value] = {
            "environment": self.environment_name,
            "execution_id": execution("PipelineExecutionId"),
            "pipeline": self.pipeline_name,
            "training_job": self.results.of_training("TrainingJobName"),
            "code": self.requests.code_name,
            "gate": self.gate.metric,
        }
        if self.tracking:
            for name in self.tracking.OUTPUTS:
                found[name] = step("Track", f"OutputParameters['{name}']")
        return found

    # Retries

    def _retries(self, job_errors: Sequence[str]) -> list[RetryPolicy]:
        retries = self.retries
        found = [*self._attempts(SERVICE_ERRORS), *(self._attempts(job_errors))]
        if retries.capacity_minutes:
            found.append(
                RetryPolicy(
                    exceptions=SHORTAGES,
                    interval_seconds=retries.interval_seconds,
                    backoff=retries.backoff,
                    minutes=retries.capacity_minutes,
                )
            )
        return found

    def _attempts(self, exceptions: Sequence[str]) -> list[RetryPolicy]:
        retries = self.retries
        if not (retries.attempts and exceptions):
            return []
        return [
            RetryPolicy(
                exceptions=exceptions,
                interval_seconds=retries.interval_seconds,
                backoff=retries.backoff,
                attempts=retries.attempts,
            )
        ]
