"""What CloudWatch is told of executions and steps.

("SageMaker AI pipelines metrics", Monitoring Amazon SageMaker AI with CloudWatch.) Executions count
for the account and for their pipeline, steps for pipeline and step.
"""

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.pipelines.state import (
    EXECUTING,
    FAILED,
    STARTING,
    STOPPED,
    SUCCEEDED,
    Execution,
    StepRun,
)

NAMESPACE = "AWS/Sagemaker/ModelBuildingPipeline"
ENDED = (FAILED, STOPPED, SUCCEEDED)


def measure_execution(context: Context, execution: Execution) -> None:
    """Count an execution that has just begun or ended."""
    for dimensions in ({}, {"PipelineName": execution.pipeline}):
        if execution.status == EXECUTING:
            context.metric(NAMESPACE, "ExecutionStarted", 1, "Count", dimensions)
        elif execution.status in ENDED:
            lasted = (execution.ended - execution.started) * 1000
            context.metric(NAMESPACE, f"Execution{execution.status}", 1, "Count", dimensions)
            context.metric(NAMESPACE, "ExecutionDuration", lasted, "Milliseconds", dimensions)


def measure_step(context: Context, execution: Execution, run: StepRun) -> None:
    """Count a step that has just begun or ended."""
    dimensions = {"PipelineName": execution.pipeline, "StepName": run.step.name}
    if run.status == STARTING:
        context.metric(NAMESPACE, "StepStarted", 1, "Count", dimensions)
    elif run.status in ENDED:
        lasted = (run.end - run.start) * 1000
        context.metric(NAMESPACE, f"Step{run.status}", 1, "Count", dimensions)
        context.metric(NAMESPACE, "StepDuration", lasted, "Milliseconds", dimensions)
