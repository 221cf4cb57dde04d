"""Tuning jobs: the operations. tuning_job.py runs them."""

from collections.abc import Mapping
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker import tuning_ranges
from rehearsal.sagemaker.context import Context, times
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.jobs import Ask, Jobs
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.surroundings import refuse
from rehearsal.sagemaker.tables import Fields, Resource
from rehearsal.sagemaker.training_checks import check as check_training
from rehearsal.sagemaker.training_checks import invalid
from rehearsal.sagemaker.tuning_job import KIND, TABLE, TuningWork, training_request
from rehearsal.sagemaker.tuning_results import (
    best,
    counters,
    objective_of,
    summary,
    training_jobs,
)
from rehearsal.sagemaker.xgboost_metrics import definitions

UNREHEARSED = ("TrainingJobDefinitions", "WarmStartConfig", "Autotune")
STRATEGIES = ("Bayesian", "Random", "Grid")
MOST, MOST_PARALLEL = 750, 100  # "SageMaker resource quotas"


def missing(name: str) -> ServiceError:
    """AWS's answer about a job that is not there."""
    return ServiceError(
        "ResourceNotFound", f"Amazon SageMaker can't find a tuning job with name {name}."
    )


def in_use(arn: str) -> ServiceError:
    """AWS's answer about a name that is taken."""
    name = arn.rpartition("/")[2]
    return ServiceError(
        "ResourceInUse",
        f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different "
        "name.",
    )


def operations(context: Context) -> Registry:
    """Create, describe, list, list training jobs, and stop."""
    api = TuningJobs(context)
    return {
        "CreateHyperParameterTuningJob": api.create,
        "DescribeHyperParameterTuningJob": api.describe,
        "ListHyperParameterTuningJobs": api.list,
        "ListTrainingJobsForHyperParameterTuningJob": api.list_training_jobs,
        "StopHyperParameterTuningJob": api.stop,
    }


class TuningJobs:
    """The operations.

    Args:
        context: SageMaker's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = context.tables.table(TABLE, missing, in_use)

    def create(self, call: Call) -> Fields:
        """CreateHyperParameterTuningJob."""
        given = call.parameters
        name = given["HyperParameterTuningJobName"]
        arn = self._context.arn(TABLE, name)
        _check_known(given)
        configuration: Fields = dict(given["HyperParameterTuningJobConfig"])
        definition = _completed(configuration, given["TrainingJobDefinition"])
        self._context.check_role(call, definition["RoleArn"], arn)
        _check(self._context, name, configuration, definition)
        fields: Fields = {
            "HyperParameterTuningJobConfig": configuration,
            "TrainingJobDefinition": definition,
            "HyperParameterTuningJobStatus": "InProgress",
        }
        self._table.add(name, arn, fields, given.get("Tags"))
        self._context.one(Jobs).start(TuningWork(self._context, name))
        return {"HyperParameterTuningJobArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeHyperParameterTuningJob."""
        job = self._view(call)
        found = best(self._context, job)
        chosen = {"BestTrainingJob": summary(found, job)} if found else {}
        names = {
            "HyperParameterTuningJobName": job.name,
            "HyperParameterTuningJobArn": job.arn,
        }
        return {**names, **job.fields, **counters(self._context, job), **chosen, **times(job)}

    def list(self, call: Call) -> Fields:
        """ListHyperParameterTuningJobs."""
        return page(
            self._table.all(),
            call.parameters,
            "HyperParameterTuningJobSummaries",
            lambda job: _summary(self._context, job),
            status="HyperParameterTuningJobStatus",
        )

    def list_training_jobs(self, call: Call) -> Fields:
        """ListTrainingJobsForHyperParameterTuningJob."""
        return _training_jobs(self._context, self._view(call), call.parameters)

    def stop(self, call: Call) -> Fields:
        """StopHyperParameterTuningJob."""
        name = call.parameters["HyperParameterTuningJobName"]
        with self._table.lock:
            if self._table.require(name).fields["HyperParameterTuningJobStatus"] == "InProgress":
                self._table.update(name, HyperParameterTuningJobStatus="Stopping")
        self._context.one(Jobs).ask(KIND, name, Ask.STOP)
        return {}

    def _view(self, call: Call) -> Resource:
        return self._table.view(call.parameters["HyperParameterTuningJobName"])


