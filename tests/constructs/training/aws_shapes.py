"""Holds the steps of a pipeline's definition against the requests that AWS takes.

botocore's own validator looks at names, types, what is required and least lengths; what the
service model says besides (patterns, enumerations, greatest lengths and values) is looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import regex
from botocore.model import Shape
from botocore.session import get_session
from botocore.validate import ParamValidator

OPERATIONS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "pipelines-abc-Prepare-x1"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "pipelines-abc-Train-x1"}),
    "Tuning": (
        "CreateHyperParameterTuningJob",
        {"HyperParameterTuningJobName": "pipelines-abc-Tune-x1"},
    ),
    "RegisterModel": ("CreateModelPackage", {"ClientToken": "token"}),
}
EXECUTION = {
    "PipelineExecutionArn": (
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/sagelens-test-churn/execution/a1b2c3d4"
    ),
    "PipelineExecutionId": "a1b2c3d4e5f6",
}


@cache
def _model() -> Any:
    return get_session().get_service_model("sagemaker")


def evaluated(value: Any, parameters: dict[str, Any]) -> Any:
    """A value as it may be when the pipeline runs."""
    match value:
        case {"Get": str(path)}:
            return _got(path, parameters)
        case {"Std:Join": {"On": on, "Values": parts}}:
            return on.join(str(evaluated(part, parameters)) for part in parts)
        case {"Std:JsonGet": _}:
            return 0.8125
        case dict():
            return {key: evaluated(inner, parameters) for key, inner in value.items()}
        case list():
            return [evaluated(inner, parameters) for inner in value]
        case _:
            return value


def _got(path: str, parameters: dict[str, Any]) -> Any:
    kind, _, rest = path.partition(".")
    if kind == "Parameters":
        return parameters[rest]
    if kind == "Execution":
        return EXECUTION[rest]
    if path.endswith(("S3Uri", "S3ModelArtifacts", "S3OutputPath")):
        return "s3://models/churn/runs/a1b2c3d4e5f6/prepare/train"
    if path.endswith("Value"):
        return 0.8125
    return "pipelines-a1b2c3d4e5f6-Train-x1"


def complaints(step: dict[str, Any], parameters: dict[str, Any]) -> list[str]:
    """Everything that AWS would have against a step's request."""
    operation, given = OPERATIONS[step["Type"]]
    request = {**evaluated(step["Arguments"], parameters), **given}
    shape = _model().operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    errors = [report.generate_report()] if report.has_errors() else []
    return errors + list(_walk(shape, request, step["Name"]))


def _walk(shape: Shape, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            for name, inner in value.items():
                if name in shape.members:
                    yield from _walk(shape.members[name], inner, f"{path}.{name}")
        case "list":
            yield from _length(shape, value, path)
            for number, inner in enumerate(value):
                yield from _walk(shape.member, inner, f"{path}[{number}]")
        case "map":
            yield from _length(shape, value, path)
            for key, inner in value.items():
                yield from _walk(shape.key, key, f"{path}.{key}")
                yield from _walk(shape.value, inner, f"{path}.{key}")
        case "string":
            yield from _length(shape, value, path)
            yield from _text(shape, value, path)
        case "integer" | "long" | "float" | "double":
            highest = shape.metadata.get("max")
            if highest is not None and value > highest:
                yield f"{path}: {value} is more than {highest}"


def _length(shape: Shape, value: Any, path: str) -> Iterator[str]:
    highest = shape.metadata.get("max")
    if highest is not None and len(value) > highest:
        yield f"{path}: {len(value)} is longer than {highest}"


def _text(shape: Shape, value: str, path: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path}: {value!r} is none of {', '.join(allowed)}"
    # A few patterns of the model carry their length behind them, as no engine reads it.
    pattern = regex.sub(r"\$\{\d+,\d+\}$", "", shape.metadata.get("pattern", ""))
    if pattern and not regex.fullmatch(pattern, value):
        yield f"{path}: {value!r} does not match {pattern}"
