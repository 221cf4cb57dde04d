"""The API of executions: start, stop, retry, describe, list."""

from collections.abc import Mapping
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.pipelines import naming
from rehearsal.sagemaker.pipelines.calls import Calls
from rehearsal.sagemaker.pipelines.definition import Definition
from rehearsal.sagemaker.pipelines.errors import UndefinedValueError
from rehearsal.sagemaker.pipelines.events import EXECUTION_EVENT, execution_detail
from rehearsal.sagemaker.pipelines.expressions import resolve
from rehearsal.sagemaker.pipelines.interpreter import Interpreter
from rehearsal.sagemaker.pipelines.parameters import values
from rehearsal.sagemaker.pipelines.records import Pipeline, Records, version_of
from rehearsal.sagemaker.pipelines.scope import StepScope
from rehearsal.sagemaker.pipelines.state import (
    EXECUTING,
    FAILED,
    STEPS_FAILED,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    Execution,
    StepRun,
)
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource, now

REFUSED = ("SelectiveExecutionConfig", "MlflowExperimentName")
PAGE = 100


def operations(records: Records) -> Registry:
    """The operations of executions."""
    api = ExecutionOperations(records)
    return {
        "StartPipelineExecution": api.start,
        "StopPipelineExecution": api.stop,
        "RetryPipelineExecution": api.retry,
        "UpdatePipelineExecution": api.update,
        "DescribePipelineExecution": api.describe,
        "DescribePipelineDefinitionForExecution": api.definition,
        "ListPipelineExecutions": api.list,
        "ListPipelineExecutionSteps": api.steps,
        "ListPipelineParametersForExecution": api.parameters,
    }


