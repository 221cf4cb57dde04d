"""Batches of queue messages, answered message by message.

After "Implementing partial batch responses" in the AWS Lambda developer guide: the messages
that the answer names come back, the others are deleted from the queue.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

# SQS hands over at most ten messages at once unless a batching window is set.
WORKERS = 10

Answer = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Message:
    """One message of a batch.

    receives: how many times the queue has handed it out, this time included; at least 1. queue:
    the name of the queue that it comes from; empty where the event does not say.
    """

    id: str
    receipt: str
    body: str
    receives: int
    queue: str = ""


def run(event: Mapping[str, Any], process: Callable[[Message], bool]) -> Answer:
    """Process every message of `event` side by side; return the partial batch response.

    process: True when the message is done with. A False or an exception brings back that
    message only, never another. Raises ValueError if `event` is not a batch of a queue.
    """
    messages = _messages(event)
    safely = partial(_safely, process)
    done = list(_pool().map(safely, messages) if len(messages) > 1 else map(safely, messages))
    failed = [message.id for message, fine in zip(messages, done, strict=True) if not fine]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def give_up(sqs: Any, queue_url: str, message: Message) -> None:
    """Let the queue hand a message out again at once, so that it soon is set aside."""
    give_back(sqs, queue_url, message, 0)


def give_back(sqs: Any, queue_url: str, message: Message, seconds: int) -> None:
    """Hide a message for so many seconds, then the queue hands it out again."""
    try:
        sqs.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
        )
    except Exception:
        return  # it comes back when its visibility time-out ends


def _messages(event: Mapping[str, Any]) -> list[Message]:
    records = event.get("Records")
    if not isinstance(records, list):
        raise ValueError("the function is invoked by an SQS queue; the event has no 'Records'")
    return [_message(record) for record in cast("list[Mapping[str, Any]]", records)]


def _message(record: Mapping[str, Any]) -> Message:
    attributes: Mapping[str, Any] = record.get("attributes") or {}
    return Message(
        id=record["messageId"],
        receipt=record.get("receiptHandle", ""),
        body=record.get("body", ""),
        receives=max(1, int(attributes.get("ApproximateReceiveCount", 1))),
        queue=str(record.get("eventSourceARN", "")).rpartition(":")[2],
    )


def _safely(process: Callable[[Message], bool], message: Message) -> bool:
    try:
        return process(message)
    except Exception:
        # The last net: `process` reports what went wrong itself.
        return False


@cache
def _pool() -> ThreadPoolExecutor:
    # Made at the first batch, kept for the life of the execution environment.
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="message")
