"""Every step's request is one that AWS takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sagelens.pipeline_definition.limits import LARGEST_DEFINITION_BYTES
from tests.constructs.training.aws_shapes import OPERATIONS, complaints
from tests.constructs.training.conftest import Parts
from tests.constructs.training.variants import VARIANTS

SDK = json.loads(Path(__file__).with_name("sdk_fields.json").read_text())
# What the SageMaker Python SDK writes into definitions and we do not.
NOT_OURS = {
    "Processing": {
        "Arguments.ProcessingInputs[].AppManaged": "false is the default",
        "Arguments.ProcessingOutputConfig.Outputs[].AppManaged": "false is the default",
    },
    "Training": {
        "Arguments.ProfilerConfig.DisableProfiler": "the profiler is part of Debugger",
        "Arguments.ProfilerConfig.S3OutputPath": "the profiler is part of Debugger",
        "Arguments.HyperParameters.objective": "the fixture's own",
        "Arguments.InputDataConfig[].ContentType": "a script knows its files",
        **{
            f"Arguments.{name}": "only with SageMaker Debugger"
            for name in (
                "DebugHookConfig.CollectionConfigurations[].CollectionName",
                "DebugHookConfig.CollectionConfigurations[].CollectionParameters.save_interval",
                "DebugHookConfig.S3OutputPath",
                "DebugRuleConfigurations[].RuleConfigurationName",
                "DebugRuleConfigurations[].RuleEvaluatorImage",
                "DebugRuleConfigurations[].RuleParameters.rule_to_invoke",
            )
        },
    },
    "RegisterModel": {
        "Arguments.InferenceSpecification.Containers[].Environment.SAGEMAKER_CONTAINER_LOG_LEVEL": (
            "the image's default serves"
        ),
        "Arguments.InferenceSpecification.Containers[].Environment.SAGEMAKER_REGION": (
            "the script calls no AWS API"
        ),
        "Arguments.InferenceSpecification.SupportedRealtimeInferenceInstanceTypes[]": (
            "optional for versions, and no limit on where they run"
        ),
        "Arguments.InferenceSpecification.SupportedTransformInstanceTypes[]": "the same",
        "Arguments.SkipModelValidation": "None is the default",
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_aws_takes_every_request(variant: str, parts: Parts) -> None:
    made = parts.made(**VARIANTS[variant](parts))
    judged = 0
    for step in made.steps.values():
        if step["Type"] in OPERATIONS:
            assert complaints(step, made.parameters) == []
            judged += 1
    assert judged >= 3
    assert len(made.text.encode()) < LARGEST_DEFINITION_BYTES / 20


def test_the_judge_finds_what_aws_would_refuse(parts: Parts) -> None:
    made = parts.made()
    step = made.steps["Train"]
    arguments = step["Arguments"]
    arguments["ResourceConfig"]["InstanceType"] = "ml.huge"
    arguments["AlgorithmSpecification"]["ContainerArguments"] = ["x" * 257]
    arguments["OutputDataConfig"]["S3OutputPath"] = "not a place"
    arguments["StoppingCondition"]["MaxRuntimeInSeconds"] = "long"
    arguments["Surprise"] = True
    found = "\n".join(complaints(step, made.parameters))
    for word in (
        "'ml.huge' is none of",
        "257 is longer than 256",
        "'not a place' does not match",
        "Invalid type for parameter StoppingCondition.MaxRuntimeInSeconds",
        'Unknown parameter in input: "Surprise"',
    ):
        assert word in found


def fields(value: Any, path: str = "") -> set[str]:
    """The fields of a step, without its values."""
    if isinstance(value, dict) and not {"Get", "Std:Join", "Std:JsonGet"} & set(value):
        below = f"{path}." if path else ""
        return set().union(*(fields(inner, below + key) for key, inner in value.items()))
    if isinstance(value, list):
        return set().union({f"{path}[]"} - {path}, *(fields(one, f"{path}[]") for one in value))
    return {path}


@pytest.mark.parametrize("kind", SDK)
def test_a_step_is_written_as_the_sdk_writes_it(kind: str, parts: Parts) -> None:
    steps = parts.made(hyperparameters={"num_round": 9}).steps.values()
    ours = set().union(*(fields(step) for step in steps if step["Type"] == kind))
    missing = set(SDK[kind]) - ours
    assert missing == set(NOT_OURS.get(kind, {}))
