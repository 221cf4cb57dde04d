"""How deep the backfill's queue is, and how long to wait for it."""

import math
from dataclasses import dataclass
from typing import Any

DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
MOST_SECONDS = 3_600
# The numbers are approximate, and settle within a minute ("Amazon SQS GetQueueAttributes").
QUIET_LOOKS = 2


@dataclass(frozen=True)
class Backlog:
    """The queue.

    deepest: messages beyond which nothing more is put in. pace: images a second that are taken
    out. least: seconds to wait at least.
    """

    sqs: Any
    url: str
    deepest: int
    pace: float
    least: int

    def depth(self) -> int:
        """Return how many messages wait or are being worked on."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(DEPTHS))
        return sum(int(answer["Attributes"][name]) for name in DEPTHS)

    def pause(self) -> int:
        """Return for how many seconds to put nothing in; 0: go on."""
        beyond = self.depth() - self.deepest
        return self._seconds(beyond) if beyond > 0 else 0

    def look(self, quiet: int) -> dict[str, Any]:
        """Return whether the queue is empty for good, and when to look again.

        quiet: how many looks in a row have found it empty so far.
        """
        depth = self.depth()
        quiet = 0 if depth else quiet + 1
        return {
            "depth": depth,
            "quiet": quiet,
            "empty": quiet >= QUIET_LOOKS,
            "seconds": self._seconds(depth),
        }

    def _seconds(self, messages: int) -> int:
        return min(MOST_SECONDS, max(self.least, math.ceil(messages / self.pace)))
