"""The state machine of a drift watch: what it does, step by step, as plain data.

    live version → its baseline → the period's folders → anything captured? → processing job
    → metrics → drifted? → retraining asked for

Where nothing is live, or nothing was captured, it ends well and at once. Two states reckon with
time and lists, which JSONPath cannot do, and are written in JSONata; a state machine may mix them
("Transforming data with JSONata in Step Functions"). Everything else is JSONPath.
"""

from __future__ import annotations

from typing import Any

from .drift_plan import WatchPlaces, assembled, plan
from .job_requests import OUTPUT
from .live_version import NONE_YET
from .release_states import (
    ANY_ERROR,
    State,
    States,
    choice,
    equals,
    on,
    take,
    task,
)
from .sync_job import running_job

NAMESPACE = "Sagelens/Drift"
SOURCE = "sagelens.drift"
DETAIL_TYPE = "Retraining Requested"
SCHEMA = "1"


def drift_definition(places: WatchPlaces) -> dict[str, Any]:
    """The whole state machine."""
    return {
        "Comment": f"Compares the captured requests of {places.endpoint} with its live version's",
        "StartAt": "Begin",
        "TimeoutSeconds": places.timeout_seconds + 3600,
        "States": {
            **_finding_version(places),
            **_finding_requests(places),
            **_comparing(places),
            **_telling(places),
            **_ending(),
        },
    }


def _jsonata(output: Any, *, then: str) -> State:
    return {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "Next": then}


def _finding_version(places: WatchPlaces) -> States:
    failed = on(ANY_ERROR, "Failed")
    return {
        "Begin": _jsonata(
            {
                # A schedule says for when it was; whoever starts it by hand may say "at", too.
                "at": "{% $exists($states.input.at) ? $states.input.at : "
                "$states.context.Execution.StartTime %}",
                "places": {
                    "captured": places.captured_bucket,
                    "labels": places.labels_bucket or "",
                    "reports": places.reports_bucket,
                    "code": places.code_url,
                },
            },
            then="ReadLive",
        ),
        "ReadLive": task(
            places.sdk("ssm", "getParameter"),
            {"Name": places.parameter},
            keep="$.live",
            select={"version.$": "$.Parameter.Value", "since.$": "$.Parameter.LastModifiedDate"},
            then="IsAnythingLive",
            catch=[failed],
        ),
        "IsAnythingLive": choice(
            (equals("$.live.version", NONE_YET), "NothingLive"), otherwise="LookAtVersion"
        ),
        "NothingLive": {"Type": "Succeed", "Comment": "There is no live version to watch"},
        "LookAtVersion": task(
            places.sdk("sagemaker", "describeModelPackage"),
            {"ModelPackageName.$": "$.live.version"},
            keep="$.package",
            then="HasBaseline",
            catch=[failed],
        ),
        "HasBaseline": choice(
            (
                {
                    "Variable": "$.package.ModelMetrics.ModelDataQuality.Statistics.S3Uri",
                    "IsPresent": True,
                },
                "Plan",
            ),
            otherwise="NoBaseline",
        ),
        "NoBaseline": take(
            "$.error",
            {
                "Error": "NoBaseline",
                "Cause.$": "States.Format('{} has no baseline: its ModelMetrics name no "
                "ModelDataQuality.Statistics', $.live.version)",
            },
            then="Failed",
        ),
    }


