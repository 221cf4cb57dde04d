"""What is wrong with the hyperparameters of a job, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        name: The hyperparameter, channel or argument.
        problem: What is wrong, in words.
        allowed: What would be right.
    """

    name: str
    problem: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}; allowed: {self.allowed}"


class AlgorithmError(ValueError):
    """An algorithm cannot be used in the way asked for.

    Attributes:
        algorithm: The algorithm's name.
        problems: Everything that is wrong, in the order of the arguments.
    """

    def __init__(self, algorithm: str, what: str, problems: Sequence[Problem]) -> None:
        self.algorithm = algorithm
        self.problems = tuple(problems)
        lines = [f"{algorithm}: {what}:", *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(lines))


def shown(value: object) -> str:
    """Return a value as an error shows it: quoted if it is text, and never long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:76]} ..."


def meant(given: str, candidates: Iterable[str]) -> str:
    """Return "; did you mean …?" with the candidate spelt most like ``given``, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = get_close_matches(given.lower().replace("_", "-"), by_lower, n=1, cutoff=0.6)
    close = close or get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
