"""The state machine of a stored video, as plain data (Amazon States Language, JSONPath)."""

from __future__ import annotations

from typing import Any

from .release_states import ANY_ERROR, State, choice, equals

DENIED_TRIES = 96
"""A day of quarters of an hour."""
FAILED_TRIES = 2
OTHER_TRIES = 100


def video_definition(
    *, partition: str, function_arn: str, denied_seconds: int, timeout_seconds: int
) -> dict[str, Any]:
    """The definition: begin, then look and wait until every job has ended, then finish.

    Args:
        partition: Of the account.
        function_arn: The function that carries out each step.
        denied_seconds: Pause after AWS denied the function something.
        timeout_seconds: When an execution is given up.
    """

    def step(name: str, payload: dict[str, Any], then: str) -> State:
        return {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::lambda:invoke",
            "Parameters": {
                "FunctionName": function_arn,
                "Payload": {"step": name, "owner.$": "$$.Execution.Id", **payload},
            },
            "OutputPath": "$.Payload",
            "Retry": _retries(denied_seconds),
            "Next": then,
        }

    return {
        "Comment": "Analyses a stored video with Amazon Rekognition",
        "StartAt": "Begin",
        "TimeoutSeconds": timeout_seconds,
        "States": {
            "Begin": step("begin", {"event.$": "$"}, "WhatNext"),
            "WhatNext": choice(
                (equals("$.next", "look"), "Look"),
                (equals("$.next", "wait"), "Wait"),
                (equals("$.next", "finish"), "Finish"),
                otherwise="Done",
            ),
            "Look": step("look", {"state.$": "$"}, "WhatNext"),
            "Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Look"},
            "Finish": step("finish", {"state.$": "$"}, "Done"),
            "Done": {"Type": "Succeed"},
        },
    }


def _retries(denied_seconds: int) -> list[dict[str, Any]]:
    """By the names of the function's errors; the last entry is for Lambda's own and time-outs."""
    return [
        {"ErrorEquals": ["Malformed"], "MaxAttempts": 0},
        _retry(["Denied"], DENIED_TRIES, denied_seconds, 1.0),
        _retry(["Failed"], FAILED_TRIES, 30, 2.0),
        {**_retry(ANY_ERROR, OTHER_TRIES, 5, 2.0), "MaxDelaySeconds": 300},
    ]


def _retry(errors: list[str], tries: int, seconds: int, rate: float) -> dict[str, Any]:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "MaxAttempts": tries,
        "BackoffRate": rate,
    }
