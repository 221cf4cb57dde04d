"""When a failed message comes back, and the call that arranges it."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from image_analysis.settings import Retry
from shared import errors
from shared.batch import Message
from shared.errors import Busy, OutOfTime
from shared.s3_events import Malformed

# "ChangeMessageVisibility" in the Amazon SQS API reference.
MOST_SECONDS = 43_200


@dataclass(frozen=True)
class Retries:
    """Gives failed messages back to their queue for a while.

    queue_url: of a queue that the function works off; another is beside it, under its own name.
    chance: returns a number from 0 to its argument, evenly; tests fix it.
    """

    sqs: Any
    queue_url: str
    retry: Retry
    chance: Callable[[float], float] = lambda most: random.uniform(0, most)

    def seconds(self, error: Exception, receives: int) -> int:
        """Return for how many seconds a message that failed with `error` stays hidden.

        0 for what a wait cannot mend (a malformed message); until its turn for what had no time
        left, since coming sooner would only use up a receive. Denied, or waiting for a model
        that does not run: long, so that neither drains the queue into the dead-letter queue
        while people mend it. Else exponential backoff with full jitter.
        """
        if isinstance(error, Malformed):
            return 0
        if isinstance(error, OutOfTime):
            return math.ceil(error.seconds)
        if isinstance(error, Busy):
            return self._whole(self._until_free(error, receives))
        if errors.kind_of(error) in ("denied", "waiting"):
            return self._whole(self.retry.denied)
        return self._whole(self._backoff(receives))

    def give_back(self, message: Message, error: Exception) -> int | None:
        """Hide the message for as long as `seconds` says; return that.

        Returns None where the queue did not take it: the message then comes back when its
        visibility time-out ends, and the original failure is still the one to report.
        """
        seconds = self.seconds(error, message.receives)
        try:
            self.sqs.change_message_visibility(
                QueueUrl=self._url(message),
                ReceiptHandle=message.receipt,
                VisibilityTimeout=seconds,
            )
        except Exception:
            return None
        return seconds

    def _url(self, message: Message) -> str:
        if not message.queue:
            return self.queue_url
        return f"{self.queue_url.rpartition('/')[0]}/{message.queue}"

    def _until_free(self, error: Busy, receives: int) -> float:
        # The first time, soon: the other is most likely nearly done. Then not before its lease
        # ends, so that a long lease does not use up the message's receives.
        soon = self._backoff(receives)
        return min(soon, error.seconds) if receives == 1 else error.seconds + self.chance(1)

    def _backoff(self, receives: int) -> float:
        # 2^30 is beyond any limit already; the exponent is bounded to stay a small number.
        return self.chance(min(self.retry.most, self.retry.first * 2 ** min(receives - 1, 30)))

    def _whole(self, seconds: float) -> int:
        return min(MOST_SECONDS, max(1, math.ceil(seconds)))
