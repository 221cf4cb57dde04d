"""Batch transform jobs: the operations. transform_job.py runs them."""

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, times
from rehearsal.sagemaker.jobs import Ask, Jobs
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.models import MODEL
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.surroundings import name_taken, refuse
from rehearsal.sagemaker.tables import Fields, Resource
from rehearsal.sagemaker.transform_job import KIND, TABLE, TransformWork
from rehearsal.sagemaker.transform_records import Plan

DESCRIBED = (
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "TransformResources",
    "DataProcessing",
    "ExperimentConfig",
)
MOST_PAYLOAD = 100  # MB: MaxConcurrentTransforms x MaxPayloadInMB


def missing(name: str) -> ServiceError:
    """AWS's answer about a job that is not there."""
    return ServiceError("ResourceNotFound", f"Could not find transform job {name}.")


def operations(context: Context) -> Registry:
    """Create, describe, list and stop."""
    api = TransformJobs(context)
    return {
        "CreateTransformJob": api.create,
        "DescribeTransformJob": api.describe,
        "ListTransformJobs": api.list,
        "StopTransformJob": api.stop,
    }


class TransformJobs:
    """The operations.

    Args:
        context: SageMaker's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = context.tables.table(TABLE, missing, name_taken)

    def create(self, call: Call) -> Fields:
        """CreateTransformJob."""
        given = call.parameters
        name = given["TransformJobName"]
        model = self._context.tables.table(MODEL).view(given["ModelName"])
        _check(given, model)
        arn = self._context.arn(TABLE, name)
        fields: Fields = {key: given[key] for key in DESCRIBED if key in given}
        fields["TransformJobStatus"] = "InProgress"
        self._table.add(name, arn, fields, given.get("Tags"))
        self._context.one(Jobs).start(TransformWork(self._context, name, model.fields))
        return {"TransformJobArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeTransformJob."""
        job = self._table.view(call.parameters["TransformJobName"])
        names = {"TransformJobName": job.name, "TransformJobArn": job.arn}
        return {**names, **job.fields, "CreationTime": job.created}

    def list(self, call: Call) -> Fields:
        """ListTransformJobs."""
        result, status = "TransformJobSummaries", "TransformJobStatus"
        return page(self._table.all(), call.parameters, result, _summary, status=status)

    def stop(self, call: Call) -> Fields:
        """StopTransformJob."""
        name = call.parameters["TransformJobName"]
        with self._table.lock:
            state = self._table.require(name).fields["TransformJobStatus"]
            if state != "InProgress":
                raise ServiceError(
                    "ValidationException",
                    f"The request was rejected because the transform job is in status {state}.",
                )
            self._table.update(name, TransformJobStatus="Stopping")
        self._context.one(Jobs).ask(KIND, name, Ask.STOP)
        return {}


def _check(given: Fields, model: Resource) -> None:
    source = given["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "S3Prefix":
        raise refuse(f"S3DataType {source['S3DataType']} cannot be rehearsed; S3Prefix can")
    Location.of(source["S3Uri"])
    Location.of(given["TransformOutput"]["S3OutputPath"])
    if given.get("DataCaptureConfig"):
        raise refuse(
            "the rehearsal's batch transform captures nothing: leave out DataCaptureConfig"
        )
    if given["TransformResources"]["InstanceCount"] != 1:
        raise refuse(
            "the rehearsal transforms by one instance: TransformResources.InstanceCount is "
            f"{given['TransformResources']['InstanceCount']}, allowed is 1"
        )
    abreast = int(given.get("MaxConcurrentTransforms") or 1)
    payload = abreast * int(given.get("MaxPayloadInMB", 6))
    if payload > MOST_PAYLOAD:
        raise ServiceError(
            "ValidationException",
            f"MaxConcurrentTransforms * MaxPayloadInMB is {payload}, allowed is {MOST_PAYLOAD}.",
        )
    if len(model.fields.get("Containers", [])) > 1:
        raise refuse(f"the model {model.name} has several containers; the rehearsal runs one")
    Plan.of(given)


def _summary(job: Resource) -> Fields:
    names = ("TransformJobStatus", "TransformEndTime", "FailureReason")
    return {
        "TransformJobName": job.name,
        "TransformJobArn": job.arn,
        **times(job),
        **{name: job.fields[name] for name in names if name in job.fields},
    }
