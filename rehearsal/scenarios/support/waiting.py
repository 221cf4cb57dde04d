"""Waiting with an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class NotInTime(Exception):
    """Something did not happen within the time given; the text says what."""


def until(
    probe: Callable[[], Found | None], what: str, seconds: float = 60, pause: float = 0.15
) -> Found:
    """Call `probe` until it returns something other than None or False, and return that.

    Args:
        probe: looks once.
        what: what is being waited for, for the error.
        seconds: how long to wait at most.
        pause: seconds between two looks.

    Raises:
        NotInTime: it did not happen.
    """
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found is not None and found is not False:
            return found
        if time.monotonic() >= end:
            raise NotInTime(f"waited {seconds:g} s for {what}, in vain")
        time.sleep(pause)
