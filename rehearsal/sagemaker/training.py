"""Training jobs: the operations. training_job.py runs them."""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, times
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.job_log import Observe
from rehearsal.sagemaker.jobs import Ask, Jobs
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource
from rehearsal.sagemaker.training_checks import DAY, check
from rehearsal.sagemaker.training_job import KIND, TrainingWork
from rehearsal.sagemaker.training_state import TABLE, TrainingState, first_transition
from rehearsal.sagemaker.xgboost_metrics import definitions

DESCRIBED = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ExperimentConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "Environment",
    "InfraCheckConfig",
    "RemoteDebugConfig",
)
FLAGS = (
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
)


def missing(name: str) -> ServiceError:
    """AWS's answer about a job that is not there."""
    return ServiceError("ValidationException", "Requested resource not found.")


def in_use(arn: str) -> ServiceError:
    """AWS's answer about a name that is taken."""
    return ServiceError(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({arn})",
    )


def operations(context: Context) -> Registry:
    """Create, describe, list and stop."""
    api = TrainingJobs(context)
    return {
        "CreateTrainingJob": api.create,
        "DescribeTrainingJob": api.describe,
        "ListTrainingJobs": api.list,
        "StopTrainingJob": api.stop,
    }


class TrainingJobs:
    """The operations.

    Args:
        context: SageMaker's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = context.tables.table(TABLE, missing, in_use)

    def create(self, call: Call) -> Fields:
        """CreateTrainingJob."""
        given = call.parameters
        arn = self._context.arn(TABLE, given["TrainingJobName"])
        self._context.check_role(call, given["RoleArn"], arn)
        return {"TrainingJobArn": start(self._context, given)}

    def describe(self, call: Call) -> Fields:
        """DescribeTrainingJob."""
        job = self._table.view(call.parameters["TrainingJobName"])
        names = {"TrainingJobName": job.name, "TrainingJobArn": job.arn}
        return {**names, **job.fields, **times(job)}

    def list(self, call: Call) -> Fields:
        """ListTrainingJobs."""
        result, status = "TrainingJobSummaries", "TrainingJobStatus"
        return page(self._table.all(), call.parameters, result, summary, status=status)

    def stop(self, call: Call) -> Fields:
        """StopTrainingJob."""
        stop_job(self._context, call.parameters["TrainingJobName"])
        return {}


def start(
    context: Context,
    given: Mapping[str, Any],
    *,
    observe: Observe = lambda name, value: None,
    after: Callable[[], None] = lambda: None,
    **more: Any,
) -> str:
    """Check and start a training job in its role's name; return its ARN.

    Args:
        context: SageMaker's.
        given: a request of CreateTrainingJob, its role checked already.
        observe: told each metric's name and value as it is found in the log.
        after: called when the job has ended.
        more: further fields for Describe, for example TuningJobArn.
    """
    table = context.tables.table(TABLE)
    name = str(given["TrainingJobName"])
    image = check(context, given)
    fields: Fields = {key: given[key] for key in DESCRIBED if key in given}
    fields |= {flag: bool(given.get(flag)) for flag in FLAGS}
    fields.setdefault("StoppingCondition", {})
    fields["StoppingCondition"] = {"MaxRuntimeInSeconds": DAY, **fields["StoppingCondition"]}
    fields["AlgorithmSpecification"] = _specification(image, given)
    fields |= first_transition() | more
    if given.get("DebugRuleConfigurations"):
        fields["DebugRuleEvaluationStatuses"] = _unevaluated(given["DebugRuleConfigurations"])
    arn = context.arn(TABLE, name)
    table.add(name, arn, fields, given.get("Tags"))
    context.one(Jobs).start(TrainingWork(context, name, observe), after)
    return arn


def stop_job(context: Context, name: str) -> None:
    """Ask a running job to stop; as AWS refuses one that has ended."""
    table = context.tables.table(TABLE)
    with table.lock:
        state = table.require(name).fields["TrainingJobStatus"]
        if state != "InProgress":
            raise ServiceError(
                "ValidationException",
                f"The request was rejected because the training job is in status {state}.",
            )
        TrainingState(context, name).move("Stopping")
    context.one(Jobs).ask(KIND, name, Ask.STOP)


def _specification(image: Image, given: Mapping[str, Any]) -> Fields:
    specification: Fields = {
        "EnableSageMakerMetricsTimeSeries": False,
        **given["AlgorithmSpecification"],
    }
    if image.is_xgboost:
        objective = given.get("HyperParameters", {}).get("_tuning_objective_metric")
        specification["MetricDefinitions"] = definitions(objective)
    return specification


def _unevaluated(rules: list[Fields]) -> list[Fields]:
    return [
        {
            "RuleConfigurationName": rule["RuleConfigurationName"],
            "RuleEvaluationStatus": "Stopped",
            "StatusDetails": "the rehearsal does not evaluate Debugger's rules",
        }
        for rule in rules
    ]


def summary(job: Resource) -> Fields:
    """One line of ListTrainingJobs."""
    names = ("TrainingJobStatus", "SecondaryStatus", "TrainingEndTime")
    return {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        **times(job),
        **{name: job.fields[name] for name in names if name in job.fields},
    }


def actions(context: Context) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """The control API: interrupt a spot job."""
    table = context.tables.table(TABLE)

    def interrupt(body: dict[str, Any]) -> None:
        name = str(body["job"])
        job = table.get(name)
        if job is None:
            raise ValueError(f"there is no training job {name!r}")
        if not job.fields["EnableManagedSpotTraining"]:
            raise ValueError(f"{name} is no spot job: only those are interrupted")
        if not context.one(Jobs).ask(KIND, name, Ask.INTERRUPT):
            raise ValueError(f"{name} runs no more: {job.fields['TrainingJobStatus']}")

    return {"interrupt": interrupt}
