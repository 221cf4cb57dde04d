"""The state machine that trains a Custom Labels model, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from .release_states import ANY_ERROR, States, choice, equals, on, sdk, task, wait
from .s3_folder import S3Folder

LONGEST_SECONDS = 172_800
"""Training takes up to a day ("Training an Amazon Rekognition Custom Labels model")."""
# A function that is throttled or not yet there; never what it says about manifests.
_PASSING = [
    "Lambda.ServiceException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
_FAILED = on(ANY_ERROR, "Failed")
_NAME = "$$.Execution.Name"  # the version's name too, so that a second try finds the first's


def definition(
    *, project: str, function: str, output: S3Folder, key: str, poll_seconds: int
) -> dict[str, Any]:
    """The state machine: check the manifests, train, look until it is done, judge.

    Args:
        project: ARN of the project.
        function: ARN of the function that checks and judges.
        output: Where a training writes.
        key: ARN of the key that encrypts what it writes and copies.
        poll_seconds: How often it looks.
    """
    partition = cdk.Aws.PARTITION
    version = {
        "ProjectArn": project,
        "VersionName.$": _NAME,
        "OutputConfig": {
            "S3Bucket": output.bucket.bucket_name,
            "S3KeyPrefix": output.prefix.rstrip("/"),
        },
        "TrainingData": {"Assets": [_manifest("train")]},
        "TestingData": {"Assets": [_manifest("test")], "AutoCreate": False},
        "KmsKeyId": key,
    }
    states: States = {
        "Check": _step(function, {"step": "check"}, keep="$.check", then="Train"),
        "Train": task(
            sdk("rekognition", "createProjectVersion", partition),
            version,
            then="Wait",
            # A second try after an answer that was lost: the version is there.
            catch=[on(["Rekognition.ResourceInUseException"], "Wait"), _FAILED],
        ),
        "Wait": wait(poll_seconds, then="Look"),
        "Look": task(
            sdk("rekognition", "describeProjectVersions", partition),
            {"ProjectArn": project, "VersionNames.$": f"States.Array({_NAME})"},
            keep="$.trained",
            select={"version.$": "$.ProjectVersionDescriptions[0]"},
            then="IsTrained",
            catch=[_FAILED],
        ),
        "IsTrained": choice(
            (equals("$.trained.version.Status", "TRAINING_COMPLETED"), "Judge"),
            (equals("$.trained.version.Status", "TRAINING_FAILED"), "TrainingFailed"),
            otherwise="Wait",
        ),
        **_judging(function),
        "TrainingFailed": _fail("TrainingFailed", "States.JsonToString($.trained.version)"),
        "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    }
    return {
        "Comment": "Check manifests, train, judge, go live",
        "StartAt": "Check",
        "TimeoutSeconds": LONGEST_SECONDS,
        "States": states,
    }


def _judging(function: str) -> States:
    version = "$.trained.version"
    payload = {
        "step": "judge",
        "version.$": f"{version}.ProjectVersionArn",
        "name.$": _NAME,
        "created.$": f"{version}.CreationTimestamp",
        "f1.$": f"{version}.EvaluationResult.F1Score",
        "summary.$": f"{version}.EvaluationResult.Summary.S3Object",
        "seconds.$": f"{version}.BillableTrainingTimeInSeconds",
        "check.$": "$.check.said",
        "execution.$": "$$.Execution.Id",
    }
    passed = {"Variable": "$.verdict.said.passed", "BooleanEquals": True}
    return {
        "Judge": _step(function, payload, keep="$.verdict", then="HasPassed"),
        "HasPassed": choice((passed, "Live"), otherwise="GateNotPassed"),
        "Live": {"Type": "Succeed"},
        "GateNotPassed": _fail("GateNotPassed", "$.verdict.said.told"),
    }


def _step(function: str, payload: Mapping[str, Any], *, keep: str, then: str) -> dict[str, Any]:
    """Invoke the function. What it says of manifests is final: only what passes is tried again."""
    state = task(
        f"arn:{cdk.Aws.PARTITION}:states:::lambda:invoke",
        {"FunctionName": function, "Payload": dict(payload)},
        keep=keep,
        select={"said.$": "$.Payload"},
        then=then,
        catch=[_FAILED],
        retry=False,
    )
    retrier = {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 5}
    return {**state, "Retry": [{"ErrorEquals": _PASSING, **retrier}]}


def _fail(error: str, cause: str) -> dict[str, Any]:
    return {"Type": "Fail", "Error": error, "CausePath": cause}


def _manifest(name: str) -> dict[str, Any]:
    """A manifest in the very version that was checked."""
    at = f"$.check.said.{name}"
    place = {"Bucket.$": f"{at}.bucket", "Name.$": f"{at}.key", "Version.$": f"{at}.version"}
    return {"GroundTruthManifest": {"S3Object": place}}
