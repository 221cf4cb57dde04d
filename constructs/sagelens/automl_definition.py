"""The states of an AutoML training, as plain data in the Amazon States Language.

    Name → Search → Wait → Look → Judge → Check → Contract → Register → Registered
                      ↑______Count__|      ↘ a reason ↘

Whatever goes wrong has a name and a cause in words. Parameters have the names of the AWS SDK for
Java, which Step Functions uses: those of the API with a leading acronym in one capital letter.

Sources: "Amazon States Language", "Integrating services with Step Functions" (AWS Step Functions);
"Configure inference output in generated containers" (Amazon SageMaker AI).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .automl_checks import (
    BEST,
    CONTAINER,
    METRIC,
    OUTPUT,
    OUTPUT_VARIABLE,
    State,
    checking,
    reason,
)

GRACE_SECONDS = 3_600
"""Reports come after the last candidate; the job is stopped so long after its own limit."""
EVENTS_A_POLL = 12
MOST_EVENTS = 25_000
"""Entries of an execution's history ("Step Functions service quotas")."""

# Faults of the service and throttling have the client's own class, as refusals have: a few tries.
_RETRY = [
    {
        "ErrorEquals": ["SageMaker.SageMakerException", "SageMaker.SdkClientException"],
        "IntervalSeconds": 2,
        "MaxAttempts": 3,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    }
]


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for.

    Args:
        partition: Of AWS, for the tasks' ARNs; a token where it is not known.
        prefix: Job names begin with it.
        job: Parameters of CreateAutoMLJobV2 without the job's name.
        model_group_name: Where the best candidate is registered.
        objective: The metric that makes it the best.
        poll_seconds: Time between two looks at the job, in s.
        total_seconds: The job's own limit, in s.
    """

    partition: str
    prefix: str
    job: Mapping[str, Any]
    model_group_name: str
    objective: str
    poll_seconds: int
    total_seconds: int

    @property
    def most_polls(self) -> int:
        """Looks at the job until it is stopped."""
        return most_polls(self.total_seconds, self.poll_seconds)


def most_polls(total_seconds: int, poll_seconds: int) -> int:
    """How many looks a job of this length needs, its reports included."""
    return math.ceil((total_seconds + GRACE_SECONDS) / max(poll_seconds, 1))


def definition(search: Search) -> dict[str, Any]:
    """The whole state machine."""
    return {
        "Comment": "Searches for a model with SageMaker Autopilot and registers the best one",
        "StartAt": "Name",
        "States": {
            **_searching(search),
            **_judging(search),
            **checking(),
            **_registering(search),
            **_failing(),
        },
    }


def _task(search: Search, operation: str, parameters: Mapping[str, Any], **more: Any) -> State:
    return {
        "Type": "Task",
        "Resource": f"arn:{search.partition}:states:::aws-sdk:sagemaker:{operation}",
        "Parameters": dict(parameters),
        "TimeoutSeconds": 120,
        "Retry": _RETRY,
        **more,
    }


def _catch(next: str, *errors: str) -> State:
    return {"ErrorEquals": list(errors or ("States.ALL",)), "ResultPath": "$.error", "Next": next}


def _searching(search: Search) -> dict[str, State]:
    unique = "States.ArrayGetItem(States.StringSplit(States.UUID(), '-'), 0)"
    return {
        # Chosen before the job is made, so that a second try of making it makes no second job.
        "Name": {
            "Type": "Pass",
            "Parameters": {
                "name.$": f"States.Format('{search.prefix}-{{}}', {unique})",
                "polls": 0,
            },
            "Next": "Search",
        },
        "Search": _task(
            search,
            "createAutoMLJobV2",
            {"AutoMLJobName.$": "$.name", **search.job},
            ResultPath="$.created",
            Catch=[_catch("Wait", "SageMaker.ResourceInUseException"), _catch("Failed")],
            Next="Wait",
        ),
        "Wait": {"Type": "Wait", "Seconds": search.poll_seconds, "Next": "Look"},
        "Look": _task(
            search,
            "describeAutoMLJobV2",
            {"AutoMLJobName.$": "$.name"},
            ResultPath="$.found",
            # Nobody would look at it any more: it is stopped before it costs on.
            Catch=[_catch("Stop")],
            Next="Judge",
        ),
        "Count": {
            "Type": "Pass",
            "Parameters": {"name.$": "$.name", "polls.$": "States.MathAdd($.polls, 1)"},
            "Next": "Wait",
        },
    }


def _judging(search: Search) -> dict[str, State]:
    status = "$.found.AutoMLJobStatus"
    return {
        "Judge": {
            "Type": "Choice",
            "Choices": [
                {"Variable": status, "StringEquals": "Completed", "Next": "Check"},
                {
                    "And": [
                        {"Variable": status, "StringEquals": "Failed"},
                        {"Variable": "$.found.FailureReason", "IsPresent": True},
                    ],
                    "Next": "JobFailed",
                },
                {"Variable": status, "StringEquals": "Failed", "Next": "JobFailedSilently"},
                {"Variable": status, "StringMatches": "Stop*", "Next": "JobStopped"},
                {
                    "Variable": "$.polls",
                    "NumericGreaterThanEquals": search.most_polls,
                    "Next": "TookTooLong",
                },
            ],
            "Default": "Count",
        },
        "JobFailed": reason(
            "AutoMLJobFailed", "The AutoML job {} failed: {}", "$.name", "$.found.FailureReason"
        ),
        "JobFailedSilently": reason(
            "AutoMLJobFailed", "The AutoML job {} failed and gave no reason", "$.name"
        ),
        "JobStopped": reason(
            "AutoMLJobStopped", "The AutoML job {} was stopped by somebody", "$.name"
        ),
        "TookTooLong": reason(
            "AutoMLJobTookTooLong",
            "The AutoML job {} was to end in "
            f"{search.total_seconds:,} s and did not in {GRACE_SECONDS:,} s more; it is stopped",
            "$.name",
            next="Stop",
        ),
        "Stop": _task(
            search,
            "stopAutoMLJob",
            {"AutoMLJobName.$": "$.name"},
            # What led here is the reason, whether or not it can be stopped.
            ResultPath="$.stopped",
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.stopped", "Next": "Failed"}],
            Next="Failed",
        ),
    }


def _registering(search: Search) -> dict[str, State]:
    container = {
        "Image.$": f"{CONTAINER}.Image",
        "ModelDataUrl.$": f"{CONTAINER}.ModelDataUrl",
        "Environment.$": f"States.JsonMerge({CONTAINER}.Environment, $.output, false)",
    }
    package = {
        "ModelPackageGroupName": search.model_group_name,
        "ModelPackageDescription": "Found by SageMaker Autopilot",
        "ModelApprovalStatus": "PendingManualApproval",
        # A second try of registering makes no second version.
        "ClientToken.$": "$.name",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "CustomerMetadataProperties": {
            "automl_job.$": "$.found.AutoMLJobArn",
            "candidate.$": f"{BEST}.CandidateName",
            "objective": search.objective,
            "objective_value.$": f"States.Format('{{}}', {METRIC})",
            # In this mode the probability is that of the predicted label, whichever it is.
            "probability_of": "predicted_label",
        },
    }
    return {
        "Contract": {
            "Type": "Pass",
            "Result": {OUTPUT_VARIABLE: OUTPUT},
            "ResultPath": "$.output",
            "Next": "Register",
        },
        "Register": _task(
            search,
            "createModelPackage",
            package,
            ResultPath="$.registered",
            Catch=[_catch("Failed")],
            Next="Registered",
        ),
        "Registered": {
            "Type": "Pass",
            "Parameters": {
                "ModelPackageArn.$": "$.registered.ModelPackageArn",
                "AutoMLJobName.$": "$.name",
                "CandidateName.$": f"{BEST}.CandidateName",
                "Objective": search.objective,
                "ObjectiveValue.$": METRIC,
            },
            "End": True,
        },
    }


def _failing() -> dict[str, State]:
    return {"Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}}
