"""When the jobs of a stored video are looked at."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ArgumentErrors

EVENTS_A_LOOK = 9
"""Entries of one look in an execution's history: a task, a choice and a wait."""
MOST_EVENTS = 25_000
"""Entries in an execution's history ("Step Functions service quotas")."""
KEPT_FOR_RETRIES = 2_500
"""Entries that tries again may take."""


@dataclass(frozen=True, kw_only=True)
class VideoPolling:
    """How often a video's jobs are looked at, and for how long.

    A look comes after a twentieth of the time that has passed, within these bounds.

    Args:
        first_seconds: Between the first looks, 5 to 300 s.
        most_seconds: Between two looks at most, up to 600 s.
        give_up_hours: When an execution gives up, 1 to 336 h. Amazon Rekognition keeps results
            for 7 days; an execution that waits for its turn may take longer.
    """

    first_seconds: int = 30
    most_seconds: int = 300
    give_up_hours: int = 168

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it."""
        errors.between("polling.first_seconds", self.first_seconds, 5, 300, unit="s")
        errors.between("polling.most_seconds", self.most_seconds, self.first_seconds, 600, unit="s")
        errors.between("polling.give_up_hours", self.give_up_hours, 1, 336, unit="h")
        entries = EVENTS_A_LOOK * self.looks()
        errors.require(
            entries <= MOST_EVENTS - KEPT_FOR_RETRIES,
            f"polling: looking every {self.first_seconds} to {self.most_seconds} s for "
            f"{self.give_up_hours} h makes about {entries:,} entries in the execution's history, "
            f"allowed are {MOST_EVENTS - KEPT_FOR_RETRIES:,}",
        )

    def looks(self) -> int:
        """How many looks there are at most."""
        elapsed, looks, first = 0.0, 0, max(1, self.first_seconds)
        while elapsed < 3600 * self.give_up_hours and looks <= MOST_EVENTS:
            elapsed += min(self.most_seconds, max(first, elapsed / 20))
            looks += 1
        return looks
