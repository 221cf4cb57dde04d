"""The state machine of batch scoring: what it does, step by step, as plain data.

    live version → anything to score? → model of its own → transform job → model gone → announced

Whatever fails after the model was made, the model goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .live_version import NONE_YET
from .release_states import (
    ANY_ERROR,
    State,
    States,
    choice,
    equals,
    matches,
    on,
    sdk,
    take,
    task,
)
from .sync_job import running_job

SOURCE = "sagelens.batch"
SCHEMA = "1"
EXISTS = "*already existing model*"


@dataclass(frozen=True, kw_only=True)
class BatchPlaces:
    """What batch scoring works with, as names; each may be a CDK token.

    Attributes:
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        name: Names of jobs and models begin with it.
        model: What events call the model.
        parameter: SSM parameter with the live version.
        input_bucket, input_prefix: Folder of what is scored.
        output_bucket, output_prefix: Folder of the results.
        create: CreateModel's parameters, without the model's name and container.
        transform: CreateTransformJob's parameters, without names and addresses.
        transform_input, transform_output: The same of ``TransformInput`` and ``TransformOutput``.
        timeout_seconds: After so long the job is stopped and given up.
        bus: Name of the bus that hears of results; None: none does.
    """

    partition: str
    name: str
    model: str
    parameter: str
    input_bucket: str
    input_prefix: str
    output_bucket: str
    output_prefix: str
    create: Mapping[str, Any]
    transform: Mapping[str, Any]
    transform_input: Mapping[str, Any]
    transform_output: Mapping[str, Any]
    timeout_seconds: int
    bus: str | None

    def sdk(self, service: str, action: str) -> str:
        """The resource of an AWS SDK integration."""
        return sdk(service, action, self.partition)


def batch_definition(places: BatchPlaces) -> dict[str, Any]:
    """The whole state machine."""
    return {
        "Comment": f"Scores a folder with the live version of {places.model}",
        "StartAt": "WhatIsAsked",
        "TimeoutSeconds": places.timeout_seconds + 3600,
        "States": {
            **_asked(places),
            **_finding(places),
            **_scoring(places),
            **_cleaning(places),
            **_ending(places),
        },
    }


def _asked(places: BatchPlaces) -> States:
    """What the input says: ``{"prefix": "…/"}``, or the whole folder."""
    path = "$.prefix"
    unique = "States.ArrayGetItem(States.StringSplit(States.UUID(), '-'), 0)"

    def begin(prefix: dict[str, str]) -> State:
        # Chosen before anything is made, so that a second try makes nothing twice.
        name = f"States.Format('{places.name}-{{}}', {unique})"
        return take("$", {**prefix, "name.$": name}, then="ReadLive")

    return {
        "WhatIsAsked": choice(
            ({"Variable": path, "IsPresent": False}, "WholeFolder"),
            ({"Not": {"Variable": path, "IsString": True}}, "NoPrefix"),
            (matches(path, f"{places.input_prefix}*"), "ThisPrefix"),
            otherwise="OtherPrefix",
        ),
        "WholeFolder": begin({"prefix": places.input_prefix}),
        "ThisPrefix": begin({"prefix.$": path}),
        "NoPrefix": take(
            "$.error",
            {"Error": "WrongInput", "Cause": f"prefix: allowed is a text, {_allowed(places)}"},
            then="Refused",
        ),
        "OtherPrefix": take(
            "$.error",
            {
                "Error": "WrongInput",
                "Cause.$": f"States.Format('prefix: got {{}}, {_allowed(places)}', {path})",
            },
            then="Refused",
        ),
        "Refused": _fail(),
    }


def _allowed(places: BatchPlaces) -> str:
    return f"allowed is one that begins with {places.input_prefix}"


def _finding(places: BatchPlaces) -> States:
    failed = on(ANY_ERROR, "Announce")
    return {
        "ReadLive": task(
            places.sdk("ssm", "getParameter"),
            {"Name": places.parameter},
            keep="$.live",
            select={"version.$": "$.Parameter.Value"},
            then="IsAnythingLive",
            catch=[failed],
        ),
        "IsAnythingLive": choice(
            (equals("$.live.version", NONE_YET), "NothingLive"), otherwise="FindInput"
        ),
        "NothingLive": take(
            "$.error",
            {
                "Error": "NothingLive",
                "Cause": f"No version of {places.model} is live: approve one first",
            },
            then="Announce",
        ),
        # A transform job on an empty folder would fail.
        "FindInput": task(
            places.sdk("s3", "listObjectsV2"),
            {"Bucket": places.input_bucket, "Prefix.$": "$.prefix", "MaxKeys": 1},
            keep="$.input",
            select={"found.$": "$.KeyCount"},
            then="IsAnythingThere",
            catch=[failed],
        ),
        "IsAnythingThere": choice(
            ({"Variable": "$.input.found", "NumericEquals": 0}, "NothingToScore"),
            otherwise="MakeModel",
        ),
        "NothingToScore": {"Type": "Succeed", "Comment": "There is nothing to score"},
    }


def _scoring(places: BatchPlaces) -> States:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri.$": f"States.Format('s3://{places.input_bucket}/{{}}', $.prefix)",
    }
    place = f"'s3://{places.output_bucket}/{places.output_prefix}{{}}/'"
    return {
        "MakeModel": task(
            places.sdk("sagemaker", "createModel"),
            {
                **places.create,
                "ModelName.$": "$.name",
                "Containers": [{"ModelPackageName.$": "$.live.version"}],
            },
            then="WhereTo",
            catch=[on(ANY_ERROR, "WhyNoModel")],
        ),
        # The answer to an earlier try may have been lost.
        "WhyNoModel": choice((matches("$.error.Cause", EXISTS), "WhereTo"), otherwise="Announce"),
        "WhereTo": take("$.output", {"url.$": f"States.Format({place}, $.name)"}, then="Transform"),
        **running_job(
            "Transform",
            "TransformJob",
            {
                **places.transform,
                "TransformJobName.$": "$.name",
                "ModelName.$": "$.name",
                "TransformInput": {
                    **places.transform_input,
                    "DataSource": {"S3DataSource": source},
                },
                "TransformOutput": {**places.transform_output, "S3OutputPath.$": "$.output.url"},
            },
            partition=places.partition,
            name="$.name",
            timeout_seconds=places.timeout_seconds,
            then="DeleteModel",
            failed="DeleteFailedModel",
        ),
    }


def _cleaning(places: BatchPlaces) -> States:
    delete = places.sdk("sagemaker", "deleteModel")
    by_name = {"ModelName.$": "$.name"}
    return {
        # A model costs nothing; that one is left over is no reason to lose the results.
        "DeleteModel": task(
            delete,
            by_name,
            then="AnnounceScores",
            catch=[{"ErrorEquals": ANY_ERROR, "ResultPath": "$.left", "Next": "AnnounceScores"}],
        ),
        "DeleteFailedModel": task(
            delete,
            by_name,
            then="Announce",
            catch=[{"ErrorEquals": ANY_ERROR, "ResultPath": "$.left", "Next": "Announce"}],
        ),
    }


def _ending(places: BatchPlaces) -> States:
    # A state that nothing leads to is refused.
    lost: States = {"NotAnnounced": _fail()} if places.bus else {}
    return {
        **lost,
        "AnnounceScores": _announce(
            places,
            "Batch Scored",
            {"version.$": "$.live.version", "output.$": "$.output.url"},
            then="Scored",
            # Whoever waits for the results would wait for ever.
            otherwise="NotAnnounced",
        ),
        "Scored": {
            "Type": "Pass",
            "Parameters": {
                "version.$": "$.live.version",
                "job.$": "$.name",
                "output.$": "$.output.url",
            },
            "End": True,
        },
        "Announce": _announce(
            places, "Batch Scoring Failed", {"reason.$": "$.error"}, then="Failed"
        ),
        "Failed": _fail(),
    }


def _fail() -> State:
    return {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}


def _announce(
    places: BatchPlaces,
    kind: str,
    detail: Mapping[str, Any],
    *,
    then: str,
    otherwise: str | None = None,
) -> State:
    if places.bus is None:
        return {"Type": "Pass", "Next": then}
    entry = {
        "EventBusName": places.bus,
        "Source": SOURCE,
        "DetailType": kind,
        "Detail": {
            "schema": SCHEMA,
            "id.$": "$.name",
            "model": places.model,
            "input.$": f"States.Format('s3://{places.input_bucket}/{{}}', $.prefix)",
            "execution.$": "$$.Execution.Id",
            **detail,
        },
    }
    lost: dict[str, Any] = (
        on(ANY_ERROR, otherwise)
        if otherwise
        else {
            "ErrorEquals": ANY_ERROR,
            "ResultPath": "$.left",
            "Next": then,
        }
    )
    return task(
        f"arn:{places.partition}:states:::events:putEvents",
        {"Entries": [entry]},
        then=then,
        catch=[lost],
    )
