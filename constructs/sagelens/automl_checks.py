"""Whether the best candidate of an AutoML job can be served: states, as plain data.

Source: "Configure inference output in generated containers" (Amazon SageMaker AI).
"""

from __future__ import annotations

from typing import Any

OUTPUT = "predicted_label,probability"
"""What an endpoint must answer: SAGEMAKER_INFERENCE_OUTPUT of the container."""
OUTPUT_VARIABLE = "SAGEMAKER_INFERENCE_OUTPUT"
SUPPORTED_VARIABLE = "SAGEMAKER_INFERENCE_SUPPORTED"

State = dict[str, Any]
BEST = "$.found.BestCandidate"
CONTAINER = f"{BEST}.InferenceContainers[0]"
METRIC = f"{BEST}.FinalAutoMLJobObjectiveMetric.Value"
_SUPPORTED = f"{CONTAINER}.Environment.{SUPPORTED_VARIABLE}"


def reason(error: str, cause: str, *paths: str, next: str = "Failed") -> State:
    """Say why: `{}` in the cause stands for the value at a path."""
    parts = ", ".join([f"'{cause}'", *paths])
    return {
        "Type": "Pass",
        "Parameters": {"Error": error, "Cause.$": f"States.Format({parts})"},
        "ResultPath": "$.error",
        "Next": next,
    }


def _absent(path: str) -> State:
    return {"Variable": path, "IsPresent": False}


def checking() -> dict[str, State]:
    """Refuse a candidate that cannot be served as the endpoint's contract says."""
    return {
        "Check": {
            "Type": "Choice",
            "Choices": [
                {**_absent(BEST), "Next": "NoCandidate"},
                {
                    "Variable": f"{BEST}.CandidateStatus",
                    "StringEquals": "Completed",
                    "Next": "CheckMetric",
                },
            ],
            "Default": "CandidateUnfinished",
        },
        "CheckMetric": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": METRIC, "IsPresent": True},
                        {"Variable": METRIC, "IsNumeric": True},
                    ],
                    "Next": "CheckContainers",
                }
            ],
            "Default": "NoMetric",
        },
        "CheckContainers": {
            "Type": "Choice",
            "Choices": [
                {**_absent(CONTAINER), "Next": "NoContainer"},
                {
                    "Variable": f"{BEST}.InferenceContainers[1]",
                    "IsPresent": True,
                    "Next": "SeveralContainers",
                },
                {**_absent(_SUPPORTED), "Next": "OutputUnknown"},
                {
                    # `probabilities` does not hold the word `probability`.
                    "And": [
                        {"Variable": _SUPPORTED, "StringMatches": f"*{word}*"}
                        for word in OUTPUT.split(",")
                    ],
                    "Next": "Contract",
                },
            ],
            "Default": "OutputBreaksContract",
        },
        "NoCandidate": _refusal("The AutoML job {} found no candidate", "$.name"),
        "CandidateUnfinished": _refusal(
            "The best candidate {} of the AutoML job {} is {}, not Completed",
            f"{BEST}.CandidateName",
            "$.name",
            f"{BEST}.CandidateStatus",
        ),
        "NoMetric": _refusal(
            "The best candidate {} of the AutoML job {} has no value of its objective metric",
            f"{BEST}.CandidateName",
            "$.name",
        ),
        "NoContainer": _refusal(
            "The best candidate {} of the AutoML job {} has no inference container",
            f"{BEST}.CandidateName",
            "$.name",
        ),
        "SeveralContainers": _refusal(
            "The best candidate {} of the AutoML job {} has several inference containers, and an "
            "endpoint of this platform serves one; the mode ENSEMBLING makes one",
            f"{BEST}.CandidateName",
            "$.name",
        ),
        "OutputUnknown": _refusal(
            "The container of the best candidate {} does not say what it can answer "
            f"({SUPPORTED_VARIABLE}); an endpoint must answer {OUTPUT}",
            f"{BEST}.CandidateName",
        ),
        "OutputBreaksContract": _refusal(
            "The container of the best candidate {} can answer {}, and an endpoint must answer "
            f"{OUTPUT}",
            f"{BEST}.CandidateName",
            _SUPPORTED,
        ),
    }


def _refusal(cause: str, *paths: str) -> State:
    return reason("CandidateRefused", cause, *paths)
