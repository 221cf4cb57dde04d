# pyright: reportMissingTypeStubs=false
"""What a Distributed Map exports: the ResultWriter's files, written as a role."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.ministack_adapter import map_items, sdk_tasks

FIELDS = {
    "ExecutionArn": "executionArn",
    "Input": "input",
    "InputDetails": "inputDetails",
    "Name": "name",
    "Output": "output",
    "OutputDetails": "outputDetails",
    "StartDate": "startDate",
    "StateMachineArn": "stateMachineArn",
    "Status": "status",
    "StopDate": "stopDate",
    "Error": "error",
    "Cause": "cause",
}


def write(
    run: str,
    config: Mapping[str, Any],
    places: Mapping[str, Any],
    children: Sequence[Mapping[str, Any]],
    pending: Sequence[Any],
    role: str,
) -> dict[str, Any]:
    """Export the results of a Map Run; answer what the state gives on.

    Args:
        run: ARN of the Map Run.
        config: the WriterConfig.
        places: Bucket and Prefix.
        children: the child executions.
        pending: inputs of those that were not started.
        role: ARN of the state machine's role.
    """
    kind = str(config.get("Transformation", "NONE"))
    lines = str(config.get("OutputType", "JSON")) == "JSONL"
    prefix, number = str(places.get("Prefix", "")), run.rpartition(":")[2]
    folder = "/".join(part for part in (prefix.rstrip("/"), number) if part)
    done = [child for child in children if child["status"] == "SUCCEEDED"]
    failed = [child for child in children if child["status"] != "SUCCEEDED"]
    parts = {
        "SUCCEEDED": _transformed(done, kind),
        # What failed is exported unchanged, whatever the transformation.
        "FAILED": [_whole(child) for child in failed],
        "PENDING": [{"Input": json.dumps(each)} for each in pending],
    }
    client = sdk_tasks.client("s3", role)
    files: dict[str, list[dict[str, Any]]] = {}
    try:
        for status, results in parts.items():
            key = f"{folder}/{status}_0.{'jsonl' if lines else 'json'}"
            body = _text(results, lines)
            if results:
                client.put_object(Bucket=places["Bucket"], Key=key, Body=body)
            files[status] = [{"Key": key, "Size": len(body)}] if results else []
        manifest = {"DestinationBucket": places["Bucket"], "MapRunArn": run, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        client.put_object(Bucket=places["Bucket"], Key=key, Body=json.dumps(manifest).encode())
    except ClientError as error:
        raise map_items.failed("States.ResultWriterFailed", str(error)) from error
    return {"MapRunArn": run, "ResultWriterDetails": {"Bucket": places["Bucket"], "Key": key}}


def _transformed(children: Sequence[Mapping[str, Any]], kind: str) -> list[Any]:
    if kind == "NONE":
        return [_whole(child) for child in children]
    outputs = [json.loads(child["output"]) for child in children]
    if kind == "COMPACT":
        return outputs
    if kind != "FLATTEN":
        raise map_items.failed("States.Runtime", f"there is no Transformation {kind!r}")
    flat: list[Any] = []
    for each in outputs:
        flat += each if isinstance(each, list) else [each]
    return flat


def _whole(child: Mapping[str, Any]) -> dict[str, Any]:
    return {name: child[key] for name, key in FIELDS.items() if child.get(key) is not None}


def _text(results: Sequence[Any], lines: bool) -> bytes:
    if lines:
        return "".join(json.dumps(each) + "\n" for each in results).encode()
    return json.dumps(results).encode()
