"""The clock of a function, as a value, so that tests can turn it by hand."""

import time as system
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Where the time comes from.

    time: seconds since the epoch. monotonic: seconds that never go back. sleep: waits seconds.
    """

    time: Callable[[], float] = system.time
    monotonic: Callable[[], float] = system.monotonic
    sleep: Callable[[float], None] = system.sleep

    def iso(self) -> str:
        """Return the present moment in ISO 8601, UTC, to the millisecond."""
        return iso(self.time())


def iso(seconds: float) -> str:
    """Return a moment, in seconds since the epoch, in ISO 8601, UTC, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