def _check_known(given: Mapping[str, Any]) -> None:
    """What the rehearsal does not know of a tuning job."""
    unknown = [name for name in UNREHEARSED if given.get(name)]
    if unknown or not given.get("TrainingJobDefinition"):
        raise refuse(
            "the rehearsal tunes by one TrainingJobDefinition"
            + (f"; it does not know {', '.join(unknown)}" if unknown else "")
        )
    configuration: Mapping[str, Any] = given["HyperParameterTuningJobConfig"]
    if configuration["Strategy"] not in STRATEGIES:
        raise refuse(
            f"the strategy {configuration['Strategy']} cannot be rehearsed; "
            f"{', '.join(STRATEGIES)} can (Bayesian draws at random here)"
        )
    criteria: Mapping[str, Any] = configuration.get("TuningJobCompletionCriteria", {})
    foreign = sorted(set(criteria) - {"TargetObjectiveMetricValue"})
    if foreign:
        raise refuse(f"the rehearsal does not know the completion criteria {', '.join(foreign)}")
    if given["TrainingJobDefinition"].get("HyperParameterTuningResourceConfig"):
        raise refuse("give ResourceConfig, not HyperParameterTuningResourceConfig")


def _completed(configuration: Fields, definition: Fields) -> Fields:
    """The definition as SageMaker completes it for an image of its own."""
    objective = configuration.get("HyperParameterTuningJobObjective")
    image = Image.of(definition["AlgorithmSpecification"].get("TrainingImage", ""))
    if objective is None or not image.is_first_party:
        return definition
    name = objective["MetricName"]
    specification = definition["AlgorithmSpecification"]
    static = {**definition.get("StaticHyperParameters", {}), "_tuning_objective_metric": name}
    return {**definition, "StaticHyperParameters": static, "AlgorithmSpecification": specification}


def _check(context: Context, name: str, configuration: Fields, definition: Fields) -> None:
    limits: Fields = configuration["ResourceLimits"]
    strategy = configuration["Strategy"]
    ranges: Fields = configuration.get("ParameterRanges", {})
    tuning_ranges.check(ranges, definition.get("StaticHyperParameters", {}), strategy)
    if strategy == "Grid":
        limits["MaxNumberOfTrainingJobs"] = tuning_ranges.grid_size(ranges)
    number = limits.get("MaxNumberOfTrainingJobs")
    parallel = limits["MaxParallelTrainingJobs"]
    if number is None:
        raise invalid("ResourceLimits: MaxNumberOfTrainingJobs is required for this strategy.")
    if number > MOST or parallel > MOST_PARALLEL:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"MaxNumberOfTrainingJobs {number} and MaxParallelTrainingJobs {parallel}: allowed are "
            f"at most {MOST} and {MOST_PARALLEL}.",
        )
    if parallel > number:
        raise invalid(
            f"MaxParallelTrainingJobs {parallel} must not exceed MaxNumberOfTrainingJobs {number}."
        )
    example = training_request(definition, f"{name}-001-00000000", {})
    _check_objective(configuration, example, check_training(context, example))


def _check_objective(configuration: Fields, example: Fields, image: Image) -> None:
    own: list[Fields] = example["AlgorithmSpecification"].get("MetricDefinitions", [])
    known = definitions() if image.is_xgboost else own
    objective = configuration.get("HyperParameterTuningJobObjective")
    if objective is None or objective["MetricName"] not in {each["Name"] for each in known}:
        raise invalid(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric "
            "in the metric definitions."
        )


def _training_jobs(context: Context, tuning: Resource, given: Mapping[str, Any]) -> Fields:
    jobs = training_jobs(context, tuning)
    if given.get("SortBy") != "FinalObjectiveMetricValue":
        return page(
            jobs,
            given,
            "TrainingJobSummaries",
            lambda job: summary(job, tuning),
            status="TrainingJobStatus",
        )
    metric = tuning.fields["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    valued = [(objective_of(job, metric["MetricName"]), job) for job in jobs]
    # Jobs without a value come last in either order, and are not in the answer on AWS.
    chosen = [(value, job) for value, job in valued if value is not None]
    chosen.sort(key=lambda pair: pair[0])
    for place, (_, job) in enumerate(chosen):
        job.created = float(place)  # a copy: only the order of the page
    times_of = {job.name: job for job in training_jobs(context, tuning)}
    return page(
        [job for _, job in chosen],
        {**given, "SortBy": "CreationTime"},
        "TrainingJobSummaries",
        lambda job: summary(times_of[job.name], tuning),
        status="TrainingJobStatus",
    )


def _summary(context: Context, job: Resource) -> Fields:
    configuration: Fields = job.fields["HyperParameterTuningJobConfig"]
    return {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": job.arn,
        "HyperParameterTuningJobStatus": job.fields["HyperParameterTuningJobStatus"],
        "Strategy": configuration["Strategy"],
        "ResourceLimits": configuration["ResourceLimits"],
        **counters(context, job),
        **times(job),
    }
