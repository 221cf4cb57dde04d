"""The release state machine: what it does, step by step, as plain data.

``docs/hosting.md`` tells it in words and with a picture. Everything that can fail after the version
is written leads to :mod:`~sagelens.release_restore`; whatever happens, the lock is given back.
"""

from __future__ import annotations

from typing import Any

from .release_changes import pruning, testing, updating
from .release_checks import checking, locking
from .release_places import ReleasePlaces
from .release_restore import ending, restoring


def release_definition(places: ReleasePlaces, *, timeout_seconds: int) -> dict[str, Any]:
    """The whole state machine.

    Args:
        places: What it works with.
        timeout_seconds: After so long an execution is given up.
    """
    return {
        "Comment": f"Releases versions of {places.group} at {places.endpoint}",
        "StartAt": "Begin",
        "TimeoutSeconds": timeout_seconds,
        "States": {
            **locking(places),
            **checking(places),
            **updating(places),
            **testing(places),
            **pruning(places),
            **restoring(places),
            **ending(places),
        },
    }
