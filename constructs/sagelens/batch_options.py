"""What a batch's records are, and how far its job may go: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .algorithms.instances import INSTANCE_TYPE
from .errors import ArgumentErrors

MOST_AT_ONCE_MB = 100
"""``MaxConcurrentTransforms`` times ``MaxPayloadInMB`` ("CreateTransformJob")."""


@dataclass(frozen=True, kw_only=True)
class BatchRecords:
    """What a batch's files hold, and what becomes of them.

    Every record is a line. A header line would be sent as a record, so files have none. Filters
    are JSONPaths over a record's columns: ``$`` is all of it, ``$[1:]`` all but the first.

    Source: "Associate Prediction Results with Input BatchRecords" (Amazon SageMaker AI).

    Args:
        content_type: Form of the input.
        accept: Form of the answers; joined CSV needs ``text/csv``.
        sent: Which of a record's columns the model gets, such as ``$[1:]`` without an identifier.
        joined: Whether each answer is written behind its record.
        kept: Which columns of that are written, such as ``$[0,-1]``: identifier and answer.
    """

    content_type: str = "text/csv"
    accept: str = "text/csv"
    sent: str = "$"
    joined: bool = True
    kept: str = "$"


@dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """What a batch runs on, and how far it may go.

    Args:
        instance_type: Such as ``ml.m5.large``.
        instance_count: Instances among which the files are shared, 1 to 100.
        payload_mb: Most MB of a request, 1 to 100.
        concurrent: Requests at a time to an instance, 1 or more; with ``payload_mb`` 100 MB.
        batched: Whether as many records go in one request as fit, or one.
        answer_seconds: Longest time for an answer, 1 to 3,600 s.
        retries: Tries of a request that failed, 0 to 3.
        max_seconds: The job is stopped after so many seconds, 60 to 432,000 (5 days).
    """

    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    payload_mb: int = 6
    concurrent: int = 1
    batched: bool = True
    answer_seconds: int = 600
    retries: int = 3
    max_seconds: int = 14_400

    @property
    def strategy(self) -> Literal["MultiRecord", "SingleRecord"]:
        """``BatchStrategy``."""
        return "MultiRecord" if self.batched else "SingleRecord"

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it."""
        errors.require(
            bool(INSTANCE_TYPE.fullmatch(self.instance_type)),
            f"limits.instance_type: got {self.instance_type!r}, allowed is one such as "
            "'ml.m5.large'",
        )
        errors.between("limits.instance_count", self.instance_count, 1, 100)
        errors.between("limits.payload_mb", self.payload_mb, 1, MOST_AT_ONCE_MB, unit="MB")
        errors.between("limits.concurrent", self.concurrent, 1, MOST_AT_ONCE_MB)
        errors.require(
            self.concurrent * self.payload_mb <= MOST_AT_ONCE_MB,
            f"limits: got {self.concurrent} requests of {self.payload_mb} MB, allowed are "
            f"{MOST_AT_ONCE_MB} MB at a time",
        )
        errors.between("limits.answer_seconds", self.answer_seconds, 1, 3600, unit="s")
        errors.between("limits.retries", self.retries, 0, 3)
        errors.between("limits.max_seconds", self.max_seconds, 60, 432_000, unit="s")
