"""What Describe and List say of a tuning job's training jobs."""

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.tables import Fields, Resource
from rehearsal.sagemaker.training_state import TABLE as TRAINING_TABLE

COUNTED = {
    "Completed": "Completed",
    "InProgress": "InProgress",
    "Stopping": "InProgress",
    "Stopped": "Stopped",
    "Failed": "NonRetryableError",
}
OBJECTIVES = ("Succeeded", "Pending", "Failed")


def training_jobs(context: Context, tuning: Resource) -> list[Resource]:
    """Views of its training jobs, oldest first."""
    table = context.tables.table(TRAINING_TABLE)
    names = list(tuning.internal.get("jobs", {}))
    found = (table.get(name) for name in names)
    return [table.view(job.name) for job in found if job is not None]


def objective_of(job: Resource, metric: str) -> float | None:
    """The final value of the objective, or None."""
    for each in job.fields.get("FinalMetricDataList", []):
        if each["MetricName"] == metric:
            return float(each["Value"])
    return None


def objective(tuning: Resource) -> Fields:
    """Type and metric that a tuning job is after."""
    configuration: Fields = tuning.fields["HyperParameterTuningJobConfig"]
    return configuration["HyperParameterTuningJobObjective"]


def best(context: Context, tuning: Resource) -> Resource | None:
    """The best training job so far: completed, or stopped with a value."""
    wanted = objective(tuning)
    found = [
        (value, job)
        for job in training_jobs(context, tuning)
        if job.fields["TrainingJobStatus"] in ("Completed", "Stopped")
        and (value := objective_of(job, wanted["MetricName"])) is not None
    ]
    if not found:
        return None
    pick = max if wanted["Type"] == "Maximize" else min
    return pick(found, key=lambda pair: pair[0])[1]


def summary(job: Resource, tuning: Resource) -> Fields:
    """HyperParameterTrainingJobSummary."""
    wanted = objective(tuning)
    value = objective_of(job, wanted["MetricName"])
    running = job.fields["TrainingJobStatus"] in ("InProgress", "Stopping")
    names = ("TrainingJobStatus", "TrainingStartTime", "TrainingEndTime", "FailureReason")
    line: Fields = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created,
        "TunedHyperParameters": tuning.internal["jobs"][job.name],
        "ObjectiveStatus": "Pending" if running else "Succeeded" if value is not None else "Failed",
        **{name: job.fields[name] for name in names if name in job.fields},
    }
    name = tuning.fields["TrainingJobDefinition"].get("DefinitionName")
    if name:
        line["TrainingJobDefinitionName"] = name
    if value is not None:
        line["FinalHyperParameterTuningJobObjectiveMetric"] = {**wanted, "Value": value}
    return line


def counters(context: Context, tuning: Resource) -> Fields:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    status: dict[str, int] = dict.fromkeys([*COUNTED.values(), "RetryableError"], 0)
    found: dict[str, int] = dict.fromkeys(OBJECTIVES, 0)
    for job in training_jobs(context, tuning):
        status[COUNTED[job.fields["TrainingJobStatus"]]] += 1
        found[summary(job, tuning)["ObjectiveStatus"]] += 1
    return {"TrainingJobStatusCounters": status, "ObjectiveStatusCounters": found}
