"""The state machine of a backfill: what it does, step by step, as plain data.

    what is asked → anything there? → [a batch of objects: room in the queue? → into it] → report
    → [dry run: end] → queue empty? → [a batch of plans: what became of it] → report

Sources: "Distributed Map state", "ItemReader (Map)", "ItemBatcher (Map)", "ResultWriter (Map)"
and "Step Functions service quotas" (AWS Step Functions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .release_states import State, States, choice, matches, note, sdk, task

OBJECTS_A_BATCH = 100
"""As many as one read of the table takes ("BatchGetItem", Amazon DynamoDB)."""
PLANS_A_BATCH = 20
BATCH_BYTES = 200_000
"""A state takes 256 KiB, and keys may have 1,024 bytes."""
LABELS = ("Listed", "Inventoried", "Planned")
"""The Map Runs' names, which are part of their children's ARNs."""

# Outlasts the mending of a policy by a few minutes; then the run fails, and can be redriven.
_PATIENCE = {
    "IntervalSeconds": 5,
    "BackoffRate": 2,
    "MaxAttempts": 8,
    "MaxDelaySeconds": 300,
    "JitterStrategy": "FULL",
}


@dataclass(frozen=True, kw_only=True)
class BackfillPlaces:
    """What a backfill works with, as names; each may be a CDK token.

    Attributes:
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        function: ARN of the function that does the steps.
        images_bucket: Where the images lie.
        prefixes: Folders that may be asked for.
        runs_bucket, runs_prefix: Folder of what runs write.
        inventories: Folder of the same bucket with inventories of the images bucket.
        at_once: Batches that are fed at the same time.
        least_seconds: Between two looks at the queue.
    """

    partition: str
    function: str
    images_bucket: str
    prefixes: Sequence[str]
    runs_bucket: str
    runs_prefix: str
    inventories: str
    at_once: int
    least_seconds: int

    def invoke(self) -> str:
        """The resource that invokes a function."""
        return f"arn:{self.partition}:states:::lambda:invoke"

    def s3(self, action: str) -> str:
        """The resource of a Distributed Map's reader or writer."""
        return f"arn:{self.partition}:states:::s3:{action}"


def backfill_definition(places: BackfillPlaces) -> dict[str, Any]:
    """The whole state machine."""
    return {
        "Comment": "Has the images analysed that lie in the bucket already",
        "StartAt": "IsItDry",
        "States": {
            **_asked(places),
            **_feeding(places),
            **_waiting(places),
            **_counting(places),
        },
    }


def _asked(places: BackfillPlaces) -> States:
    """What the input says: ``{"prefix": "…"}`` or ``{"manifest": "…"}``, and ``dry_run``."""
    allowed = ", ".join(f"{prefix}*" for prefix in places.prefixes)
    return {
        "IsItDry": choice(
            ({"Variable": "$.dry_run", "IsPresent": False}, "NotDry"),
            ({"Variable": "$.dry_run", "IsBoolean": True}, "WhatIsAsked"),
            otherwise="Refused",
        ),
        "NotDry": note("$.dry_run", False, then="WhatIsAsked"),
        "WhatIsAsked": choice(
            *((_given("$.prefix", f"{prefix}*"), "FindImages") for prefix in places.prefixes),
            (_given("$.manifest", f"{places.inventories}*/manifest.json"), "FeedInventory"),
            otherwise="Refused",
        ),
        "Refused": {
            "Type": "Fail",
            "Error": "WrongInput",
            "Cause": f"Allowed is a prefix ({allowed}) or a manifest "
            f"({places.inventories}*/manifest.json), and dry_run: true or false",
        },
        "FindImages": task(
            sdk("s3", "listObjectsV2", places.partition),
            {"Bucket": places.images_bucket, "Prefix.$": "$.prefix", "MaxKeys": 1},
            keep="$.first",
            select={"found.$": "$.KeyCount"},
            then="IsAnythingThere",
        ),
        "IsAnythingThere": choice(
            ({"Variable": "$.first.found", "NumericEquals": 0}, "NothingThere"),
            otherwise="FeedPrefix",
        ),
        "NothingThere": {
            "Type": "Pass",
            "Parameters": {
                "run.$": "$$.Execution.Name",
                "dry_run.$": "$.dry_run",
                "objects": 0,
                "queued": 0,
            },
            "End": True,
        },
    }


def _given(path: str, pattern: str) -> dict[str, Any]:
    present = {"Variable": path, "IsPresent": True}
    return {"And": [present, {"Variable": path, "IsString": True}, matches(path, pattern)]}


def _feeding(places: BackfillPlaces) -> States:
    listing = {
        "Resource": places.s3("listObjectsV2"),
        "Parameters": {"Bucket": places.images_bucket, "Prefix.$": "$.prefix"},
    }
    inventory = {
        "Resource": places.s3("getObject"),
        "ReaderConfig": {"InputType": "MANIFEST"},
        "Parameters": {"Bucket": places.runs_bucket, "Key.$": "$.manifest"},
    }
    return {
        "FeedPrefix": _feed(places, "Listed", listing, "listing"),
        "FeedInventory": _feed(places, "Inventoried", inventory, "inventory"),
        "ReportFed": _report(places, {"fed.$": "$.fed.place"}, then="IsThereMore"),
        "IsThereMore": choice(
            ({"Variable": "$.dry_run", "BooleanEquals": True}, "Reported"),
            ({"Variable": "$.report.value.queued", "NumericEquals": 0}, "Reported"),
            otherwise="BeginToWait",
        ),
        "Reported": {"Type": "Pass", "OutputPath": "$.report.value", "End": True},
    }


