"""What waits for models: who is needed, how long it has waited, and its way back to its queue."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from shared.custom_models import ModelTable
from shared.dynamodb import Fields

BATCH = 10  # "SendMessageBatch", Amazon SQS API reference


@dataclass(frozen=True)
class Backlog:
    """What waits: for which models, how many pieces, and since when (ISO 8601, None: nothing)."""

    needs: frozenset[str]
    count: int
    oldest: str | None

    def minutes(self, now: float) -> float:
        """Return how many minutes the oldest piece has waited."""
        if self.oldest is None:
            return 0.0
        return max(0.0, (now - datetime.fromisoformat(self.oldest).timestamp()) / 60)


def survey(table: ModelTable) -> Backlog:
    """Return what waits."""
    needs: set[str] = set()
    count, oldest = 0, None
    for page in table.parked():
        for item in page:
            needs.update(item["needs"])
            oldest = oldest or item["parked_at"]
        count += len(page)
    return Backlog(frozenset(needs), count, oldest)


def send_back(
    table: ModelTable, sqs: Any, running: frozenset[str], may_go_on: Callable[[], bool]
) -> int:
    """Send the work back to its queues whose models all run; return how many pieces.

    It is forgotten after it was sent: who is cut off between the two sends it twice, which the
    queue may do by itself, and loses none.
    """
    sent = 0
    for page in table.parked():
        ready = [item for item in page if running.issuperset(item["needs"])]
        for queue, batch in _batches(ready):
            if not may_go_on():
                return sent
            for item in _send(sqs, queue, batch):
                table.unpark(item)
                sent += 1
    return sent


def _batches(items: Iterable[Fields]) -> Iterable[tuple[str, Sequence[Fields]]]:
    for queue, group in groupby(items, key=lambda item: str(item["queue"])):
        found = list(group)
        for first in range(0, len(found), BATCH):
            yield queue, found[first : first + BATCH]


def _send(sqs: Any, queue: str, batch: Sequence[Fields]) -> list[Fields]:
    """Send a batch; return what the queue took."""
    entries = [{"Id": str(at), "MessageBody": item["body"]} for at, item in enumerate(batch)]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    return [batch[int(each["Id"])] for each in answer.get("Successful", ())]
