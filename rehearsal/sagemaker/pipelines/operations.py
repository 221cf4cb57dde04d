"""The API of pipelines: create, update, describe, list, delete."""

from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, times
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.pipelines import executions
from rehearsal.sagemaker.pipelines.definition import Definition, parse
from rehearsal.sagemaker.pipelines.errors import DefinitionError
from rehearsal.sagemaker.pipelines.records import Pipeline, Records, version_of
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource

KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


def operations(context: Context) -> Registry:
    """All operations of pipelines and their executions."""
    records = Records(context)
    api = PipelineOperations(records)
    return {
        "CreatePipeline": api.create,
        "UpdatePipeline": api.update,
        "DescribePipeline": api.describe,
        "ListPipelines": api.list,
        "DeletePipeline": api.delete,
        **executions.operations(records),
    }


class PipelineOperations:
    """What can be done with pipelines themselves.

    Args:
        records: where they are kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._context = records.context

    def create(self, call: Call) -> Fields:
        """CreatePipeline."""
        arn = self._context.arn("pipeline", call.parameters["PipelineName"])
        self._context.check_role(call, call.parameters["RoleArn"], arn)
        # Read before anything is held: the definition may lie in S3, behind this very server.
        definition = self._definition(call, required=True)
        with self._records.tokens:
            if self._records.once(call) is None:
                self._add(call, arn, definition)
                self._records.remember(call, arn)
        return {"PipelineArn": arn}

    def _add(self, call: Call, arn: str, definition: Definition) -> None:
        given = call.parameters
        fields: Fields = {
            "PipelineDisplayName": given["PipelineName"],
            "PipelineStatus": "Active",
            **{name: given[name] for name in KEPT if name in given},
        }
        table = self._records.pipelines
        with table.lock:
            made = table.add(given["PipelineName"], arn, fields, tags=given.get("Tags"))
            made.internal["pipeline"] = Pipeline([definition])

    def update(self, call: Call) -> Fields:
        """UpdatePipeline: each new definition is a version; executions that run keep theirs."""
        given = call.parameters
        resource = self._records.pipeline(given["PipelineName"])
        if "RoleArn" in given:
            self._context.check_role(call, given["RoleArn"], resource.arn)
        definition = self._definition(call, required=False)
        pipeline: Pipeline = resource.internal["pipeline"]
        table = self._records.pipelines
        with table.lock:
            table.update(resource.name, **{n: given[n] for n in KEPT if n in given})
            if definition is not None:
                pipeline.versions.append(definition)
        return {"PipelineArn": resource.arn, "PipelineVersionId": len(pipeline.versions)}

    def describe(self, call: Call) -> Fields:
        """DescribePipeline."""
        resource = self._records.pipeline(call.parameters["PipelineName"])
        definition = version_of(resource, call.parameters.get("PipelineVersionId"))[1]
        answer: Fields = {
            "PipelineArn": resource.arn,
            "PipelineName": resource.name,
            "PipelineDefinition": definition.text,
            **resource.fields,
            **times(resource),
        }
        started = [each.created for each in self._records.executions_of(resource.arn)]
        if started:
            answer["LastRunTime"] = max(started)
        return answer

    def list(self, call: Call) -> Fields:
        """ListPipelines."""
        prefix = call.parameters.get("PipelineNamePrefix", "")
        found = [each for each in self._records.pipelines.all() if each.name.startswith(prefix)]

        def summary(resource: Resource) -> Fields:
            wanted = ("PipelineDisplayName", "PipelineDescription", "RoleArn")
            started = [each.created for each in self._records.executions_of(resource.arn)]
            item: Fields = {
                "PipelineArn": resource.arn,
                "PipelineName": resource.name,
                **{name: resource.fields[name] for name in wanted if name in resource.fields},
                **times(resource),
            }
            return {**item, "LastExecutionTime": max(started)} if started else item

        return page(found, call.parameters, "PipelineSummaries", summary, order="Descending")

    def delete(self, call: Call) -> Fields:
        """DeletePipeline: with all its executions, none of which may run."""
        resource = self._records.pipeline(call.parameters["PipelineName"])
        running = self._records.running(resource.arn)
        if running:
            raise ServiceError(
                "ConflictException",
                f"Pipeline '{resource.arn}' has running executions: "
                f"{', '.join(execution.arn for execution in running)}. Stop them first.",
            )
        with self._records.pipelines.lock:
            for each in self._records.executions_of(resource.arn):
                self._records.executions.remove(each.name)
            self._records.pipelines.remove(resource.name)
        return {"PipelineArn": resource.arn}

    def _definition(self, call: Call, *, required: bool) -> Any:
        """The checked definition of a request, None if it has none and needs none."""
        given = call.parameters
        text, place = given.get("PipelineDefinition"), given.get("PipelineDefinitionS3Location")
        if text is not None and place is not None:
            raise ServiceError(
                "ValidationException",
                "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present",
            )
        if text is None and place is not None:
            text = self._read(call, place)
        if text is None:
            if not required:
                return None
            raise ServiceError(
                "ValidationException",
                "Either Pipeline Definition or Pipeline Definition S3 location should be provided",
            )
        try:
            return parse(text)
        except DefinitionError as error:
            raise ServiceError("ValidationException", str(error)) from error

    def _read(self, call: Call, place: dict[str, str]) -> str:
        """A definition in S3, which the caller has to be allowed to read."""
        bucket, key, version = place["Bucket"], place["ObjectKey"], place.get("VersionId")
        caller: Any = self._context.caller(call)
        where = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
        try:
            if not caller.may_read_object(bucket, key, version):
                raise PermissionError("Access Denied")
            body: bytes = self._context.client("s3").get_object(**where)["Body"].read()
        except Exception as error:
            text = f"Unable to read the pipeline definition s3://{bucket}/{key}: {error}"
            raise ServiceError("ValidationException", text) from error
        return body.decode()
