"""Argument validation that reports everything at once."""

from __future__ import annotations

import aws_cdk as cdk


class ArgumentErrors:
    """Collects what is wrong with a construct's arguments and raises it once.

    Values that are CDK tokens are unknown until deployment; checks pass them.

    Args:
        subject: The construct and its id, as the reader knows them.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._problems: list[str] = []

    def require(self, holds: bool, problem: str) -> None:
        """Note ``problem`` unless ``holds``; say the argument, what was got, what is allowed."""
        if not holds:
            self._problems.append(problem)

    def between(
        self, argument: str, value: float, low: float, high: float, *, unit: str = ""
    ) -> None:
        """Note a number that lies outside ``low`` to ``high`` (both included)."""
        if cdk.Token.is_unresolved(value):
            return
        suffix = f" {unit}" if unit else ""
        self.require(
            low <= value <= high,
            f"{argument}: got {value:g}{suffix}, allowed are {low:g} to {high:g}{suffix}",
        )

    def throw(self) -> None:
        """Raise one :class:`ValueError` with every problem, or return if there is none."""
        if self._problems:
            raise ValueError("\n".join([f"{self._subject} cannot be made:", *self._problems]))
