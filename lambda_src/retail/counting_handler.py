"""Lambda handler that counts shelves: a batch of queue messages in, its failures out.

Environment variables: RESULTS_TABLE (of the vision records), TABLE, EVENT_BUS, QUEUE_URL,
ENVIRONMENT, PREFIX, RULES (JSON), RECORD_DAYS (empty keeps records); optional LOG_LEVEL.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from retail import settings
from retail.counted_flow import CountedFlow
from retail.shelves import Readings
from shared import batch, clients
from shared.batch import Message
from shared.clock import Clock
from shared.errors import code_of
from shared.logs import Log
from shared.s3_events import Malformed

DYNAMODB, EVENTS, SQS = clients.make("dynamodb", "events", "sqs")

METRICS = {
    "counted": "ShelvesCounted",
    "waits": "ShelvesIncomplete",
    "wanted": "ShelfPicturesWanted",
    "repeated": "ShelfPicturesRepeated",
    "late": "ShelfPicturesLate",
}
MALFORMED = "ShelfPicturesMalformed"
FAILED = "ShelfPicturesFailed"


def handler(event: Mapping[str, Any], context: Any) -> batch.Answer:
    """Count the shelf pictures that a batch of messages tells of.

    Returns the partial batch response: the ids of the messages that are to come back.
    """
    log = Log(os.environ["ENVIRONMENT"], {"request_id": str(context.aws_request_id)})
    return batch.run(event, Counter(_flow(), SQS, os.environ["QUEUE_URL"], log).process)


@cache
def _flow() -> CountedFlow:
    told = os.environ
    keep = settings.record_seconds(told)
    return CountedFlow(
        dynamodb=DYNAMODB,
        events=EVENTS,
        readings=Readings(DYNAMODB, settings.required(told, "TABLE"), keep),
        results=settings.required(told, "RESULTS_TABLE"),
        prefix=settings.required(told, "PREFIX"),
        bus=settings.required(told, "EVENT_BUS"),
        rules=settings.rules(told),
        clock=Clock(),
    )


@dataclass(frozen=True)
class Counter:
    """Processes the messages of one invocation; safe to share between threads."""

    flow: CountedFlow
    sqs: Any
    queue_url: str
    log: Log

    def process(self, message: Message) -> bool:
        """Process one message; return whether it is done with."""
        log = self.log.bind(message_id=message.id, receives=message.receives)
        try:
            outcome = self.flow.run(message.body)
        except Malformed as error:
            batch.give_up(self.sqs, self.queue_url, message)
            log.error("message is malformed", {MALFORMED: 1}, reason=str(error))
            return False
        except Exception as error:
            # It comes back when its visibility time-out ends.
            log.error("message failed", {FAILED: 1}, error=code_of(error), reason=str(error))
            return False
        log.info("shelf picture read", {METRICS[outcome]: 1}, decision=outcome)
        return True
