"""What the two functions are told by their environment variables."""

import json
from collections.abc import Mapping
from typing import Any

from retail.counting import Rules

SECONDS_A_DAY = 86_400


class Misconfigured(ValueError):
    """A variable is missing or does not hold what it must."""


def required(variables: Mapping[str, str], name: str) -> str:
    """Return a variable that must be there."""
    value = variables.get(name, "")
    if not value:
        raise Misconfigured(f"the environment variable {name} is missing or empty")
    return value


def record_seconds(variables: Mapping[str, str]) -> int | None:
    """Return how long a record is kept; None for ever. RECORD_DAYS holds days, or nothing."""
    days = variables.get("RECORD_DAYS", "")
    return round(float(days) * SECONDS_A_DAY) if days else None


def rules(variables: Mapping[str, str]) -> Rules:
    """Return how boxes are counted: the fields of `Rules` as JSON in the variable RULES."""
    try:
        told: dict[str, Any] = json.loads(required(variables, "RULES"))
        return Rules(**told)
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"RULES: {error}") from error
