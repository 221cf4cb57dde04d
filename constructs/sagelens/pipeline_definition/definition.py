"""A whole definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .graph import graph_problems
from .limits import (
    LONGEST_TEXT_DEFAULT,
    MOST_PARAMETERS,
    MOST_STEPS,
    PARAMETER_NAME,
    STEP_NAME,
)
from .parameters import Parameter
from .problems import DefinitionError
from .steps import AnyStep

VERSION = "2020-12-01"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The parameters and steps of a pipeline.

    Steps run as soon as those are done that they take values from or depend on; their order here
    is for the reader.

    Attributes:
        parameters: What an execution may vary.
        steps: What it does.
    """

    parameters: Sequence[Parameter]
    steps: Sequence[AnyStep]

    def document(self) -> dict[str, Any]:
        """The definition as AWS reads it.

        Raises:
            DefinitionError: With everything that AWS would refuse.
        """
        problems = self.problems()
        if problems:
            raise DefinitionError(problems)
        return {
            "Version": VERSION,
            "Metadata": {},
            "Parameters": [one.document() for one in self.parameters],
            "Steps": [one.document() for one in self.steps],
        }

    def problems(self) -> list[str]:
        """Everything that is wrong with it, its size apart: see ``size_problem``."""
        steps = list(all_steps(self.steps))
        return [
            *_counts("steps", [one.name for one in steps], MOST_STEPS),
            *_counts("parameters", [one.name for one in self.parameters], MOST_PARAMETERS),
            *(
                f"step {one.name!r}: allowed is a name of 1 to 64 letters, digits, - and _"
                for one in steps
                if not STEP_NAME.fullmatch(one.name)
            ),
            *(text for one in self.parameters for text in _parameter(one)),
            *graph_problems({one.name for one in self.parameters}, self.steps),
        ]


def all_steps(steps: Sequence[AnyStep]) -> list[AnyStep]:
    """The steps and those within them."""
    inner = [all_steps([child]) for one in steps for _, child in one.children()]
    return [*steps, *(child for several in inner for child in several)]


def _counts(what: str, names: Sequence[str], most: int) -> list[str]:
    found = [
        f"{what}: {name!r} is there twice, allowed is once"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if len(names) > most:
        found.append(f"{what}: got {len(names)}, allowed are at most {most}")
    return found


def _parameter(one: Parameter) -> list[str]:
    found: list[str] = []
    if not PARAMETER_NAME.fullmatch(one.name):
        found.append(
            f"parameter {one.name!r}: allowed is a name of 1 to 256 letters, digits, - and _"
        )
    if isinstance(one.default, str) and len(one.default) > LONGEST_TEXT_DEFAULT:
        found.append(
            f"parameter {one.name!r}: its default has {len(one.default):,} characters, allowed "
            f"are {LONGEST_TEXT_DEFAULT:,}"
        )
    return found