def _finding_requests(places: WatchPlaces) -> States:
    look = places.sdk("s3", "listObjectsV2")
    failed = on(ANY_ERROR, "Failed")
    one: State = {
        "Type": "Task",
        "Resource": look,
        "Parameters": {
            "Bucket": places.captured_bucket,
            "Prefix.$": "$.prefix",
            "MaxKeys": 1,
        },
        "ResultSelector": {"found.$": "$.KeyCount"},
        "ResultPath": "$.looked",
        "Retry": [
            {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "MaxAttempts": 3},
        ],
        "End": True,
    }
    states: States = {
        "Plan": _jsonata("{% " + plan(places) + " %}", then="IsThereTime"),
        "IsThereTime": choice(
            ({"Variable": "$.period.empty", "BooleanEquals": True}, "JustReleased"),
            otherwise="FindCaptured",
        ),
        "JustReleased": {
            "Type": "Succeed",
            "Comment": "The live version has not answered for a whole period yet",
        },
        "FindCaptured": {
            "Type": "Map",
            "ItemsPath": "$.period.folders",
            "ItemSelector": {"prefix.$": "$$.Map.Item.Value"},
            "ItemProcessor": {"StartAt": "LookIntoFolder", "States": {"LookIntoFolder": one}},
            "ResultPath": "$.looked",
            "Catch": [failed],
            "Next": "FindLabels" if places.labels_bucket else "Assemble",
        },
        "Assemble": _jsonata("{% " + assembled(places) + " %}", then="IsAnythingCaptured"),
        "IsAnythingCaptured": choice(
            ({"Variable": "$.job.captured", "NumericGreaterThan": 0}, "Compare"),
            otherwise="CountNothing",
        ),
        # So that a dashboard tells a quiet endpoint from a watch that does not run.
        "CountNothing": task(
            places.sdk("cloudwatch", "putMetricData"),
            {
                "Namespace": NAMESPACE,
                "MetricData": [
                    {
                        "MetricName": "CapturedRows",
                        "Value": 0,
                        "Unit": "Count",
                        "Dimensions": [
                            {"Name": name, "Value": value}
                            for name, value in places.dimensions.items()
                        ],
                    }
                ],
            },
            then="NothingCaptured",
            catch=[failed],
        ),
        "NothingCaptured": {"Type": "Succeed", "Comment": "Nothing was captured in the period"},
    }
    if places.labels_bucket:
        states["FindLabels"] = task(
            look,
            {"Bucket": places.labels_bucket, "Prefix": places.labels_prefix, "MaxKeys": 1},
            keep="$.labels",
            select={"found.$": "$.KeyCount"},
            then="Assemble",
            catch=[failed],
        )
    return states


def _comparing(places: WatchPlaces) -> States:
    specification = dict(places.job["AppSpecification"])
    parameters = {
        **places.job,
        "ProcessingJobName.$": "$.job.name",
        "AppSpecification": {**specification, "ContainerArguments.$": "$.job.arguments"},
        "ProcessingInputs.$": "$.job.inputs",
        "ProcessingOutputConfig": {
            "KmsKeyId": places.key,
            "Outputs": [
                {
                    "OutputName": "report",
                    "S3Output": {
                        "S3Uri.$": "$.job.output",
                        "LocalPath": OUTPUT,
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
        },
    }
    return {
        **running_job(
            "Compare",
            "ProcessingJob",
            parameters,
            partition=places.partition,
            name="$.job.name",
            timeout_seconds=places.timeout_seconds,
            then="ReadMetrics",
            failed="Failed",
        ),
        # In Step Functions an object's body is text.
        "ReadMetrics": task(
            places.sdk("s3", "getObject"),
            {
                "Bucket": places.reports_bucket,
                "Key.$": "States.Format('{}/metrics.json', $.job.folder)",
            },
            keep="$.metrics",
            select={"data.$": "States.StringToJson($.Body)"},
            then="Publish",
            catch=[on(ANY_ERROR, "Failed")],
        ),
    }


def _telling(places: WatchPlaces) -> States:
    failed = on(ANY_ERROR, "Failed")
    first = "$.metrics.data[0]"
    drifted: dict[str, Any] = {
        "And": [
            {"Variable": f"{first}.MetricName", "IsPresent": True},
            equals(f"{first}.MetricName", "DriftDetected"),
            {"Variable": f"{first}.Value", "NumericGreaterThanEquals": 1},
        ]
    }
    states: States = {
        "Publish": task(
            places.sdk("cloudwatch", "putMetricData"),
            {"Namespace": NAMESPACE, "MetricData.$": "$.metrics.data"},
            then="HasDrifted",
            catch=[failed],
        ),
        "HasDrifted": choice(
            (drifted, "AskForRetraining" if places.bus else "Drifted"), otherwise="NoDrift"
        ),
        "Drifted": {"Type": "Succeed"},
        "NoDrift": {"Type": "Succeed"},
    }
    if places.bus:
        entry = {
            "EventBusName": places.bus,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": {
                "schema": SCHEMA,
                "id.$": "$.job.name",
                "model": places.model,
                "endpoint": places.endpoint,
                "variant": places.variant,
                "version.$": "$.live.version",
                "since.$": "$.period.since",
                "until.$": "$.period.until",
                "report.$": "$.job.output",
                "execution.$": "$$.Execution.Id",
            },
        }
        states["AskForRetraining"] = task(
            f"arn:{places.partition}:states:::events:putEvents",
            {"Entries": [entry]},
            then="Drifted",
            catch=[failed],
        )
    return states


def _ending() -> States:
    return {"Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"}}
