"""Step caching ("Caching pipeline steps", SageMaker Developer Guide).

An earlier successful run of the same step of the same pipeline is taken if the attributes that
count are equal. What lies at an S3 URI is never looked at, here as there.
"""

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from rehearsal.sagemaker.pipelines.step_types import STEP_TYPES

DURATION = re.compile(
    r"P?(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?)?",
    re.IGNORECASE,
)
SECONDS = (365 * 86_400, 30 * 86_400, 7 * 86_400, 86_400, 3_600, 60)


def duration(text: str) -> float:
    """Seconds of an ISO 8601 duration as ExpireAfter takes it: P30D, PT1H, 30d, T16m, 30dT5h.

    Raises:
        ValueError: it is not one.
    """
    found = DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(
            f"{text!r} is not a duration; allowed are years, months, weeks, days, hours and "
            "minutes as in ISO 8601, for example P30D or PT1H"
        )
    pairs = zip(found.groups(), SECONDS, strict=True)
    return float(sum(int(count) * unit for count, unit in pairs if count))


def cache_key(step_type: str, step: str, arguments: Mapping[str, Any]) -> str:
    """What is equal for two runs of a step that can stand for each other.

    Args:
        step_type: says which attributes count.
        step: its name.
        arguments: with every expression resolved.
    """
    counted = {path: _at(arguments, path) for path in STEP_TYPES[step_type].cached}
    content = json.dumps([step_type, step, counted], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(document, Mapping):
            return None
        document = cast("Mapping[str, Any]", document).get(part)
    return document


@dataclass(frozen=True)
class CachedRun:
    """A successful run of a step.

    Attributes:
        execution_arn: that it belongs to.
        at: epoch seconds of its end.
        properties: that later steps may refer to.
        metadata: as ListPipelineExecutionSteps shows it.
    """

    execution_arn: str
    at: float
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass
class StepCache:
    """The successful runs of one pipeline's steps, the newest for each key."""

    _runs: dict[str, CachedRun] = field(default_factory=dict[str, CachedRun])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key: str, seconds: float, now: float) -> CachedRun | None:
        """The newest run that ended not longer ago than so many seconds."""
        with self._lock:
            run = self._runs.get(key)
        return run if run is not None and now - run.at <= seconds else None

    def keep(self, key: str, run: CachedRun) -> None:
        """Remember a run, unless a newer one is known."""
        with self._lock:
            known = self._runs.get(key)
            if known is None or known.at <= run.at:
                self._runs[key] = run
