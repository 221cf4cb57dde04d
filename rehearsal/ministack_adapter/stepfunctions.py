"""Step Functions: whatever a state machine does, it does as its role.

An `aws-sdk:` task is a real call (sdk_tasks.py), so that IAM, iam:PassRole, keys and the service's
own checks count as for anybody else. Before an optimized integration the role is asked.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from rehearsal.ministack_adapter import (
    distributed_map,
    execution_context,
    iam,
    redriving,
    sdk_tasks,
    sync_tasks,
)
from rehearsal.ministack_adapter.modules import (
    cloudwatch,
    provisioners,
    responses,
    sqs,
    stepfunctions,
)

PRINCIPAL = "states.amazonaws.com"
TYPE = "AWS::StepFunctions::StateMachine"
METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def install() -> None:
    """Wrap the execution, its tasks, and the making of state machines."""
    _remember_role()
    _metrics()
    _tasks()
    distributed_map.install()
    _redrives()
    _trust()
    _reset()


def _remember_role() -> None:
    stepfunctions._run_execution = _as_its_role(stepfunctions._run_execution)


def _as_its_role(original: Callable[[str], None]) -> Callable[[str], None]:
    """What runs an execution, with the role of its state machine kept at hand."""

    def run(execution_arn: str) -> None:
        execution: Any = stepfunctions._executions.get(execution_arn)
        machine: Any = execution and stepfunctions._state_machines.get(execution["stateMachineArn"])
        token = execution_context.role.set(str(machine["roleArn"]) if machine else "")
        mine = execution_context.execution.set(execution_arn)
        try:
            original(execution_arn)
        finally:
            execution_context.execution.reset(mine)
            execution_context.role.reset(token)

    return run


def _redrives() -> None:
    """RedriveExecution, which MiniStack lacks."""
    original = stepfunctions.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if str(headers.get("x-amz-target", "")).endswith(".RedriveExecution"):
            start = _as_its_role(redriving.carry_on)
            answer = redriving.redrive(json.loads(body or b"{}"), start)
            return stepfunctions._finalize_response(answer)
        return await original(method, path, headers, body, query)

    stepfunctions.handle_request = handle


def _metrics() -> None:
    """The metrics of executions ("Monitoring Step Functions metrics using Amazon CloudWatch")."""
    original: Callable[[dict[str, Any]], None] = stepfunctions._emit_execution_status_event

    def emit(execution: dict[str, Any]) -> None:
        name = METRICS.get(str(execution["status"]))
        if name is not None:
            machine = {"StateMachineArn": str(execution["stateMachineArn"])}
            cloudwatch.record_metric("AWS/States", name, 1.0, "Count", machine)
        original(execution)

    stepfunctions._emit_execution_status_event = emit


def _reset() -> None:
    original: Callable[[], None] = stepfunctions.reset

    def reset() -> None:
        original()
        sdk_tasks.forget()
        distributed_map.forget()
        scale_waits(1.0)

    stepfunctions.reset = reset


def scale_waits(scale: float) -> None:
    """Let Wait states, and the pauses before another try, take so many times as long."""
    if not 0 <= scale <= 1:
        raise ValueError(f"scale is 0 to 1, given {scale:g}")
    stepfunctions._SFN_WAIT_SCALE = scale


def _tasks() -> None:
    invoke: Callable[..., Any] = stepfunctions._invoke_resource
    with_callback: Callable[..., Any] = stepfunctions._invoke_with_callback

    def invoked(resource: str, input_data: Any) -> Any:
        if ":::aws-sdk:" in resource:
            return _call(resource, input_data)
        if sync_tasks.kind_of(resource):
            return _wait(resource, input_data)
        _ask(resource, input_data)
        try:
            return invoke(resource, input_data)
        except stepfunctions._ExecutionError as error:
            raise _throttled(error) from error

    def invoked_with_callback(resource: str, input_data: Any, token: str, state: Any) -> Any:
        if ":::aws-sdk:" not in resource:
            _ask(resource, input_data)
        return with_callback(resource, input_data, token, state)

    stepfunctions._invoke_resource = invoked
    stepfunctions._invoke_with_callback = invoked_with_callback
    stepfunctions._invoke_aws_sdk_integration = _call


def _call(resource: str, given: Any) -> Any:
    try:
        return sdk_tasks.call(resource, given, execution_context.role.get())
    except sdk_tasks.TaskError as error:
        raise _failed(error.error, error.cause) from error


def _throttled(error: Any) -> Exception:
    """A function that runs as often as it may is told by AWS's own name ("Error handling in Step
    Functions", Lambda.TooManyRequestsException); MiniStack has none for it."""
    if error.error == "Lambda.Unknown" and "TooManyRequestsException" in str(error.cause):
        return _failed("Lambda.TooManyRequestsException", str(error.cause))
    return error


def _wait(resource: str, given: Any) -> Any:
    try:
        return sync_tasks.run(resource, given, execution_context.role.get(), _going_on)
    except sdk_tasks.TaskError as error:
        raise _failed(error.error, error.cause) from error


