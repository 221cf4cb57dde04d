"""How fast a queue of images is worked off, and when what failed is tried again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

SMALLEST_DEFAULT_QUOTA = 5.0
"""Calls a second that Amazon Rekognition grants a new account in most Regions."""

_MOST_IN_A_BATCH = 10
_QUOTA_SHARE = 0.96  # room for calls that the service counts into the neighbouring second
# A worker waits for the last call of a batch before it takes the next batch. At up to so many
# calls a second the turns that pass meanwhile are few, and it makes them good: with calls of one
# second some 95 % of its share is used.
_CALLS_OF_A_WORKER = 2.5
_FEWEST_WORKERS, _MOST_WORKERS = 2, 1000  # bounds of an event source's maximum concurrency
LEAST_SHARE, MOST_SHARE = 0.2, 0.8
"""What a backfill may be given of the quotas: beyond them one side had too few workers."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a message that failed is tried again.

    Args:
        first_seconds: Longest wait after the first failure; it doubles with each further one.
        most_seconds: Longest wait of all.
        denied_seconds: Wait after a denied call: it outlasts the mending of a policy, so that
            a wrong permission does not carry the queue into the dead-letter queue.
    """

    first_seconds: int = 5
    most_seconds: int = 300
    denied_seconds: int = 900


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How one account's quotas are shared by the function's execution environments.

    Args:
        workers: Execution environments at work at once.
        batch: Messages that one takes at a time.
        calls: Calls a second of each operation for one execution environment.
        backfill_workers: Execution environments that work off a backfill besides.
        backfill_images: Images a second of a backfill.
    """

    workers: int
    batch: int
    calls: Mapping[str, float]
    backfill_workers: int = 0
    backfill_images: float = 0

    @classmethod
    def of(
        cls,
        quotas: Mapping[str, float],
        *,
        timeout_seconds: float,
        calls_an_image: Mapping[str, int] | None = None,
        backfill_share: float | None = None,
    ) -> Pace:
        """Share out the quotas so that a backlog fills them and hardly any call is refused.

        Workers are as many as the smallest quota keeps busy, and each keeps to its share; the
        messages of a batch are worked on side by side. A backfill gets its share in whole
        workers.

        Args:
            quotas: Calls a second of each operation, for the whole account and Region.
            timeout_seconds: The function's time-out; a batch is kept to half of it.
            calls_an_image: How often each operation is called for one image; once where not
                given.
            backfill_share: What a backfill gets of the quotas, 0.2 to 0.8; None: there is none.

        Raises:
            ValueError: If not even one call fits into half of the time-out.
        """
        times = {name: (calls_an_image or {}).get(name, 1) for name in quotas}
        # Images a second that each operation's quota serves; the smallest sets the pace.
        images = {name: quota / times[name] for name, quota in quotas.items()}
        operation, smallest = min(images.items(), key=lambda item: item[1])
        workers = math.ceil(smallest * _QUOTA_SHARE / _CALLS_OF_A_WORKER)
        workers = min(max(workers, _fewest(backfill_share)), _MOST_WORKERS)
        calls = {
            name: float(f"{quota * _QUOTA_SHARE / workers:.4g}")
            for name, quota in sorted(quotas.items())
        }
        fits = math.floor(min(calls[name] / times[name] for name in calls) * timeout_seconds / 2)
        if fits < 1:
            often = f", {times[operation]} of them an image," if times[operation] > 1 else ""
            raise ValueError(
                f"quotas: {operation} at {quotas[operation]:g} calls a second{often} leaves each "
                f"of {workers} workers no call in half of the time-out of {timeout_seconds:g} s; "
                "a longer time-out or a higher quota does"
            )
        backfill = 0 if backfill_share is None else round(workers * backfill_share)
        return cls(
            workers=workers - backfill,
            batch=min(_MOST_IN_A_BATCH, fits),
            calls=calls,
            backfill_workers=backfill,
            backfill_images=smallest * _QUOTA_SHARE * backfill / workers,
        )


def _fewest(backfill_share: float | None) -> int:
    """Workers of which either side gets as many as an event source needs."""
    if backfill_share is None:
        return _FEWEST_WORKERS
    return math.ceil(_FEWEST_WORKERS / min(backfill_share, 1 - backfill_share))
