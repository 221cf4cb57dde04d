"""What settings of functions have in common: where they are read from, and their fingerprint."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

SECONDS_A_DAY = 86_400
CODE = Path(__file__).parent.parent


def document(variables: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the settings proper, which are JSON: in the variable SETTINGS, or, where they are too
    large for Lambda's 4 KB of variables, in a file beside the code that SETTINGS_FILE names.

    Raises ValueError naming the variable.
    """
    return _json(_text(variables))


def required(variables: Mapping[str, str], name: str) -> str:
    """Return a variable that must be there; ValueError naming it if it is not."""
    value = variables.get(name, "")
    if not value:
        raise ValueError(f"the environment variable {name} is missing or empty")
    return value


def record_seconds(variables: Mapping[str, str]) -> int | None:
    """Return how long a record is kept by RECORD_DAYS, None for ever."""
    days = variables.get("RECORD_DAYS", "")
    return round(float(days) * SECONDS_A_DAY) if days else None


def fingerprint(data: Mapping[str, Any], versions: Mapping[str, int]) -> str:
    """Return 16 hex digits of a hash of what decides a result.

    data: the settings, of which `analyses` and `policy` count. versions: of each analysis.
    """
    chosen = {"analyses": data["analyses"], "policy": data["policy"], "versions": dict(versions)}
    text = json.dumps(_plain(chosen), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    """The value with every number a float, so that 60 and 60.0 are the same setting."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[object]", value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _text(variables: Mapping[str, str]) -> str:
    file = variables.get("SETTINGS_FILE", "")
    if not file:
        return required(variables, "SETTINGS")
    try:
        return (CODE / file).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"SETTINGS_FILE: {file!r} cannot be read: {error.strerror}") from error


def _json(text: str) -> Mapping[str, Any]:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"SETTINGS is not JSON: {error}") from error
