"""The release state machine: the stack is updated, tried, and tidied up.

Everything that can fail here leads to :mod:`~sagelens.release_restore`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .release_places import IN_PROGRESS, NO_UPDATES, NONE_YET, THROTTLED, ReleasePlaces
from .release_states import (
    ANY_ERROR,
    NOTHING_KEPT,
    States,
    choice,
    equals,
    matches,
    note,
    on,
    same,
    task,
    wait,
)


def update_stack(places: ReleasePlaces) -> dict[str, Any]:
    """``UpdateStack`` with the template as it is; the SSM parameter is read anew."""
    return {
        "StackName": places.stack,
        "UsePreviousTemplate": True,
        "Parameters": [{"ParameterKey": places.version_parameter, "UsePreviousValue": True}],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "RoleARN": places.role,
    }


def updating(places: ReleasePlaces) -> States:
    """Write the version, update the stack, and wait until it has come to rest."""
    return {
        "WriteVersion": task(
            places.sdk("ssm", "putParameter"),
            {"Name": places.parameter, "Value.$": "$.target.value", "Overwrite": True},
            then="UpdateStack",
            catch=[on(ANY_ERROR, "VersionNotWritten")],
        ),
        "VersionNotWritten": note(
            "$.reason", "The live version could not be written", then="Restore"
        ),
        "UpdateStack": task(
            places.sdk("cloudformation", "updateStack"),
            {
                **update_stack(places),
                "RollbackConfiguration": {"RollbackTriggers.$": "$.target.triggers"},
            },
            then="WaitForStack",
            catch=[on(ANY_ERROR, "WhyNotUpdated")],
            retry=False,
        ),
        "WhyNotUpdated": choice(
            (matches("$.error.Cause", NO_UPDATES), "IsAnythingServed"),
            (matches("$.error.Cause", IN_PROGRESS), "WaitForOthers"),
            (matches("$.error.Cause", THROTTLED), "WaitForOthers"),
            otherwise="StackRefused",
        ),
        "StackRefused": note(
            "$.reason", "CloudFormation refused to update the hosting stack", then="Restore"
        ),
        "WaitForOthers": wait(places.poll_seconds, then="UpdateStack"),
        "WaitForStack": wait(places.poll_seconds, then="LookAtStack"),
        "LookAtStack": task(
            places.sdk("cloudformation", "describeStacks"),
            {"StackName": places.stack},
            keep="$.stack",
            select={"status.$": "$.Stacks[0].StackStatus"},
            then="IsStackUpdated",
            catch=[on(ANY_ERROR, "StackNotUpdated")],
        ),
        "IsStackUpdated": choice(
            (equals("$.stack.status", "UPDATE_COMPLETE"), "IsAnythingServed"),
            (matches("$.stack.status", IN_PROGRESS), "WaitForStack"),
            otherwise="StackNotUpdated",
        ),
        "StackNotUpdated": note(
            "$.reason", "CloudFormation could not update the hosting stack", then="Restore"
        ),
    }


def serving(places: ReleasePlaces, prefix: str, *, good: str, bad: str) -> States:
    """Compare what SageMaker serves with what the stack says.

    SageMaker can roll a deployment back by itself and be ``InService`` again, and CloudFormation
    takes that for success. The stack's physical id is the configuration's ARN.

    Args:
        places: What the release works with.
        prefix: What the names of these states begin with.
        good: The next state if both say the same.
        bad: The next state if they do not.
    """
    failed = on(ANY_ERROR, bad)
    return {
        f"{prefix}LookAtEndpoint": task(
            places.sdk("sagemaker", "describeEndpoint"),
            {"EndpointName": places.endpoint},
            keep="$.served",
            select={"status.$": "$.EndpointStatus", "configuration.$": "$.EndpointConfigName"},
            then=f"{prefix}LookAtConfiguration",
            catch=[failed],
        ),
        f"{prefix}LookAtConfiguration": task(
            places.sdk("sagemaker", "describeEndpointConfig"),
            {"EndpointConfigName.$": "$.served.configuration"},
            keep="$.configuration",
            select={
                "arn.$": "$.EndpointConfigArn",
                "models.$": "$.ProductionVariants[*].ModelName",
            },
            then=f"{prefix}LookAtResource",
            catch=[failed],
        ),
        f"{prefix}LookAtResource": task(
            places.sdk("cloudformation", "describeStackResource"),
            {"StackName": places.stack, "LogicalResourceId": places.configuration},
            keep="$.resource",
            select={"id.$": "$.StackResourceDetail.PhysicalResourceId"},
            then=f"{prefix}IsItServed",
            catch=[failed],
        ),
        f"{prefix}IsItServed": choice(
            (
                {
                    "And": [
                        equals("$.served.status", "InService"),
                        {
                            "Or": [
                                same("$.resource.id", "$.configuration.arn"),
                                same("$.resource.id", "$.served.configuration"),
                            ]
                        },
                    ]
                },
                good,
            ),
            otherwise=bad,
        ),
    }


def testing(places: ReleasePlaces) -> States:
    """Send the stored request, and look at the answer's form."""
    number = f"$.answer{places.answer_path.removeprefix('$')}"
    failed = on(ANY_ERROR, "NoAnswer")
    return {
        "IsAnythingServed": choice(
            (equals("$.target.value", NONE_YET), "AnnounceSuccess"), otherwise="LookAtEndpoint"
        ),
        **serving(places, "", good="ReadSample", bad="NotServed"),
        "NotServed": note(
            "$.reason",
            "SageMaker does not serve what the stack says: it went back by itself, or failed",
            then="Restore",
        ),
        "ReadSample": task(
            places.sdk("s3", "getObject"),
            {"Bucket": places.sample_bucket, "Key": places.sample_key},
            keep="$.sample",
            select={"body.$": "$.Body"},
            then="Ask",
            catch=[failed],
        ),
        "Ask": task(
            places.sdk("sagemakerruntime", "invokeEndpoint"),
            {
                "EndpointName": places.endpoint,
                "ContentType": places.content_type,
                "Accept": "application/json",
                "Body.$": "$.sample.body",
            },
            keep="$.text",
            select={"body.$": "$.Body"},
            then="IsItJson",
            catch=[failed],
        ),
        "IsItJson": choice((matches("$.text.body", "{*"), "ReadAnswer"), otherwise="WrongAnswer"),
        # A Pass state has no Catch; the one around it has.
        "ReadAnswer": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Parse",
                    "States": {
                        "Parse": {
                            "Type": "Pass",
                            "Parameters": {"json.$": "States.StringToJson($.text.body)"},
                            "End": True,
                        }
                    },
                }
            ],
            "ResultSelector": {"json.$": "$[0].json"},
            "ResultPath": "$.parsed",
            "Catch": [on(ANY_ERROR, "WrongAnswer")],
            "Next": "KeepAnswer",
        },
        "KeepAnswer": {
            "Type": "Pass",
            "InputPath": "$.parsed.json",
            "ResultPath": "$.answer",
            "Next": "IsAnswerRight",
        },
        "IsAnswerRight": choice(
            (
                {
                    "And": [
                        {"Variable": number, "IsPresent": True},
                        {"Variable": number, "IsNumeric": True},
                        {"Variable": number, "NumericGreaterThanEquals": places.least},
                        {"Variable": number, "NumericLessThanEquals": places.most},
                    ]
                },
                "ListConfigurations",
            ),
            otherwise="WrongAnswer",
        ),
        "NoAnswer": note("$.reason", "The endpoint did not answer the sample", then="Restore"),
        "WrongAnswer": note(
            "$.reason", "The endpoint answered the sample in a wrong form", then="Restore"
        ),
    }