class ExecutionOperations:
    """What can be done with executions.

    Args:
        records: where pipelines and executions are kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._context = records.context

    def start(self, call: Call) -> Fields:
        """StartPipelineExecution."""
        with self._records.tokens:
            known = self._records.once(call)
            if known is not None:
                return {"PipelineExecutionArn": known}
            execution = self._add(call.parameters)
            self._records.remember(call, execution.arn)
        Interpreter(self._context, execution).start()
        return {"PipelineExecutionArn": execution.arn}

    def _add(self, given: dict[str, Any]) -> Execution:
        for name in REFUSED:
            if name in given:
                raise ServiceError(
                    "NotRehearsedException", f"the rehearsal has no stand-in for {name}"
                )
        pipeline = self._records.pipeline(given["PipelineName"])
        execution = self._make(pipeline, given)
        table = self._records.executions
        with table.lock:
            resource = table.add(execution.arn, execution.arn, {})
            resource.created = resource.modified = execution.started
            resource.internal["execution"] = execution
        return execution

    def _make(self, pipeline: Resource, given: dict[str, Any]) -> Execution:
        kept: Pipeline = pipeline.internal["pipeline"]
        version = version_of(pipeline, given.get("PipelineVersionId"))[1]
        parameters: list[dict[str, str]] = given.get("PipelineParameters") or []
        try:
            typed = values(dict(version.parameters), parameters)
        except ValueError as error:
            raise ServiceError("ValidationException", str(error)) from error
        started = now()
        key = naming.execution_id()
        most = _parallel(given, _parallel(pipeline.fields, None))
        return Execution(
            arn=f"{pipeline.arn}/execution/{key}",
            id=key,
            pipeline=pipeline.name,
            pipeline_arn=pipeline.arn,
            role_arn=pipeline.fields["RoleArn"],
            definition=version,
            parameters=typed,
            given=parameters,
            display_name=given.get("PipelineExecutionDisplayName")
            or f"execution-{int(started * 1000)}",
            description=given.get("PipelineExecutionDescription", ""),
            started=started,
            cache=kept.cache,
            parallel=most,
        )

    def stop(self, call: Call) -> Fields:
        """StopPipelineExecution: running jobs are stopped, a Lambda function comes to its end."""
        execution = self._records.execution(call.parameters["PipelineExecutionArn"])
        with execution.lock:
            if execution.status == STOPPING:
                return {"PipelineExecutionArn": execution.arn}
            if execution.status != EXECUTING:
                raise ServiceError(
                    "ValidationException",
                    f"Pipeline execution with ARN {execution.arn} has status {execution.status}. "
                    "Only pipeline executions with status Executing can be stopped.",
                )
            execution.status = STOPPING
            execution.stopping.set()
            detail = execution_detail(execution, EXECUTING)
        self._context.emit(EXECUTION_EVENT, detail, [execution.pipeline_arn, execution.arn])
        return {"PipelineExecutionArn": execution.arn}

    def retry(self, call: Call) -> Fields:
        """RetryPipelineExecution: what has succeeded stays, all else is done again."""
        execution = self._records.execution(call.parameters["PipelineExecutionArn"])
        with execution.lock:
            if execution.status not in (FAILED, STOPPED):
                raise ServiceError(
                    "ValidationException",
                    f"Pipeline execution with ARN {execution.arn} has status {execution.status}. "
                    "Only pipeline executions with status Failed or Stopped can be retried.",
                )
            execution.steps = {n: r for n, r in execution.steps.items() if r.status == SUCCEEDED}
            execution.status, execution.ended = EXECUTING, 0.0
            execution.stopping.clear()
            execution.parallel = _parallel(call.parameters, execution.parallel)
        Interpreter(self._context, execution).start()
        return {"PipelineExecutionArn": execution.arn}

    def update(self, call: Call) -> Fields:
        """UpdatePipelineExecution."""
        given = call.parameters
        execution = self._records.execution(given["PipelineExecutionArn"])
        with execution.lock:
            name, text = "PipelineExecutionDisplayName", "PipelineExecutionDescription"
            execution.display_name = given.get(name, execution.display_name)
            execution.description = given.get(text, execution.description)
            execution.parallel = _parallel(given, execution.parallel)
        return {"PipelineExecutionArn": execution.arn}

    def describe(self, call: Call) -> Fields:
        """DescribePipelineExecution."""
        execution = self._records.execution(call.parameters["PipelineExecutionArn"])
        with execution.lock:
            answer: Fields = {
                "PipelineArn": execution.pipeline_arn,
                "PipelineExecutionArn": execution.arn,
                "PipelineExecutionDisplayName": execution.display_name,
                "PipelineExecutionStatus": execution.status,
                "CreationTime": execution.started,
                "LastModifiedTime": execution.ended or execution.started,
                "PipelineVersionId": self._version_number(execution),
            }
            optional: Fields = {
                "PipelineExecutionDescription": execution.description,
                "PipelineExperimentConfig": self._experiment(execution),
                "FailureReason": STEPS_FAILED if execution.status == FAILED else "",
            }
            if execution.parallel:
                optional["ParallelismConfiguration"] = {
                    "MaxParallelExecutionSteps": execution.parallel
                }
        return answer | {name: value for name, value in optional.items() if value}

    def definition(self, call: Call) -> Fields:
        """DescribePipelineDefinitionForExecution."""
        execution = self._records.execution(call.parameters["PipelineExecutionArn"])
        return {"PipelineDefinition": execution.definition.text, "CreationTime": execution.started}

    def list(self, call: Call) -> Fields:
        """ListPipelineExecutions, the newest first."""
        pipeline = self._records.pipeline(call.parameters["PipelineName"])
        found = self._records.executions_of(pipeline.arn)
        return page(
            found, call.parameters, "PipelineExecutionSummaries", _summary, order="Descending"
        )

    def steps(self, call: Call) -> Fields:
        """ListPipelineExecutionSteps, the one started last first."""
        execution = self._records.execution(call.parameters.get("PipelineExecutionArn", ""))
        with execution.lock:
            rows = [_row(run, index) for index, run in enumerate(execution.listed())]
        return page(
            rows,
            call.parameters,
            "PipelineExecutionSteps",
            lambda row: row.fields,
            order="Descending",
            size=PAGE,
        )

    def parameters(self, call: Call) -> Fields:
        """ListPipelineParametersForExecution: those that the execution was given."""
        execution = self._records.execution(call.parameters["PipelineExecutionArn"])
        rows = [
            Resource("parameter", each["Name"], "", dict(each), created=index)
            for index, each in enumerate(execution.given)
        ]
        return page(rows, call.parameters, "PipelineParameters", lambda row: row.fields, size=PAGE)

    def _experiment(self, execution: Execution) -> Fields:
        """PipelineExperimentConfig with its values, which no step gives."""
        role, arn = execution.role_arn, execution.pipeline_arn
        scope = StepScope(execution, Calls(self._context, role, execution.id, arn))
        try:
            return {n: str(resolve(v, scope)) for n, v in execution.definition.experiment.items()}
        except UndefinedValueError:
            return {}

    def _version_number(self, execution: Execution) -> int:
        pipeline = self._records.pipeline(execution.pipeline)
        versions: list[Definition] = pipeline.internal["pipeline"].versions
        return next(i for i, each in enumerate(versions, 1) if each is execution.definition)


def _parallel(given: Mapping[str, Any], otherwise: int | None) -> int | None:
    """Steps at a time, as a request or a pipeline says."""
    configuration: dict[str, int] = given.get("ParallelismConfiguration") or {}
    return configuration.get("MaxParallelExecutionSteps", otherwise)


def _summary(resource: Resource) -> Fields:
    execution: Execution = resource.internal["execution"]
    with execution.lock:
        item: Fields = {
            "PipelineExecutionArn": execution.arn,
            "StartTime": execution.started,
            "PipelineExecutionStatus": execution.status,
            "PipelineExecutionDisplayName": execution.display_name,
        }
        if execution.description:
            item["PipelineExecutionDescription"] = execution.description
        if execution.status == FAILED:
            item["PipelineExecutionFailureReason"] = STEPS_FAILED
    return item


def _row(run: StepRun, index: int) -> Resource:
    return Resource("step", run.step.name, "", run.as_listed(), created=float(index))
