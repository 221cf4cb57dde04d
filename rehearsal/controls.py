"""What a test or a bench can do to a stand-in service: errors, latency, quota, counting.

One `Controls` a service. Nothing here knows which service it is.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.aws_json import ServiceError

THROTTLED = "throttled"
# Errors that every AWS API may answer with ("Common error types", service API references).
COMMON_ERRORS = {
    "ThrottlingException": 400,
    "AccessDeniedException": 400,
    "ValidationException": 400,
    "ServiceUnavailable": 503,
    "InternalFailure": 500,
}


class TokenBucket:
    """A quota of calls a second, with a burst of one second's worth.

    Args:
        per_second: calls a second, more than 0.
        clock: seconds that only grow.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        if per_second <= 0:
            raise ValueError(f"a quota is more than 0 calls a second, given {per_second}")
        self.per_second = per_second
        self._capacity = max(per_second, 1.0)
        self._tokens = self._capacity
        self._clock = clock
        self._at = clock()

    def take(self) -> bool:
        """Take one call out of the bucket; False if there is none."""
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * self.per_second)
        self._at = now
        if self._tokens < 1.0 - 1e-9:  # what rounding takes away is not owed
            return False
        self._tokens -= 1.0
        return True


@dataclass
class Fault:
    """An error to answer with: `left` times, or until it is cleared (None)."""

    code: str
    status: int
    left: int | None


@dataclass
class Tally:
    """How the calls of one operation ended, and when (epoch seconds) the first and last did."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    first: dict[str, float] = field(default_factory=dict[str, float])
    last: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, outcome: str, now: float) -> None:
        """Count one call."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        self.first.setdefault(outcome, now)
        self.last[outcome] = now

    def as_json(self) -> dict[str, Any]:
        """The tally as the control API gives it."""
        return {"counts": self.counts, "first": self.first, "last": self.last}


class Controls:
    """Errors, latency, quota and counts by operation of one service."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = {}
        self._latency: dict[str, float] = {}
        self._quota: dict[str, TokenBucket] = {}
        self._tally: dict[str, Tally] = {}

    def clear(self) -> None:
        """Forget everything, counts included."""
        for table in (self._faults, self._latency, self._quota, self._tally):
            table.clear()

    def fail(self, operation: str, code: str, status: int, times: int | None) -> None:
        """Answer with an error: `times` times, or until cleared."""
        self._faults.setdefault(operation, []).append(Fault(code, status, times))

    def heal(self, operation: str) -> None:
        """Take back every error of one operation."""
        self._faults.pop(operation, None)

    def latency(self, operation: str, seconds: float) -> None:
        """Let each admitted call of an operation take so long; 0 takes it back."""
        self._latency[operation] = seconds

    def quota(self, operation: str, per_second: float | None) -> None:
        """Throttle an operation above so many calls a second; None takes it back."""
        if per_second is None:
            self._quota.pop(operation, None)
        else:
            self._quota[operation] = TokenBucket(per_second)

    async def admit(self, operation: str) -> None:
        """Let a call in: throttle, fail or slow it down, in this order."""
        bucket = self._quota.get(operation)
        if bucket is not None and not bucket.take():
            raise Throttled
        fault = self._next_fault(operation)
        if fault is not None:
            raise ServiceError(fault.code, "an error asked for by the rehearsal", fault.status)
        seconds = self._latency.get(operation, 0.0)
        if seconds:
            await asyncio.sleep(seconds)

    def _next_fault(self, operation: str) -> Fault | None:
        waiting = self._faults.get(operation)
        if not waiting:
            return None
        fault = waiting[0]
        if fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                waiting.pop(0)
        return fault

    def record(self, operation: str, outcome: str) -> None:
        """Count one call that has ended."""
        self._tally.setdefault(operation, Tally()).add(outcome, time.time())

    def calls(self) -> dict[str, dict[str, Any]]:
        """The tally of each operation."""
        return {name: tally.as_json() for name, tally in self._tally.items()}


class Throttled(ServiceError):
    """The quota's own refusal: ThrottlingException, counted apart from one that was asked for."""

    def __init__(self) -> None:
        super().__init__("ThrottlingException", "Rate exceeded", 400)
        self.outcome = THROTTLED


def error_status(error: str | int, documented: Mapping[str, int]) -> tuple[str, int]:
    """The code and HTTP status of an error to inject.

    Args:
        error: a documented error's name, or 500, 502, 503 or 504 for a bare HTTP failure.
        documented: the operation's own errors and their statuses.

    Raises:
        ValueError: the operation cannot answer so.
    """
    if isinstance(error, int):
        if error not in (500, 502, 503, 504):
            raise ValueError(f"as a bare status only 500, 502, 503, 504 are known, given {error}")
        return "", error
    known = {**COMMON_ERRORS, **documented}
    if error not in known:
        raise ValueError(f"no such error: {error!r}; allowed are {', '.join(sorted(known))}")
    return error, known[error]