def _going_on() -> bool:
    execution: Any = stepfunctions._executions.get(execution_context.execution.get())
    return bool(execution) and execution["status"] == "RUNNING"


def _failed(error: str, cause: str) -> Exception:
    return cast("Exception", stepfunctions._ExecutionError(error, cause))


# --- optimized integrations ----------------------------------------------------------------------


def _ask(resource: str, given: Any) -> None:
    """Refuse what the state machine's role may not do by an optimized integration."""
    known = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    for action, arn in _needs(resource, known):
        service = action.partition(":")[0]
        role = execution_context.role.get()
        if not iam.role_may(role, action, service, arn):
            raise _failed(
                f"{service.capitalize()}.AccessDeniedException",
                f"User: {role} is not authorized to perform: {action} on resource: {arn} "
                f"because no identity-based policy allows the {action} action",
            )


def _needs(resource: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions and resources that a task needs; none for an activity."""
    if resource.startswith("arn:aws:lambda:"):
        return [("lambda:InvokeFunction", resource)]
    name = resource.partition(":::")[2].partition(".")[0]
    need: Callable[[dict[str, Any]], list[tuple[str, str]]] | None = _OPTIMIZED.get(name)
    if need is None and name:
        known = ", ".join(sorted(_OPTIMIZED))
        raise _failed(
            "States.Runtime",
            f"the rehearsal does not know what {resource} asks of the state machine's role; it "
            f"knows {known} and every aws-sdk integration",
        )
    return need(given) if need else []


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{responses.get_region()}:{responses.get_account_id()}:{resource}"


def _function(given: dict[str, Any]) -> list[tuple[str, str]]:
    name = str(given.get("FunctionName", ""))
    arn = name if name.startswith("arn:") else _arn("lambda", f"function:{name}")
    return [("lambda:InvokeFunction", arn)]


def _message(given: dict[str, Any]) -> list[tuple[str, str]]:
    queue: Any = sqs._queues.get(given.get("QueueUrl", ""))
    return [("sqs:SendMessage", queue["attributes"]["QueueArn"] if queue else "*")]


def _table(action: str) -> Callable[[dict[str, Any]], list[tuple[str, str]]]:
    def need(given: dict[str, Any]) -> list[tuple[str, str]]:
        name = str(given.get("TableName", ""))
        arn = name if name.startswith("arn:") else _arn("dynamodb", f"table/{name}")
        return [(f"dynamodb:{action}", arn)]

    return need


def _events(given: dict[str, Any]) -> list[tuple[str, str]]:
    entries = cast("list[dict[str, Any]]", given.get("Entries") or [])
    names = {str(entry.get("EventBusName") or "default") for entry in entries}
    arns = [
        name if name.startswith("arn:") else _arn("events", f"event-bus/{name}") for name in names
    ]
    return [("events:PutEvents", arn) for arn in sorted(arns)]


_OPTIMIZED: dict[str, Callable[[dict[str, Any]], list[tuple[str, str]]]] = {
    "lambda:invoke": _function,
    "sqs:sendMessage": _message,
    "sns:publish": lambda given: [("sns:Publish", str(given.get("TopicArn", "*")))],
    "events:putEvents": _events,
    "dynamodb:getItem": _table("GetItem"),
    "dynamodb:putItem": _table("PutItem"),
    "dynamodb:updateItem": _table("UpdateItem"),
    "dynamodb:deleteItem": _table("DeleteItem"),
    "states:startExecution": lambda given: [
        ("states:StartExecution", str(given.get("StateMachineArn", "*")))
    ],
}


# --- the role's trust ----------------------------------------------------------------------------


def _trust() -> None:
    """A state machine is made only with a role that Step Functions may assume."""
    create: Callable[..., Any] = stepfunctions._create_state_machine
    handlers = provisioners._RESOURCE_HANDLERS[TYPE]
    provision: Callable[..., Any] = handlers["create"]

    def created(data: dict[str, Any]) -> Any:
        role = str(data.get("roleArn", ""))
        problem = _distrust(role, str(data.get("name", ""))) or sync_tasks.refusal(
            role, data.get("definition"), _arn
        )
        if problem:
            return responses.error_response_json("AccessDeniedException", problem, 400)
        return create(data)

    def provisioned(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        role = str(props.get("RoleArn", ""))
        problem = _distrust(role, str(props.get("StateMachineName", "*"))) or sync_tasks.refusal(
            role, props.get("DefinitionString") or props.get("Definition"), _arn
        )
        if problem:
            raise ValueError(f"{problem} (Service: AWSStepFunctions; Status Code: 400)")
        return provision(logical_id, props, stack)

    stepfunctions._create_state_machine = created
    handlers["create"] = provisioned


def _distrust(role: str, name: str) -> str | None:
    if iam.role_trusts(role, PRINCIPAL, _arn("states", f"stateMachine:{name}")):
        return None
    return (
        f"Neither the global service principal {PRINCIPAL}, nor the regional one is authorized "
        f"to assume the provided role: {json.dumps(role)}"
    )
