"""What the function is told by its environment variables."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

Mode = Literal["data", "event"]


class Misconfigured(ValueError):
    """A variable is missing or does not hold what it must."""


@dataclass(frozen=True)
class Settings:
    """One start of one pipeline.

    environment: the dimension of the metrics. queue_url: where the messages come from.
    mode: "data" starts at the end of each interval in which something came; "event" starts at
    once, but not again within the period. seconds: the interval or the period. pipeline: its
    name. schedule: name of its schedules, or what they begin with. group, role, key,
    dead_letters, target: the schedules' group by name, and the ARNs of their role, key,
    dead-letter queue and target. event: source, detail-type and model of the events of "event".
    """

    environment: str
    queue_url: str
    mode: Mode
    seconds: int
    pipeline: str
    schedule: str
    group: str
    role: str
    key: str
    dead_letters: str
    target: str
    event: Mapping[str, str]


@cache
def current() -> Settings:
    """Return the settings of this function; raises Misconfigured naming the variable."""
    return read(os.environ)


def read(variables: Mapping[str, str]) -> Settings:
    """Return the settings that variables hold: ENVIRONMENT, QUEUE_URL and, as JSON, START."""
    missing = [name for name in ("ENVIRONMENT", "QUEUE_URL", "START") if not variables.get(name)]
    if missing:
        raise Misconfigured(f"the function has no variable {', '.join(missing)}")
    try:
        start: Any = json.loads(variables["START"])
    except ValueError as error:
        raise Misconfigured(f"START is not JSON: {error}") from error
    if not isinstance(start, dict):
        raise Misconfigured("START is no JSON object")
    told = cast("dict[str, Any]", start)
    try:
        return Settings(
            environment=variables["ENVIRONMENT"], queue_url=variables["QUEUE_URL"], **told
        )
    except TypeError as error:
        raise Misconfigured(f"START: {error}") from error
