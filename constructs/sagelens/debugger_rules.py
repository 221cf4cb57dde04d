"""Training rules as SageMaker Debugger evaluates them.

Debugger is closed to new customers; an account that has it may use it besides the rules that the
script evaluates itself.

Sources: "List of Debugger built-in rules", "Configure Debugger rules using the SageMaker AI API"
(Amazon SageMaker AI); the registries are those of the SageMaker Python SDK's table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from constructs import Construct

from .algorithms import Algorithm
from .algorithms.image_uri import image_uri
from .algorithms.images import Image
from .errors import ArgumentErrors
from .pipeline_definition import Value

RULES = {
    "loss_not_decreasing": "LossNotDecreasing",
    "overfit": "Overfit",
    "vanishing_gradient": "VanishingGradient",
    "exploding_gradient": "ExplodingTensor",
}
"""Our rules by the built-in rules that look for the same."""

COLLECTIONS = ("losses", "gradients")
SAVE_INTERVAL = "100"

ACCOUNTS = {
    "af-south-1": "314341159256",
    "ap-east-1": "199566480951",
    "ap-northeast-1": "430734990657",
    "ap-northeast-2": "578805364391",
    "ap-northeast-3": "364406365360",
    "ap-south-1": "904829902805",
    "ap-southeast-1": "972752614525",
    "ap-southeast-2": "184798709955",
    "ca-central-1": "519511493484",
    "cn-north-1": "618459771430",
    "cn-northwest-1": "658757709296",
    "eu-central-1": "482524230118",
    "eu-north-1": "314864569078",
    "eu-south-1": "563282790590",
    "eu-west-1": "929884845733",
    "eu-west-2": "250201462417",
    "eu-west-3": "447278800020",
    "me-south-1": "986000313247",
    "sa-east-1": "818342061345",
    "us-east-1": "503895931360",
    "us-east-2": "915447279597",
    "us-gov-west-1": "515509971035",
    "us-west-1": "685455198987",
    "us-west-2": "895741380848",
}


def check_debugger(
    algorithm: Algorithm, rules: Collection[str], *, tunes: bool, errors: ArgumentErrors
) -> None:
    """Note why SageMaker Debugger cannot look at a training.

    Args:
        algorithm: What trains.
        rules: Names of our rules.
        tunes: Whether a tuning job trains.
        errors: Where to note it.
    """
    errors.require(
        algorithm.debugger,
        f"debugger: the image of {algorithm.name} does not support it (AWS: Supported frameworks "
        "and algorithms); the rules are looked at by the script without it",
    )
    errors.require(bool(rules), "debugger: got no rules, allowed are one or more in rules")
    errors.require(not tunes, "debugger: a tuning job cannot have it; allowed is one of the two")


def evaluator_image(scope: Construct) -> str:
    """The address of the image that evaluates built-in rules, for the stack of ``scope``.

    Raises:
        ValueError: If the stack's Region has none.
    """
    rules = Image(
        name="SageMaker Debugger's rules",
        repository="sagemaker-debugger-rules",
        version="latest",
        tags=(("any", "latest"),),
        group="debugger",
        accounts=tuple(ACCOUNTS.items()),
    )
    return image_uri(scope, rules)


def debugger_arguments(rules: Iterable[str], image: str, place: Value) -> dict[str, Any]:
    """What a training job's request says of Debugger.

    Args:
        rules: Names of our rules.
        image: The image that evaluates them.
        place: The address that tensors are saved to.
    """
    return {
        "DebugHookConfig": {
            "S3OutputPath": place,
            "CollectionConfigurations": [
                {
                    "CollectionName": name,
                    "CollectionParameters": {"save_interval": SAVE_INTERVAL},
                }
                for name in COLLECTIONS
            ],
        },
        "DebugRuleConfigurations": [
            {
                "RuleConfigurationName": RULES[name],
                "RuleEvaluatorImage": image,
                "RuleParameters": {"rule_to_invoke": RULES[name]},
            }
            for name in rules
        ],
    }