def _feed(places: BackfillPlaces, label: str, reader: Mapping[str, Any], source: str) -> State:
    feed = _step(places, "feed", {"batch.$": "$"}, keep="$.answer", then="IsThereRoom")
    feed["ResultSelector"] = {"seconds.$": "$.Payload.seconds", "counts.$": "$.Payload.counts"}
    states = {
        "Feed": feed,
        "IsThereRoom": choice(
            ({"Variable": "$.answer.seconds", "NumericGreaterThan": 0}, "WaitForRoom"),
            otherwise="Fed",
        ),
        "WaitForRoom": {"Type": "Wait", "SecondsPath": "$.answer.seconds", "Next": "Feed"},
        "Fed": {"Type": "Pass", "OutputPath": "$.answer.counts", "End": True},
    }
    shared = {"run.$": "$$.Execution.Name", "dry_run.$": "$.dry_run", "source": source}
    return {
        **_map(places, label, reader, states, folder="fed", at_once=places.at_once),
        "ItemBatcher": {
            "MaxItemsPerBatch": OBJECTS_A_BATCH,
            "MaxInputBytesPerBatch": BATCH_BYTES,
            "BatchInput": shared,
        },
        "ResultPath": "$.fed",
        "Next": "ReportFed",
    }


def _waiting(places: BackfillPlaces) -> States:
    look = _step(places, "look", {"quiet.$": "$.queue.quiet"}, keep="$.queue", then="IsItEmpty")
    look["ResultSelector"] = {
        f"{name}.$": f"$.Payload.{name}" for name in ("depth", "empty", "quiet", "seconds")
    }
    first = {"quiet": 0, "seconds": places.least_seconds}
    return {
        "BeginToWait": note("$.queue", first, then="Wait"),
        "Wait": {"Type": "Wait", "SecondsPath": "$.queue.seconds", "Next": "Look"},
        "Look": look,
        "IsItEmpty": choice(
            ({"Variable": "$.queue.empty", "BooleanEquals": True}, "Count"), otherwise="Wait"
        ),
    }


def _counting(places: BackfillPlaces) -> States:
    plans = f"States.Format('{places.runs_prefix}{{}}/plan/', $$.Execution.Name)"
    reader = {
        "Resource": places.s3("listObjectsV2"),
        "Parameters": {"Bucket": places.runs_bucket, "Prefix.$": plans},
    }
    count = _step(places, "count", {"batch.$": "$"}, keep="$.answer", then="Counted")
    count["ResultSelector"] = {"counts.$": "$.Payload.counts"}
    states = {
        "CountBatch": count,
        "Counted": {"Type": "Pass", "OutputPath": "$.answer.counts", "End": True},
    }
    return {
        "Count": {
            **_map(places, "Planned", reader, states, folder="counted", at_once=places.at_once),
            "ItemBatcher": {
                "MaxItemsPerBatch": PLANS_A_BATCH,
                "MaxInputBytesPerBatch": BATCH_BYTES,
            },
            "ResultPath": "$.counted",
            "Next": "Report",
        },
        "Report": _report(
            places,
            {"fed.$": "$.fed.place", "counted.$": "$.counted.place"},
            then="Reported",
        ),
    }


def _map(
    places: BackfillPlaces,
    label: str,
    reader: Mapping[str, Any],
    states: States,
    *,
    folder: str,
    at_once: int,
) -> State:
    """A Distributed Map whose results, numbers alone, become lines of a file."""
    prefix = f"States.Format('{places.runs_prefix}{{}}/{folder}', $$.Execution.Name)"
    return {
        "Type": "Map",
        "Label": label,
        "ItemReader": dict(reader),
        # No failure is tolerated: what has succeeded is not done again by a redrive.
        "MaxConcurrency": at_once,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": next(iter(states)),
            "States": states,
        },
        "ResultWriter": {
            "Resource": places.s3("putObject"),
            "Parameters": {"Bucket": places.runs_bucket, "Prefix.$": prefix},
            "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
        },
        "ResultSelector": {"place.$": "$.ResultWriterDetails"},
    }


def _step(
    places: BackfillPlaces, action: str, given: Mapping[str, Any], *, keep: str, then: str
) -> State:
    payload = {"action": action, **given}
    state = task(
        places.invoke(),
        {"FunctionName": places.function, "Payload": payload},
        keep=keep,
        then=then,
        retry=False,
    )
    return {
        **state,
        "Retry": [{"ErrorEquals": ["States.TaskFailed", "States.Timeout"], **_PATIENCE}],
    }


def _report(places: BackfillPlaces, given: Mapping[str, Any], *, then: str) -> State:
    shared = {"run.$": "$$.Execution.Name", "dry_run.$": "$.dry_run"}
    state = _step(places, "report", {**shared, **given}, keep="$.report", then=then)
    return {**state, "ResultSelector": {"value.$": "$.Payload"}}
