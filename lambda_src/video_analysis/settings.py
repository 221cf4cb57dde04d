"""The function's environment variables, read once and typed; the settings proper are JSON."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from shared import policy, settings
from shared.policy import Policy
from video_analysis import analyses
from video_analysis.analyses import Analysis


@dataclass(frozen=True)
class Polling:
    """Seconds between two looks at a video's jobs: at first, and at most."""

    first: float
    most: float

    def seconds(self, elapsed: float) -> int:
        """Return how long to wait for the next look, `elapsed` seconds after the first.

        A twentieth of the time that has passed, within the bounds: what takes hours need not be
        looked at twice a minute, and a state machine's history holds 25,000 entries only.
        """
        return round(min(self.most, max(self.first, elapsed / 20)))


@dataclass(frozen=True)
class Settings:
    """Everything that the function is told.

    record_seconds: how long a record is kept, None for ever. fingerprint: 16 hex digits that
    change when the analyses, their versions or the policy do.
    """

    table: str
    bus: str
    results_bucket: str
    environment: str
    record_seconds: int | None
    analyses: tuple[Analysis, ...]
    policy: Policy
    polling: Polling
    fingerprint: str


@cache
def current() -> Settings:
    """Return the settings of this execution environment, read on the first call."""
    return read(os.environ)


def read(variables: Mapping[str, str]) -> Settings:
    """Return the settings that `variables` hold. Raises ValueError naming the variable."""
    data = settings.document(variables)
    try:
        loaded = analyses.load(data["analyses"])
        rules = policy.read(data["policy"])
        polling = Polling(*(float(data["polling"][name]) for name in ("first", "most")))
    except KeyError as error:
        raise ValueError(f"SETTINGS: {error.args[0]!r} is missing") from error
    lacking = [each.name for each in loaded if each.name not in rules]
    if not loaded or lacking:
        missing = f"policy has no rules for {lacking}" if loaded else "analyses is empty"
        raise ValueError(f"SETTINGS: {missing}")
    return Settings(
        table=settings.required(variables, "RESULTS_TABLE"),
        bus=settings.required(variables, "EVENT_BUS"),
        results_bucket=settings.required(variables, "RESULTS_BUCKET"),
        environment=settings.required(variables, "ENVIRONMENT"),
        record_seconds=settings.record_seconds(variables),
        analyses=loaded,
        policy=rules,
        polling=polling,
        fingerprint=settings.fingerprint(data, {each.name: each.version for each in loaded}),
    )
