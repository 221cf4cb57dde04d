"""How a function gets its settings: by a variable, or by a file beside its code."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk

from .errors import ArgumentErrors

SETTINGS_FILE = "settings.json"
MOST_IN_VARIABLES_BYTES = 3_000
"""Settings beyond it lie beside the code: variables take 4 KB in all ("Lambda quotas")."""
MOST_SETTINGS_BYTES = 1_048_576


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """Settings as a function gets them.

    In the function's own code a file goes live with it and is rolled back with it, and reading it
    takes no permission and no call.

    Args:
        variables: Its variable ``SETTINGS`` or ``SETTINGS_FILE``.
        files: The file, if there is one.
    """

    variables: dict[str, str]
    files: dict[str, str] | None

    @classmethod
    def of(cls, settings: str, errors: ArgumentErrors, *, what: str) -> FunctionSettings:
        """The settings of a function.

        Args:
            settings: As JSON.
            errors: Hears of what is wrong with them.
            what: The arguments that they come from, for the errors.
        """
        size = len(settings.encode())
        large = size > MOST_IN_VARIABLES_BYTES
        errors.require(
            not large or not cdk.Token.is_unresolved(settings),
            f"{what}: {size:,} bytes with values that only a deployment knows; allowed are "
            f"{MOST_IN_VARIABLES_BYTES:,} with such values",
        )
        errors.require(
            size <= MOST_SETTINGS_BYTES,
            f"{what}: {size:,} bytes, allowed are {MOST_SETTINGS_BYTES:,}",
        )
        if large:
            return cls(variables={"SETTINGS_FILE": SETTINGS_FILE}, files={SETTINGS_FILE: settings})
        return cls(variables={"SETTINGS": settings}, files=None)
