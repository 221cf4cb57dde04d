"""Status changes as EventBridge carries them.

("Events that Amazon SageMaker AI sends to Amazon EventBridge", pipeline execution state change and
pipeline step state change, SageMaker Developer Guide.)
"""

from collections.abc import Mapping
from typing import Any, cast

from rehearsal.sagemaker.pipelines.state import EXECUTING, STOPPING, Execution, StepRun, iso

EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


def execution_detail(execution: Execution, previous: str) -> dict[str, Any]:
    """The detail of a change of an execution's status."""
    detail = {
        "pipelineExecutionDisplayName": execution.display_name,
        "pipelineExecutionDescription": execution.description,
        "currentPipelineExecutionStatus": execution.status,
        "previousPipelineExecutionStatus": previous,
        "executionStartTime": iso(execution.started),
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    }
    if execution.status not in (EXECUTING, STOPPING):
        detail["executionEndTime"] = iso(execution.ended)
    return {name: value for name, value in detail.items() if value}


def step_detail(execution: Execution, run: StepRun, previous: str) -> dict[str, Any]:
    """The detail of a change of a step's status."""
    detail: dict[str, Any] = {
        "metadata": camel(run.metadata),
        "stepStartTime": iso(run.start),
        "stepEndTime": iso(run.end) if run.end else "",
        "stepName": run.step.name,
        "stepType": run.step.type,
        "previousStepStatus": previous,
        "currentStepStatus": run.status,
        "failureReason": run.failure,
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    }
    if run.cached_from:
        detail["cacheHitResult"] = {"sourcePipelineExecutionArn": run.cached_from}
    return {name: value for name, value in detail.items() if value or name == "metadata"}


def camel(value: Any) -> Any:
    """The same with the members' first letters small, as events write them."""
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return {name[:1].lower() + name[1:]: camel(item) for name, item in members.items()}
    if isinstance(value, list):
        return [camel(item) for item in cast("list[Any]", value)]
    return value
