"""SQS: dead-letter redrive, and what the alarm ticker wants to know of each queue."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rehearsal.ministack_adapter.modules import iam_actions, sqs

_tasks: list[dict[str, Any]] = []


@dataclass(frozen=True)
class QueueState:
    """What CloudWatch publishes of a queue in AWS/SQS; the age is in seconds."""

    account: str
    region: str
    name: str
    visible: int
    in_flight: int
    delayed: int
    oldest_seconds: float


def queue_states() -> Iterator[QueueState]:
    """Every queue of every account and Region, as it is now."""
    now = time.time()
    for scoped, queue in list(sqs._queues._data.items()):
        with sqs._queues_lock:
            messages = [
                (m["visible_at"], m.get("receive_count", 0), m.get("sent_at", now))
                for m in queue["messages"]
            ]
        waiting = [m for m in messages if m[0] <= now or m[1] > 0]
        visible = sum(1 for m in messages if m[0] <= now)
        in_flight = sum(1 for m in messages if m[0] > now and m[1] > 0)
        yield QueueState(
            account=scoped[0],
            region=scoped[1],
            name=str(queue["attributes"].get("QueueArn", "")).rpartition(":")[2],
            visible=visible,
            in_flight=in_flight,
            delayed=len(messages) - visible - in_flight,
            oldest_seconds=max((now - m[2] for m in waiting), default=0.0),
        )


def _batch_actions() -> None:
    """A batch takes the permission of its single operation ("Amazon SQS API permissions")."""
    original = iam_actions.extract_iam_action

    def extract(*request: Any) -> str | None:
        # None for what MiniStack has no action for, such as UpdateEventSourceMapping.
        action: str | None = original(*request)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract


def install() -> None:
    """Add the three message-move operations ("StartMessageMoveTask", Amazon SQS API Reference)."""
    _batch_actions()
    sqs._HANDLERS.update(
        {
            "StartMessageMoveTask": _start,
            "ListMessageMoveTasks": _list,
            "CancelMessageMoveTask": _cancel,
        }
    )
    original = sqs.reset

    def reset() -> None:
        _tasks.clear()
        original()

    sqs.reset = reset


def _sources_of(dead_letter_arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for queue in sqs._queues.values():
        raw = queue["attributes"].get("RedrivePolicy") or "{}"
        if json.loads(raw).get("deadLetterTargetArn") == dead_letter_arn:
            found.append(queue)
    return found


def _start(data: dict[str, Any], _url: str) -> dict[str, Any]:
    source_arn = data.get("SourceArn", "")
    source = sqs._queue_by_arn(source_arn)
    if source is None:
        raise sqs._Err(
            "ResourceNotFoundException",
            "The resource that you specified for the SourceArn parameter doesn't exist.",
            404,
        )
    if not _sources_of(source_arn):
        raise sqs._Err(
            "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."
        )
    target = sqs._queue_by_arn(data["DestinationArn"]) if data.get("DestinationArn") else None
    if data.get("DestinationArn") and target is None:
        raise sqs._Err(
            "ResourceNotFoundException",
            "The resource that you specified for the DestinationArn parameter doesn't exist.",
            404,
        )
    moved, failure = _move(source, target)
    task: dict[str, Any] = {
        "TaskHandle": uuid4().hex,
        "Status": "FAILED" if failure else "COMPLETED",
        "SourceArn": source_arn,
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": moved,
        "StartedTimestamp": int(time.time() * 1000),
    }
    if failure:
        task["FailureReason"] = failure
    if target is not None:
        task["DestinationArn"] = data["DestinationArn"]
    _tasks.insert(0, task)
    sqs.esm_wake.set()
    return {"TaskHandle": task["TaskHandle"]}


def _move(source: dict[str, Any], target: dict[str, Any] | None) -> tuple[int, str | None]:
    """Move what is visible, each message to the target or back to where it came from.

    Returns:
        how many were moved, and why the task stopped if it did.
    """
    now = time.time()
    moved = 0
    failure = None
    with sqs._queues_lock:
        keep: list[dict[str, Any]] = []
        for message in source["messages"]:
            system: dict[str, str] = message.get("sys") or {}
            origin = sqs._queue_by_arn(system.get("DeadLetterQueueSourceArn", ""))
            destination = target if target is not None else origin
            if message["visible_at"] > now or destination is None:
                keep.append(message)
                if destination is None:
                    failure = "CouldNotDetermineMessageSource"
                continue
            destination["messages"].append(_as_new(message, system, now))
            moved += 1
        source["messages"] = keep
    return moved, failure


def _as_new(message: dict[str, Any], system: dict[str, str], now: float) -> dict[str, Any]:
    """A redriven message is a new one: its own id, enqueue time and receive count."""
    kept = {name: value for name, value in system.items() if name != "DeadLetterQueueSourceArn"}
    return {
        **message,
        "id": str(uuid4()),
        "receipt_handle": None,
        "receive_count": 0,
        "first_receive_at": None,
        "visible_at": now,
        "sent_at": now,
        "enqueued_at": now,
        "sys": {**kept, "SentTimestamp": str(int(now * 1000))},
    }


def _list(data: dict[str, Any], _url: str) -> dict[str, Any]:
    limit = int(data.get("MaxResults") or 1)
    found = [t for t in _tasks if t["SourceArn"] == data.get("SourceArn")]
    # A finished task has no handle any more.
    return {"Results": [{k: v for k, v in t.items() if k != "TaskHandle"} for t in found[:limit]]}


def _cancel(data: dict[str, Any], _url: str) -> dict[str, Any]:
    raise sqs._Err(
        "ResourceNotFoundException",
        f"No running message move task has the handle {data.get('TaskHandle')!r}.",
        404,
    )
