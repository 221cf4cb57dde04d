"""The function's environment variables, read once and typed.

The settings proper are JSON: in the variable SETTINGS, or, where they are too large for Lambda's
4 KB of variables, in a file beside the code that SETTINGS_FILE names.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from image_analysis import analyses, planning
from image_analysis.analyses import Analysis
from image_analysis.custom_models import ARGUMENT, is_name
from shared import policy, settings
from shared.policy import Policy


@dataclass(frozen=True)
class Retry:
    """Seconds until a failed message is seen again: the first time, at most, and after a
    denial."""

    first: float
    most: float
    denied: float


@dataclass(frozen=True)
class Saving:
    """Answers to be used again for the same bytes: for how many seconds, None for not at all, and
    what the calls for one image cost, in US dollars."""

    seconds: float | None
    image_price: float


@dataclass(frozen=True)
class Settings:
    """Everything that the function is told.

    results_bucket: for results that are too large for a record. record_seconds: how long a record
    is kept, None for ever. pace: calls a second of each operation for one execution environment.
    models_table: of Custom Labels models, None if no analysis names one. models: their names.
    fingerprint: 16 hex digits that change when the analyses, their versions or the policy do; pace,
    retry and saving leave it as it is.
    """

    table: str
    bus: str
    queue_url: str
    results_bucket: str | None
    environment: str
    record_seconds: int | None
    analyses: tuple[Analysis, ...]
    policy: Policy
    pace: Mapping[str, float]
    retry: Retry
    saving: Saving
    fingerprint: str
    models_table: str | None = None
    models: tuple[str, ...] = ()


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
        retry = Retry(*(float(data["retry"][name]) for name in ("first", "most", "denied")))
        pace = {each: float(data["pace"][each]) for each in planning.operations(loaded)}
    except KeyError as error:
        raise ValueError(f"SETTINGS: {error.args[0]!r} is missing") from error
    _check(loaded, rules, pace)
    return Settings(
        table=settings.required(variables, "RESULTS_TABLE"),
        bus=settings.required(variables, "EVENT_BUS"),
        queue_url=settings.required(variables, "QUEUE_URL"),
        results_bucket=variables.get("RESULTS_BUCKET") or None,
        environment=settings.required(variables, "ENVIRONMENT"),
        record_seconds=settings.record_seconds(variables),
        analyses=loaded,
        policy=rules,
        pace=pace,
        retry=retry,
        saving=_saving(data.get("reuse") or {}),
        fingerprint=settings.fingerprint(data, {each.name: each.version for each in loaded}),
        models_table=variables.get("MODELS_TABLE") or None,
        models=_models(loaded),
    )


def _saving(data: Mapping[str, Any]) -> Saving:
    days = data.get("days")
    return Saving(
        seconds=None if days is None else float(days) * settings.SECONDS_A_DAY,
        image_price=float(data.get("image_price", 0)),
    )


def fingerprint_of(variables: Mapping[str, str]) -> str:
    """Return the fingerprint of the settings that `variables` hold. Raises ValueError."""
    data = settings.document(variables)
    try:
        loaded = analyses.load(data["analyses"])
        return settings.fingerprint(data, {each.name: each.version for each in loaded})
    except KeyError as error:
        raise ValueError(f"SETTINGS: {error.args[0]!r} is missing") from error


def _models(loaded: tuple[Analysis, ...]) -> tuple[str, ...]:
    """The Custom Labels models that the analyses name, each once."""
    given = [call.arguments.get(ARGUMENT) for each in loaded for call in each.calls]
    return tuple(dict.fromkeys(model for model in given if model and is_name(model)))


def _check(loaded: tuple[Analysis, ...], rules: Policy, pace: Mapping[str, float]) -> None:
    if not loaded:
        raise ValueError("SETTINGS: analyses is empty; at least one is needed")
    for analysis in loaded:
        if analysis.name not in rules:
            raise ValueError(f"SETTINGS: policy has no rules for the analysis {analysis.name!r}")
    for operation, calls in pace.items():
        if calls <= 0:
            raise ValueError(f"SETTINGS: pace.{operation} is {calls}; it must be above 0")
