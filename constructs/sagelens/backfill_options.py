"""What a backfill may take: of the quotas, and from which folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .errors import ArgumentErrors
from .pace import LEAST_SHARE, MOST_SHARE
from .work_queue import QueueOptions

RUNS = "backfill/"
"""Folder of what backfills write: plans, which name objects, results and reports."""
RUN_DAYS = 90
"""As long as Step Functions keeps the history of an execution."""
INVENTORIES = "inventory/"
"""Folder of the inventories that a backfill may read."""
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, kw_only=True)
class BackfillShare:
    """How much of the image function a backfill gets.

    Args:
        quota_share: Its share of the quotas, 0.2 to 0.8, in whole workers. What arrives anew has
            the rest, whether or not a backfill runs.
        prefixes: Folders besides that of new images which it may take images from, such as
            ``archive/``.
    """

    quota_share: float = 0.5
    prefixes: Sequence[str] = ()

    def check(self, errors: ArgumentErrors, prefix: str) -> None:
        """Note what is wrong.

        Args:
            errors: Takes it down.
            prefix: The folder of new images.
        """
        errors.require(
            LEAST_SHARE <= self.quota_share <= MOST_SHARE,
            f"backfill.quota_share: got {self.quota_share:g}, allowed is {LEAST_SHARE:g} to "
            f"{MOST_SHARE:g}",
        )
        folders = [prefix]
        for each in self.prefixes:
            errors.require(
                each.endswith("/") and not each.startswith("/"),
                f"backfill.prefixes: got {each!r}, allowed is a folder such as 'archive/'",
            )
            errors.require(
                not any(each.startswith(other) or other.startswith(each) for other in folders),
                f"backfill.prefixes: got {each!r}, allowed is a folder apart from {folders}",
            )
            folders.append(each)

    def queue(self, options: QueueOptions) -> QueueOptions:
        """The options of the backfill's queue, from those of the queue of new images.

        A backfill waits for up to a quarter of the retention: it is late at half of it.
        """
        late = options.retention_days * MINUTES_A_DAY // 2
        return replace(options, backlog_alarm_minutes=late)
