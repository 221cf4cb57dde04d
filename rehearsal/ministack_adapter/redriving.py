"""RedriveExecution: an execution that failed goes on from where it failed.

After "Redriving state machine executions" (AWS Step Functions Developer Guide).
"""

import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.ministack_adapter.modules import responses, stepfunctions


def redrive(data: Mapping[str, Any], start: Callable[[str], None]) -> Any:
    """Answer RedriveExecution: the execution goes on from the state that failed.

    Args:
        data: the request.
        start: carries an execution on, in the role of its state machine.
    """
    arn = str(data.get("executionArn", ""))
    execution: Any = stepfunctions._executions.get(arn)
    if execution is None or "mapRunArn" in execution:
        return responses.error_response_json(
            "ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400
        )
    if execution["status"] not in ("FAILED", "ABORTED", "TIMED_OUT"):
        problem = f"Execution is {execution['status']} and cannot be redriven"
        return responses.error_response_json("ExecutionNotRedrivable", problem, 400)
    execution.update(status="RUNNING", stopDate=None, output=None)
    for name in ("error", "cause"):
        execution.pop(name, None)
    at = stepfunctions.now_iso()
    stepfunctions._add_event(execution, "ExecutionRedriven", {})
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(start, arn), daemon=True).start()
    return responses.json_response({"redriveDate": at})


def carry_on(arn: str) -> None:
    """Walk a redriven execution from the state that it had entered last."""
    execution: Any = stepfunctions._executions[arn]
    machine: Any = stepfunctions._state_machines[execution["stateMachineArn"]]
    states: dict[str, Any] = json.loads(machine["definition"])["States"]
    entered = next(
        each["stateEnteredEventDetails"]
        for each in reversed(execution["events"])
        if "stateEnteredEventDetails" in each
    )
    ctx: dict[str, Any] = {
        "QueryLanguage": "JSONPath",
        "Execution": {
            "Id": arn,
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "StartTime": execution["startDate"],
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }
    try:
        output = _walk(execution, states, entered["name"], json.loads(entered["input"]), ctx)
    except Exception as error:
        name = getattr(error, "error", "States.Runtime")
        stepfunctions._fail_execution(execution, name, getattr(error, "cause", str(error)))
        return
    if execution["status"] != "RUNNING":
        return
    text = json.dumps(output)
    execution.update(status="SUCCEEDED", output=text, stopDate=stepfunctions.now_iso())
    details = {"executionSucceededEventDetails": {"output": text}}
    stepfunctions._add_event(execution, "ExecutionSucceeded", details)
    stepfunctions._emit_execution_status_event(execution)


def _walk(
    execution: dict[str, Any], states: dict[str, Any], name: str, given: Any, ctx: dict[str, Any]
) -> Any:
    following: str | None = name
    while following and execution["status"] == "RUNNING":
        name, state = following, states[following]
        kind = str(state["Type"])
        ctx["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        _note(execution, f"{kind}StateEntered", "stateEnteredEventDetails", name, "input", given)
        if kind in ("Succeed", "Fail"):
            return stepfunctions._run_sub_machine(states, name, given, execution, ctx)
        handler = getattr(stepfunctions, f"_execute_{kind.lower()}")
        inside = (execution, ctx) if kind in ("Task", "Parallel", "Map") else (ctx,)
        given, following = handler(state, given, *inside)
        _note(execution, f"{kind}StateExited", "stateExitedEventDetails", name, "output", given)
    return given


def _note(execution: Any, kind: str, details: str, name: str, what: str, value: Any) -> None:
    told = {details: {"name": name, what: json.dumps(value)}}
    stepfunctions._add_event(execution, kind, told)
