"""Whether a model is wanted, and what follows from that: decided from what is, not from what was.

A sweep reads which versions run and until when the model is wanted, and remembers nothing. So a
sweep that is cut off, comes twice or starts a model and dies leaves nothing that the next one does
not put right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.dynamodb import Fields

RUNNING = "RUNNING"
STARTING = "STARTING"
# "ProjectVersionDescription", Status. FAILED: it could not be started, so it may be tried again.
STARTABLE = frozenset({"TRAINING_COMPLETED", "STOPPED", "FAILED"})


@dataclass(frozen=True)
class Model:
    """A model as configured.

    project: ARN of its project. lease_seconds: how long it runs on after its last use. units,
    most_units: inference units at least, and up to how many under load.
    """

    name: str
    project: str
    lease_seconds: float
    units: int
    most_units: int | None = None

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any]) -> "Model":
        """Read a model's part of the variable MODELS."""
        most = given.get("most_units")
        return cls(
            name=name,
            project=str(given["project"]),
            lease_seconds=60 * float(given["lease_minutes"]),
            units=int(given["units"]),
            most_units=None if most is None else int(most),
        )


@dataclass(frozen=True)
class Version:
    """A version of a model: its ARN and Rekognition's status of it."""

    arn: str
    status: str


@dataclass(frozen=True)
class Step:
    """What is to be done to a version."""

    action: Literal["start", "stop"]
    version: Version


def is_wanted(model: Model, state: Fields, needed: bool, now: float) -> bool:
    """Whether a model is to run.

    state: its item in the table. needed: whether work waits for it. now: epoch seconds.
    """
    until = max(
        float(state.get("lease_until", 0)), float(state.get("used_at", 0)) + model.lease_seconds
    )
    return needed or until > now


def steps(versions: Sequence[Version], live: str | None, wanted: bool) -> Iterator[Step]:
    """Yield what brings a model's versions to where they should be.

    live: ARN of the version that is to answer. A version that is starting cannot be stopped
    ("StopProjectVersion" takes a running one): a later sweep finds it running, and stops it then.
    """
    for version in versions:
        right = wanted and version.arn == live
        if right and version.status in STARTABLE:
            yield Step("start", version)
        elif not right and version.status == RUNNING:
            yield Step("stop", version)
