"""What each type of step does when its turn has come."""

import json
from collections.abc import Callable
from typing import Any, cast

from rehearsal.sagemaker.pipelines import naming
from rehearsal.sagemaker.pipelines.conditions import evaluate
from rehearsal.sagemaker.pipelines.errors import StepError
from rehearsal.sagemaker.pipelines.expressions import text
from rehearsal.sagemaker.pipelines.jobs import JOBS, Properties, run_job
from rehearsal.sagemaker.pipelines.work import Work

MOST_OUTPUT = 1024  # characters of a Lambda step's output parameter
OUTPUTS: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


def name_for(step_type: str, execution: str, step: str) -> str:
    """The name of what a step makes; empty if it makes nothing that has one."""
    if step_type in JOBS:
        return JOBS[step_type].naming(execution, step)
    return naming.resource_name(execution, step) if step_type == "Model" else ""


def _model(work: Work, arguments: Properties) -> Properties:
    work.check_tagging("CreateModel", work.context.arn("model", work.name))
    request = {"ModelName": work.name, **work.tagged(arguments)}
    answer = work.calls.invoke("sagemaker", "CreateModel", request)
    work.show("Model", Arn=answer["ModelArn"])
    return work.calls.invoke("sagemaker", "DescribeModel", {"ModelName": work.name})


def _register(work: Work, arguments: Properties) -> Properties:
    group = str(arguments.get("ModelPackageGroupName", ""))
    if group and not group.startswith("arn:"):
        _ensure_group(work, group)
    metadata: Properties = arguments.get("MetadataProperties") or {}
    request = {**arguments, "MetadataProperties": {"GeneratedBy": work.execution.arn, **metadata}}
    answer = work.calls.invoke("sagemaker", "CreateModelPackage", request)
    arn = answer["ModelPackageArn"]
    work.show("RegisterModel", Arn=arn)
    return work.calls.invoke("sagemaker", "DescribeModelPackage", {"ModelPackageName": arn})


def _ensure_group(work: Work, group: str) -> None:
    """Pipelines creates the group each time and passes over that it is there already.

    So its role needs sagemaker:CreateModelPackageGroup, and sagemaker:AddTags on the group.
    """
    operation = "CreateModelPackageGroup"
    work.check_tagging(operation, work.context.arn("model-package-group", group))
    request = {"ModelPackageGroupName": group, "Tags": work.tags()}
    try:
        work.calls.invoke("sagemaker", operation, request)
    except StepError as error:
        if "already exists" not in error.reason:
            raise


def _lambda(work: Work, arguments: Properties) -> Properties:
    function = text(work.resolved(work.step.raw["FunctionArn"]))
    request = {"FunctionName": function, "Payload": json.dumps(arguments).encode()}
    answer = work.calls.invoke("lambda", "Invoke", request)
    body = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise StepError(f"ClientError: The Lambda function {function} failed: {_reason(body)}")
    declared: list[dict[str, str]] = work.step.raw.get("OutputParameters") or []
    outputs = {
        each["OutputName"]: _output(body, each["OutputName"], each["OutputType"], function)
        for each in declared
    }
    shown = [{"Name": name, "Value": text(value)} for name, value in outputs.items()]
    work.show("Lambda", Arn=function, OutputParameters=shown)
    return {"OutputParameters": outputs}


def _reason(body: bytes) -> str:
    try:
        error: Any = json.loads(body)
        return f"{error.get('errorType', 'Error')}: {error.get('errorMessage', '')}"
    except (ValueError, AttributeError):
        return body.decode(errors="replace")[:500]


def _output(body: bytes, name: str, kind: str, function: str) -> Any:
    try:
        answer: Any = json.loads(body or b"null")
    except ValueError:
        answer = None
    members = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    value: Any = members.get(name)
    fits = isinstance(value, OUTPUTS[kind]) and isinstance(value, bool) == (kind == "Boolean")
    if not fits or len(text(value)) > MOST_OUTPUT:
        raise StepError(
            f"ClientError: The Lambda function {function} has to answer an object whose member "
            f"{name!r} is of type {kind}, at most {MOST_OUTPUT} characters; it answered "
            f"{body.decode(errors='replace')[:200]!r}"
        )
    return value


def _condition(work: Work, arguments: Properties) -> Properties:
    outcome = all(evaluate(each) for each in arguments["Conditions"])
    work.show("Condition", Outcome=str(outcome))
    return {"Outcome": str(outcome)}


def _fail(work: Work, arguments: Properties) -> Properties:
    message = text(arguments.get("ErrorMessage", ""))
    work.show("Fail", ErrorMessage=message)
    raise StepError(message)


RUNNERS: dict[str, Callable[[Work, Properties], Properties]] = {
    **dict.fromkeys(JOBS, run_job),
    "Model": _model,
    "RegisterModel": _register,
    "Lambda": _lambda,
    "Condition": _condition,
    "Fail": _fail,
}


def arguments_of(work: Work) -> Properties:
    """A step's arguments with their values; of a Condition only the conditions."""
    arguments = work.step.arguments
    if work.step.type == "Condition":
        arguments = {"Conditions": arguments["Conditions"]}
    return cast("Properties", work.resolved(dict(arguments)))
