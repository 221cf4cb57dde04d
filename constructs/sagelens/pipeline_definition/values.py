"""Values that are known only when a pipeline runs.

Source: "Pipeline parameters", "Pass data between steps" and "Pipeline steps" (Amazon SageMaker
AI), and what the SageMaker Python SDK writes for them.
"""

from __future__ import annotations

from typing import Any

Value = Any
"""A text, a number, a switch, or one of the objects made here."""

EXECUTION_VARIABLES = (
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "ProcessingJobName",
    "StartDateTime",
    "TrainingJobName",
)


def parameter(name: str) -> Value:
    """The value of a parameter of the execution."""
    return {"Get": f"Parameters.{name}"}


def execution(name: str) -> Value:
    """Something of the execution itself, such as ``PipelineExecutionId``."""
    return {"Get": f"Execution.{name}"}


def step(name: str, path: str) -> Value:
    """A property of a step, as AWS's Describe operation of its job names it.

    Args:
        name: The step.
        path: Such as ``ModelArtifacts.S3ModelArtifacts``.
    """
    return {"Get": f"Steps.{name}.{path}"}


def join(*values: Value, on: str = "") -> Value:
    """One text of several values.

    Args:
        values: In their order.
        on: What stands between them.
    """
    return {"Std:Join": {"On": on, "Values": list(values)}}


def url(*parts: Value) -> Value:
    """An address of its parts, with slashes between them."""
    return join(*parts, on="/")


def json_get(step: str, file: str, path: str) -> Value:
    """A value from a JSON file that a processing step wrote.

    Args:
        step: The step.
        file: The name under which the step indexes the file, see :class:`PropertyFile`.
        path: Where in the file, such as ``metrics.auc.value``.
    """
    file_of_step = {"Get": f"Steps.{step}.PropertyFiles.{file}"}
    return {"Std:JsonGet": {"PropertyFile": file_of_step, "Path": path}}
