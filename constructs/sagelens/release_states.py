"""States of a state machine as plain data (Amazon States Language, JSONPath)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]
States = dict[str, State]

ANY_ERROR = ["States.ALL"]
NOTHING_KEPT: State = {"ResultSelector": {"done": True}, "ResultPath": "$.last"}
"""What would be ``"ResultPath": null``: CDK drops a null on its way into the template."""


def sdk(service: str, action: str, partition: str) -> str:
    """The resource of an AWS SDK integration, such as ``ssm`` and ``getParameter``."""
    return f"arn:{partition}:states:::aws-sdk:{service}:{action}"


def task(
    resource: str,
    parameters: Mapping[str, Any],
    *,
    then: str,
    keep: str | None = None,
    select: Mapping[str, Any] | None = None,
    catch: Sequence[Mapping[str, Any]] = (),
    retry: bool = True,
) -> State:
    """A task that adds to the state's input, or leaves it as it is.

    Args:
        resource: What is called.
        parameters: With what.
        then: The next state.
        keep: Where the answer goes, such as ``$.stack``; nowhere when absent.
        select: What is kept of the answer.
        catch: Which failures lead where; see :func:`on`.
        retry: Whether any failure is tried again, three times, before it counts.
    """
    state: State = {"Type": "Task", "Resource": resource, "Parameters": dict(parameters)}
    if keep is None:
        state |= NOTHING_KEPT
    else:
        state["ResultPath"] = keep
        if select is not None:
            state["ResultSelector"] = dict(select)
    if retry:
        retrier = {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 3, "MaxDelaySeconds": 20}
        state["Retry"] = [{"ErrorEquals": ["States.TaskFailed", "States.Timeout"], **retrier}]
    if catch:
        state["Catch"] = [dict(each) for each in catch]
    state["Next"] = then
    return state


def on(errors: Sequence[str], then: str) -> dict[str, Any]:
    """A failure that leads to another state, which finds error and cause in ``$.error``."""
    return {"ErrorEquals": list(errors), "ResultPath": "$.error", "Next": then}


def choice(*rules: tuple[Mapping[str, Any], str], otherwise: str) -> State:
    """The first rule that holds says what comes next."""
    return {
        "Type": "Choice",
        "Choices": [{**rule, "Next": then} for rule, then in rules],
        "Default": otherwise,
    }


def note(path: str, value: Any, *, then: str) -> State:
    """Write down a constant."""
    return {"Type": "Pass", "Result": value, "ResultPath": path, "Next": then}


def take(path: str, parameters: Mapping[str, Any], *, then: str) -> State:
    """Write down what is worked out from the input."""
    return {"Type": "Pass", "Parameters": dict(parameters), "ResultPath": path, "Next": then}


def wait(seconds: int, *, then: str) -> State:
    """Let some time pass."""
    return {"Type": "Wait", "Seconds": seconds, "Next": then}


def equals(path: str, value: str) -> dict[str, Any]:
    """Whether a text is a constant."""
    return {"Variable": path, "StringEquals": value}


def same(path: str, other: str) -> dict[str, Any]:
    """Whether two texts are the same."""
    return {"Variable": path, "StringEqualsPath": other}


def matches(path: str, pattern: str) -> dict[str, Any]:
    """Whether a text matches a pattern with ``*``."""
    return {"Variable": path, "StringMatches": pattern}
