"""Metrics that a training job writes to its log, and how SageMaker reads them there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Goal = Literal["Maximize", "Minimize"]

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
"""A number in a log line, as the expressions of AWS's own XGBoost image catch it."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    Source: "MetricDefinition" (Amazon SageMaker API Reference): a name of at most 255 characters,
    a regular expression of at most 500 whose group is the value; "Define metrics and environment
    variables": metrics of built-in algorithms are defined already.

    Attributes:
        name: As CloudWatch and tuning jobs show it.
        goal: What is better, more or less; None: neither, it is only looked at.
        regex: What finds its value in a log line; None for a built-in algorithm.
    """

    name: str
    goal: Goal | None = None
    regex: str | None = None

    def definition(self) -> dict[str, str]:
        """The entry in ``MetricDefinitions``. Only for a metric that has an expression."""
        if self.regex is None:
            raise ValueError(f"{self.name}: a built-in algorithm defines its metrics itself")
        return {"Name": self.name, "Regex": self.regex}
