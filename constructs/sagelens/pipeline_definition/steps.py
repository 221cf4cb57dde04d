"""The steps of a pipeline.

Source: "Pipeline steps", "Caching pipeline steps" and "Retry Policy for Pipeline Steps" (Amazon
SageMaker AI).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .values import Value

StepType = Literal["Processing", "Training", "Tuning", "Lambda", "RegisterModel", "Fail"]
Comparison = Literal[
    "Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"
]


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file of a processing step's that other steps read values from.

    Attributes:
        name: What they call it.
        output: The step's output that it lies in.
        path: Where in the output.
    """

    name: str
    output: str
    path: str

    def document(self) -> dict[str, str]:
        """Its entry in the definition."""
        return {"PropertyFileName": self.name, "OutputName": self.output, "FilePath": self.path}


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """After which errors a step is tried again, and how often.

    Attributes:
        exceptions: Such as ``SageMaker.CAPACITY_ERROR``.
        interval_seconds: Time before the first attempt, 1 to 43,200 s.
        backoff: By what it grows with each.
        attempts: How many, 1 to 20; or
        minutes: For how long, 1 to 14,400 min. One of the two.
    """

    exceptions: Sequence[str]
    interval_seconds: int
    backoff: float
    attempts: int | None = None
    minutes: int | None = None

    def document(self) -> dict[str, Any]:
        """Its entry in the definition."""
        limit = (
            {"MaxAttempts": self.attempts} if self.attempts else {"ExpireAfterMin": self.minutes}
        )
        return {
            "ExceptionType": list(self.exceptions),
            "IntervalSeconds": self.interval_seconds,
            "BackoffRate": self.backoff,
            **limit,
        }


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        name: Letters, digits, ``-`` and ``_``, 64 at most.
        type: What it does.
        arguments: The request that AWS makes of it, without the job's name.
        description: What it does, for people.
        depends_on: Steps that come before it, besides those that it takes values from.
        property_files: JSON files that others read values from.
        cache_days: Days in which an equal step is not run again; None: always run.
        retries: When it is tried again.
        function_arn: The function that a Lambda step calls.
        outputs: Names of the texts that the function answers.
    """

    name: str
    type: StepType
    arguments: Mapping[str, Any]
    description: str = ""
    depends_on: Sequence[str] = ()
    property_files: Sequence[PropertyFile] = ()
    cache_days: int | None = None
    retries: Sequence[RetryPolicy] = ()
    function_arn: str | None = None
    outputs: Sequence[str] = ()

    @property
    def values(self) -> Value:
        """Whatever may hold references to other steps."""
        return self.arguments

    def children(self) -> Iterator[tuple[str, AnyStep]]:
        """Its inner steps, each with the branch that it is in."""
        yield from ()

    def document(self) -> dict[str, Any]:
        """Its entry in the definition."""
        document: dict[str, Any] = {"Name": self.name, "Type": self.type}
        if self.description:
            document["Description"] = self.description
        document["Arguments"] = dict(self.arguments)
        if self.function_arn is not None:
            document["FunctionArn"] = self.function_arn
            document["OutputParameters"] = [
                {"OutputName": name, "OutputType": "String"} for name in self.outputs
            ]
        if self.property_files:
            document["PropertyFiles"] = [file.document() for file in self.property_files]
        if self.depends_on:
            document["DependsOn"] = list(self.depends_on)
        if self.cache_days is not None:
            document["CacheConfig"] = {"Enabled": True, "ExpireAfter": f"P{self.cache_days}D"}
        if self.retries:
            document["RetryPolicies"] = [policy.document() for policy in self.retries]
        return document


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A step that compares two values, and does one thing or another.

    Attributes:
        name: As of any step.
        comparison: How the values are compared.
        left: One value.
        right: The other.
        then: Steps to do if it holds.
        otherwise: Steps to do if not.
        description: What it decides, for people.
        depends_on: As of any step.
    """

    name: str
    comparison: Comparison
    left: Value
    right: Value
    then: Sequence[Step]
    otherwise: Sequence[Step] = ()
    description: str = ""
    depends_on: Sequence[str] = ()
    type: Literal["Condition"] = field(default="Condition", init=False)

    @property
    def values(self) -> Value:
        """Whatever may hold references to other steps."""
        return [self.left, self.right]

    def children(self) -> Iterator[tuple[str, AnyStep]]:
        """Its inner steps, each with the branch that it is in."""
        yield from ((f"{self.name}.then", child) for child in self.then)
        yield from ((f"{self.name}.otherwise", child) for child in self.otherwise)

    def document(self) -> dict[str, Any]:
        """Its entry in the definition."""
        compared = {"Type": self.comparison, "LeftValue": self.left, "RightValue": self.right}
        document: dict[str, Any] = {"Name": self.name, "Type": self.type}
        if self.description:
            document["Description"] = self.description
        document["Arguments"] = {
            "Conditions": [compared],
            "IfSteps": [child.document() for child in self.then],
            "ElseSteps": [child.document() for child in self.otherwise],
        }
        if self.depends_on:
            document["DependsOn"] = list(self.depends_on)
        return document


AnyStep = Step | Condition
