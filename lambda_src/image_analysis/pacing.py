"""Calls at an even pace, so that an account's quota is used and not overrun.

Each execution environment gets its share of the quota. Calls are spaced by 1/pace seconds; the
time in which none was asked for (between two batches, say) is made good afterwards, up to
`catch_up` seconds of it. Over any stretch of T seconds at most
`pace * (T + catch_up) + 1` calls start.
"""

import threading
from collections.abc import Callable

from shared.clock import Clock
from shared.errors import OutOfTime

CATCH_UP_SECONDS = 0.5


class Pacer:
    """Spaces the calls of one operation; safe to share between threads.

    pace: calls a second. catch_up: seconds of unused pace that may be made good. An idle
    environment starts with no credit, since many may start at once.
    """

    def __init__(self, pace: float, clock: Clock, catch_up: float = CATCH_UP_SECONDS) -> None:
        self.interval = 1.0 / pace
        self.catch_up = catch_up
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.monotonic()

    def wait(self, seconds_left: Callable[[], float]) -> None:
        """Wait for this call's turn.

        seconds_left: how long the caller may wait. Raises OutOfTime, and takes no turn, if its
        turn would come later than that.
        """
        pause = self._take_turn(seconds_left())
        if pause > 0:
            self._clock.sleep(pause)

    def _take_turn(self, patience: float) -> float:
        with self._lock:
            now = self._clock.monotonic()
            turn = max(self._next, now - self.catch_up)
            pause = turn - now
            if pause > patience:
                raise OutOfTime("this call's turn comes after the invocation's end", pause)
            self._next = turn + self.interval
            return pause
