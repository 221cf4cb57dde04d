"""Processing jobs: the operations. processing_job.py runs them."""

from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, times
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.jobs import Ask, Jobs
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.processing_job import KIND, ProcessingWork
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.surroundings import check_can_run, name_taken, refuse
from rehearsal.sagemaker.tables import Fields, Resource

TABLE = "processing-job"
FOLDER = "/opt/ml/processing/"
LONGEST = 432_000  # seconds; botocore's model allows more ("ProcessingStoppingCondition": 5 days)
DAY = 86_400
DESCRIBED = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)


def missing(name: str) -> ServiceError:
    """AWS's answer about a job that is not there."""
    return ServiceError("ValidationException", f"Could not find requested job with name: {name}")


def operations(context: Context) -> Registry:
    """Create, describe, list and stop."""
    api = ProcessingJobs(context)
    return {
        "CreateProcessingJob": api.create,
        "DescribeProcessingJob": api.describe,
        "ListProcessingJobs": api.list,
        "StopProcessingJob": api.stop,
    }


class ProcessingJobs:
    """The operations.

    Args:
        context: SageMaker's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = context.tables.table(TABLE, missing, name_taken)

    def create(self, call: Call) -> Fields:
        """CreateProcessingJob."""
        given = call.parameters
        name = given["ProcessingJobName"]
        arn = self._context.arn(TABLE, name)
        self._context.check_role(call, given["RoleArn"], arn)
        check(given)
        check_can_run(self._context, Image.of(given["AppSpecification"]["ImageUri"]))
        fields = {key: given[key] for key in DESCRIBED if key in given}
        fields.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": DAY})
        fields["ProcessingJobStatus"] = "InProgress"
        self._table.add(name, arn, fields, given.get("Tags"))
        self._context.one(Jobs).start(ProcessingWork(self._context, name))
        return {"ProcessingJobArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeProcessingJob."""
        job = self._table.view(call.parameters["ProcessingJobName"])
        names = {"ProcessingJobName": job.name, "ProcessingJobArn": job.arn}
        return {**names, **job.fields, **times(job)}

    def list(self, call: Call) -> Fields:
        """ListProcessingJobs."""
        result, status = "ProcessingJobSummaries", "ProcessingJobStatus"
        return page(self._table.all(), call.parameters, result, _summary, status=status)

    def stop(self, call: Call) -> Fields:
        """StopProcessingJob."""
        name = call.parameters["ProcessingJobName"]
        with self._table.lock:
            state = self._table.require(name).fields["ProcessingJobStatus"]
            if state != "InProgress":
                raise ServiceError(
                    "ValidationException",
                    f"The request was rejected because the processing job is in status {state}.",
                )
            self._table.update(name, ProcessingJobStatus="Stopping")
        self._context.one(Jobs).ask(KIND, name, Ask.STOP)
        return {}


def check(given: dict[str, Any]) -> None:
    """What AWS refuses beyond the model's shapes, and what cannot run here."""
    inputs: list[dict[str, Any]] = given.get("ProcessingInputs", [])
    outputs: list[dict[str, Any]] = given.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _check_names([each["InputName"] for each in inputs], "InputName")
    _check_names([each["OutputName"] for each in outputs], "OutputName")
    for each in inputs:
        _check_input(each)
    for each in outputs:
        _check_output(each)
    limit = given.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY)
    if limit > LONGEST:
        raise ServiceError(
            "ValidationException",
            f"MaxRuntimeInSeconds {limit} is longer than the {LONGEST} seconds allowed.",
        )
    cluster = given["ProcessingResources"]["ClusterConfig"]
    if cluster.get("InstancePreferences") or not cluster.get("InstanceType"):
        raise refuse("the rehearsal takes InstanceType and InstanceCount, not InstancePreferences")
    if cluster.get("InstanceCount", 1) != 1:
        raise refuse(
            f"the rehearsal runs a processing job as one process: InstanceCount is "
            f"{cluster['InstanceCount']}, allowed is 1"
        )
    if not given["AppSpecification"].get("ContainerEntrypoint"):
        raise refuse(
            "the rehearsal has no containers, so no entry point of the image's own: give "
            "AppSpecification.ContainerEntrypoint"
        )


def _check_names(names: list[str], member: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ServiceError(
            "ValidationException", f"{member}s must be unique: {', '.join(twice)} given twice."
        )


def _check_input(each: dict[str, Any]) -> None:
    what = f"the processing input {each['InputName']!r}"
    source = each.get("S3Input")
    if source is None:
        raise refuse(f"{what}: only S3Input can be rehearsed")
    Location.of(source["S3Uri"])
    if source["S3DataType"] != "S3Prefix":
        raise refuse(f"{what}: S3DataType {source['S3DataType']} cannot be rehearsed; S3Prefix can")
    if source.get("S3InputMode", "File") != "File":
        raise refuse(f"{what}: S3InputMode {source['S3InputMode']} cannot be rehearsed; File can")
    _check_local(source.get("LocalPath"), each.get("AppManaged", False), what)


def _check_output(each: dict[str, Any]) -> None:
    what = f"the processing output {each['OutputName']!r}"
    target = each.get("S3Output")
    if target is None:
        raise refuse(f"{what}: only S3Output can be rehearsed")
    Location.of(target["S3Uri"])
    _check_local(target.get("LocalPath"), each.get("AppManaged", False), what)


def _check_local(path: str | None, managed: bool, what: str) -> None:
    if managed:
        raise refuse(f"{what}: AppManaged cannot be rehearsed")
    if not path or not f"{path}/".startswith(FOLDER):
        raise ServiceError(
            "ValidationException",
            f"LocalPath of {what[4:]} must begin with {FOLDER}: given {path!r}.",
        )


def _summary(job: Resource) -> Fields:
    names = ("ProcessingJobStatus", "ProcessingEndTime", "FailureReason", "ExitMessage")
    return {
        "ProcessingJobName": job.name,
        "ProcessingJobArn": job.arn,
        **times(job),
        **{name: job.fields[name] for name in names if name in job.fields},
    }
