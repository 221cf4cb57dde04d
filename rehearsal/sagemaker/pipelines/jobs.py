"""Processing, Training, Tuning and Transform steps: a job made, waited for, stopped, described."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.sagemaker.pipelines import naming
from rehearsal.sagemaker.pipelines.calls import job_failure_kind
from rehearsal.sagemaker.pipelines.errors import StepError, StepStopped
from rehearsal.sagemaker.pipelines.expressions import references
from rehearsal.sagemaker.pipelines.graph import own_part
from rehearsal.sagemaker.pipelines.work import Work

POLL_SECONDS = 0.02
ENDED = ("Completed", "Failed", "Stopped")
Properties = dict[str, Any]


@dataclass(frozen=True)
class JobKind:
    """The API of one kind of job.

    Attributes:
        noun: in the API's operations: CreateTrainingJob, DescribeTrainingJob, StopTrainingJob.
        table: where the service keeps such jobs, and their type in an ARN.
        metadata: the member of a step's metadata.
        naming: makes the job's name.
    """

    noun: str
    table: str
    metadata: str
    naming: Callable[[str, str], str] = naming.resource_name

    @property
    def name_member(self) -> str:
        """The member that holds the name."""
        return f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        """The member that holds the ARN."""
        return f"{self.noun}Arn"

    @property
    def status_member(self) -> str:
        """The member that holds the status."""
        return f"{self.noun}Status"


JOBS = {
    "Processing": JobKind("ProcessingJob", "processing-job", "ProcessingJob"),
    "Training": JobKind("TrainingJob", "training-job", "TrainingJob"),
    "Transform": JobKind("TransformJob", "transform-job", "TransformJob"),
    "Tuning": JobKind(
        "HyperParameterTuningJob", "hyper-parameter-tuning-job", "TuningJob", naming.tuning_name
    ),
}


def run_job(work: Work, arguments: Properties) -> Properties:
    """Make the step's job and see it through.

    Returns:
        what later steps may refer to: the job's description.

    Raises:
        StepError: the job could not be made or failed.
        StepStopped: the execution was stopped, and the job with it.
    """
    kind = JOBS[work.step.type]
    operation = f"Create{kind.noun}"
    work.check_tagging(operation, work.context.arn(kind.table, work.name))
    request = {kind.name_member: work.name, **work.tagged(arguments)}
    answer = work.calls.invoke("sagemaker", operation, request)
    work.show(kind.metadata, Arn=answer[kind.arn_member])
    _describe(work, kind)  # as Pipelines does from the start: it needs the permission
    _wait(work, kind)
    described = _describe(work, kind)
    status = str(described[kind.status_member])
    if status == "Completed":
        return {**described, **_ranked(work, described)} if _asked_for(work) else described
    if work.execution.stopping.is_set() and status == "Stopped":
        raise StepStopped
    raise _failed(kind, described, status)


def _failed(kind: JobKind, described: Properties, status: str) -> StepError:
    name = described[kind.name_member]
    if status == "Stopped":
        secondary = str(described.get("SecondaryStatus") or status)
        return StepError(f"ClientError: The job {name} was stopped ({secondary}).")
    reason = str(described.get("FailureReason") or "See job logs for more information")
    return StepError(f"ClientError: {reason}", job_failure_kind(reason))


def _describe(work: Work, kind: JobKind) -> Properties:
    named = {kind.name_member: work.name}
    return work.calls.invoke("sagemaker", f"Describe{kind.noun}", named)


def _wait(work: Work, kind: JobKind) -> None:
    """Until the job has ended. Its record is watched, not asked for by a call each time."""
    table = work.context.tables.table(kind.table)
    asked_to_stop = False
    while True:
        job = table.get(work.name)
        if job is None or str(job.fields.get(kind.status_member)) in ENDED:
            return
        if work.execution.stopping.is_set() and not asked_to_stop:
            asked_to_stop = True
            _stop(work, kind)
        if work.execution.abandoned.wait(POLL_SECONDS):
            raise StepStopped


def _stop(work: Work, kind: JobKind) -> None:
    try:
        work.calls.invoke("sagemaker", f"Stop{kind.noun}", {kind.name_member: work.name})
    except StepError as error:
        job = work.context.tables.table(kind.table).get(work.name)
        if job is not None and str(job.fields.get(kind.status_member)) not in ENDED:
            raise error


def _asked_for(work: Work) -> bool:
    """Whether another step refers to the training jobs of this tuning step, one by one."""
    return any(
        reference.name == work.step.name and reference.path.startswith("TrainingJobSummaries")
        for step in work.execution.definition.steps.values()
        for reference in references(own_part(dict(step.raw)))
    )


def _ranked(work: Work, described: Properties) -> Properties:
    """The training jobs of a tuning job, the best first.

    ("Tuning step", SageMaker Developer Guide: the best models by `get_top_model_s3_uri`, which
    refers to BestTrainingJob and TrainingJobSummaries.)
    """
    request = {
        "HyperParameterTuningJobName": work.name,
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": _order(described),
        "MaxResults": 100,
    }
    operation = "ListTrainingJobsForHyperParameterTuningJob"
    listed = work.calls.invoke("sagemaker", operation, request)
    summaries: list[Properties] = listed["TrainingJobSummaries"]
    best: Properties = described.get("BestTrainingJob") or {}
    name = best.get("TrainingJobName")
    # Jobs that are equally good come in any order; the best one is first all the same.
    ranked = sorted(summaries, key=lambda each: each["TrainingJobName"] != name)
    return {"TrainingJobSummaries": ranked}


def _order(described: Properties) -> str:
    config: Properties = described.get("HyperParameterTuningJobConfig") or {}
    objective: Properties = config.get("HyperParameterTuningJobObjective") or {}
    return "Ascending" if objective.get("Type") == "Minimize" else "Descending"
