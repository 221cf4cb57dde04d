"""A model version's life: which status follows which, and when."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.aws_json import ServiceError

Fields = dict[str, Any]
STARTABLE = ("TRAINING_COMPLETED", "STOPPED", "FAILED")
DELETABLE = (*STARTABLE, "TRAINING_FAILED")


@dataclass
class Times:
    """Seconds that a training, a start and a stop take."""

    training: float = 0.5
    start: float = 0.5
    stop: float = 0.2


@dataclass(frozen=True)
class Script:
    """What a training comes to: F1, recall by label; or, where `failure` is told, why it failed."""

    f1: float = 0.0
    recalls: dict[str, float] = field(default_factory=dict[str, float])
    failure: str = ""


@dataclass
class Version:
    """One version of a project.

    given: the request that made it. finish: called once when its training is over.
    """

    name: str
    arn: str
    given: Fields
    created: float
    status: str = "TRAINING_IN_PROGRESS"
    tags: dict[str, str] = field(default_factory=dict[str, str])
    told: Fields = field(default_factory=dict[str, Any])
    after: str = ""
    due: float = 0.0

    def becomes(self, status: str, after: str = "", seconds: float = 0.0) -> None:
        """Take a status now, and the one after it when so many seconds have passed."""
        self.status, self.after, self.due = status, after, time.time() + seconds

    def advance(self) -> bool:
        """Take the status that is due; return whether one was."""
        if not self.after or time.time() < self.due:
            return False
        self.becomes(self.after)
        return True

    def start(self, least: int, most: int | None, seconds: float) -> None:
        """Begin to run. ServiceError while it is neither stopped nor trained."""
        self._require(STARTABLE, "started")
        units = {"MinInferenceUnits": least}
        self.told |= units if most is None else {**units, "MaxInferenceUnits": most}
        self.becomes("STARTING", "RUNNING", seconds)

    def stop(self, seconds: float) -> None:
        """Begin to stop. ServiceError unless it runs: not while it is only starting."""
        self._require(("RUNNING",), "stopped")
        self.becomes("STOPPING", "STOPPED", seconds)

    def require_deletable(self) -> None:
        """ServiceError while it runs, or is being changed."""
        self._require(DELETABLE, "deleted")

    def _require(self, allowed: tuple[str, ...], what: str) -> None:
        if self.status not in allowed:
            raise ServiceError(
                "ResourceInUseException",
                f"{self.arn} is {self.status} and cannot be {what}; allowed are "
                f"{', '.join(allowed)}",
            )

    def described(self) -> Fields:
        """What DescribeProjectVersions says of it."""
        given = {
            name: self.given[name] for name in ("OutputConfig", "KmsKeyId") if name in self.given
        }
        return {
            "ProjectVersionArn": self.arn,
            "CreationTimestamp": self.created,
            "Status": self.status,
            "Feature": "CUSTOM_LABELS",
            **given,
            **self.told,
        }


@dataclass
class Project:
    """A project with its versions by name."""

    name: str
    arn: str
    created: float
    tags: dict[str, str]
    versions: dict[str, Version] = field(default_factory=dict[str, Version])


Write = Callable[[str, str, bytes], None]