def pruning(places: ReleasePlaces) -> States:
    """Delete the oldest configurations and models; never what is served, never a reason to fail."""
    onward = "AnnounceSuccess"
    return {
        "ListConfigurations": task(
            places.sdk("sagemaker", "listEndpointConfigs"),
            _newest_first(places.configuration_names),
            keep="$.listed",
            select={"items.$": "$.EndpointConfigs"},
            then="PruneConfigurations",
            catch=[on(ANY_ERROR, onward)],
        ),
        "PruneConfigurations": _prune(
            item="EndpointConfigName",
            keep=places.keep_configurations,
            in_use=same("$.name", "$.served"),
            delete=places.sdk("sagemaker", "deleteEndpointConfig"),
            then="ListModels",
            instead=onward,
        ),
        "ListModels": task(
            places.sdk("sagemaker", "listModels"),
            _newest_first(places.model_names),
            keep="$.listed",
            select={"items.$": "$.Models"},
            then="PruneModels",
            catch=[on(ANY_ERROR, onward)],
        ),
        "PruneModels": _prune(
            item="ModelName",
            keep=places.keep_models,
            in_use={"Variable": "$.used", "BooleanEquals": True},
            delete=places.sdk("sagemaker", "deleteModel"),
            then=onward,
            instead=onward,
        ),
    }


def _newest_first(contains: str) -> dict[str, Any]:
    return {
        "NameContains": contains,
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }


def _prune(
    *, item: str, keep: int, in_use: Mapping[str, Any], delete: str, then: str, instead: str
) -> dict[str, Any]:
    stays: dict[str, Any] = {"Type": "Pass", "End": True}
    removed = task(
        delete, {f"{item}.$": "$.name"}, then="Stays", catch=[on(ANY_ERROR, "Stays")], retry=False
    )
    return {
        "Type": "Map",
        "ItemsPath": "$.listed.items",
        "ItemSelector": {
            "name.$": f"$$.Map.Item.Value.{item}",
            "number.$": "$$.Map.Item.Index",
            "served.$": "$.served.configuration",
            "used.$": (f"States.ArrayContains($.configuration.models, $$.Map.Item.Value.{item})"),
        },
        "MaxConcurrency": 2,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "IsItOld",
            "States": {
                "IsItOld": choice(
                    ({"Variable": "$.number", "NumericLessThan": keep}, "Stays"),
                    (in_use, "Stays"),
                    otherwise="Remove",
                ),
                "Remove": removed,
                "Stays": stays,
            },
        },
        **NOTHING_KEPT,
        "Catch": [on(ANY_ERROR, instead)],
        "Next": then,
    }
