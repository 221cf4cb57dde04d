"""What is wrong with a definition, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence


class DefinitionError(ValueError):
    """A pipeline's definition would be refused by AWS, or fail whenever it runs.

    Attributes:
        problems: Everything that is wrong.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["the pipeline's definition is not right:", *self.problems]))
