# pyright: reportMissingTypeStubs=false
"""What a Distributed Map iterates over: its ItemReader, read as a role, and its ItemBatcher."""

import copy
import csv
import gzip
import io
import json
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from rehearsal.ministack_adapter import sdk_tasks
from rehearsal.ministack_adapter.modules import stepfunctions

MOST_BYTES = 262_144
LIST, GET = ":states:::s3:listObjectsV2", ":states:::s3:getObject"
READER_FIELDS = frozenset(("Resource", "ReaderConfig", "Parameters"))
BATCHER_FIELDS = frozenset(("MaxItemsPerBatch", "MaxInputBytesPerBatch", "BatchInput"))


def failed(error: str, cause: str) -> Exception:
    """The error that ends a state, for Retry and Catch."""
    return cast("Exception", stepfunctions._ExecutionError(error, cause))


def check_size(value: Any) -> None:
    """Refuse what no state may take or give ("Step Functions service quotas")."""
    if len(json.dumps(value).encode()) > MOST_BYTES:
        raise failed(
            "States.DataLimitExceeded",
            "The state/task returned a result with a size exceeding the maximum number of bytes "
            "service limit.",
        )


def read(state: Mapping[str, Any], effective: Any, ctx: dict[str, Any], role: str) -> list[Any]:
    """The items of a state, each as its ItemSelector has it.

    Args:
        state: the Map state.
        effective: its input.
        ctx: the context object.
        role: ARN of the state machine's role, which reads.
    """
    reader = state.get("ItemReader")
    if reader is None:
        found = stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
        items = cast("list[Any]", found) if isinstance(found, list) else [found]
    else:
        _check(reader, READER_FIELDS, "ItemReader")
        items = _read(reader, effective, ctx, role)
    selector = state.get("ItemSelector")
    if not selector:
        return items
    return [_select(selector, number, each, effective, ctx) for number, each in enumerate(items)]


def _select(selector: Any, number: int, item: Any, effective: Any, ctx: dict[str, Any]) -> Any:
    own = {**copy.deepcopy(ctx), "Map": {"Item": {"Index": number, "Value": item}}}
    return stepfunctions._resolve_params_obj(selector, effective, own)


def _read(reader: dict[str, Any], effective: Any, ctx: dict[str, Any], role: str) -> list[Any]:
    places = stepfunctions._resolve_params_obj(reader.get("Parameters") or {}, effective, ctx)
    config = cast("dict[str, Any]", reader.get("ReaderConfig") or {})
    client = sdk_tasks.client("s3", role)
    resource = str(reader.get("Resource"))
    try:
        if resource.endswith(LIST) and not config:
            return _list(client, places)
        if resource.endswith(GET) and config == {"InputType": "MANIFEST"}:
            return _inventory(client, places)
    except ClientError as error:
        raise failed("States.ItemReaderFailed", str(error)) from error
    raise failed(
        "States.Runtime",
        f"the rehearsal's ItemReader knows listObjectsV2 and getObject of a MANIFEST; given "
        f"{resource} with {json.dumps(config)}",
    )


def _list(client: Any, places: Mapping[str, Any]) -> list[Any]:
    pages = client.get_paginator("list_objects_v2").paginate(**places)
    return [
        {
            "Etag": each["ETag"],
            "Key": each["Key"],
            "LastModified": int(each["LastModified"].timestamp()),
            "Size": each["Size"],
            "StorageClass": each.get("StorageClass", "STANDARD"),
        }
        for page in pages
        for each in page.get("Contents", ())
    ]


def _inventory(client: Any, places: Mapping[str, Any]) -> list[Any]:
    """The rows of an S3 inventory, by the names of its schema; every value is a text, as it is."""
    manifest = json.loads(client.get_object(**places)["Body"].read())
    if manifest.get("fileFormat") != "CSV":
        raise failed("States.ItemReaderFailed", "the rehearsal reads inventories in CSV only")
    names = [name.strip() for name in manifest["fileSchema"].split(",")]
    items: list[Any] = []
    for file in manifest["files"]:
        body = client.get_object(Bucket=places["Bucket"], Key=file["key"])["Body"].read()
        text = (gzip.decompress(body) if file["key"].endswith(".gz") else body).decode()
        rows = csv.reader(io.StringIO(text))
        items += [dict(zip(names, row, strict=False)) for row in rows if row]
    return items


def batched(
    batcher: dict[str, Any] | None, items: list[Any], effective: Any, ctx: dict[str, Any]
) -> list[Any]:
    """The inputs of the child executions: items one by one, or in batches.

    Args:
        batcher: the state's ItemBatcher, if it has one.
        items: what is iterated over.
        effective: the state's input.
        ctx: the context object.
    """
    if batcher is None:
        return items
    _check(batcher, BATCHER_FIELDS, "ItemBatcher")
    shared: dict[str, Any] = {}
    if "BatchInput" in batcher:
        resolved = stepfunctions._resolve_params_obj(batcher["BatchInput"], effective, ctx)
        shared = {"BatchInput": resolved}
    most = int(batcher.get("MaxItemsPerBatch") or len(items) or 1)
    most_bytes = min(int(batcher.get("MaxInputBytesPerBatch") or MOST_BYTES), MOST_BYTES)
    head = len(json.dumps({**shared, "Items": []}).encode())
    batches: list[list[Any]] = []
    size = head
    for item in items:
        own = len(json.dumps(item).encode()) + 2
        if not batches or len(batches[-1]) >= most or size + own > most_bytes:
            batches.append([])
            size = head
        batches[-1].append(item)
        size += own
    inputs = [{**shared, "Items": batch} for batch in batches]
    for each in inputs:
        check_size(each)
    return inputs


def _check(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise failed("States.Runtime", f"the rehearsal's {what} has no {', '.join(unknown)}")
