"""Training rules that a run has violated, as training.json tells of them.

On an image of SageMaker's own they are no metrics of the training job, which takes no metric
definitions there. A rule that ends its job never comes here: then the job fails with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from experiment_tracking import flatten
from experiment_tracking.flatten import Point


@dataclass(frozen=True)
class Violation:
    """Which rule was violated, at which step, and why in words."""

    rule: str
    step: int
    reason: str

    @property
    def words(self) -> str:
        """It in one sentence."""
        return f"{self.rule} at step {self.step}: {self.reason}"

    @property
    def point(self) -> Point:
        """It as a metric, at its step."""
        return flatten.name(f"rule_violated/{self.rule}"), self.step, 1.0


def read(training: Mapping[str, Any]) -> tuple[Violation, ...] | None:
    """The violations in the order of training.json; None where it says nothing of any.

    What has another form is passed over: a script of another kind may use the word for another
    thing.
    """
    given = training.get("violations")
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return None
    found: list[Violation] = []
    for each in cast("Sequence[object]", given):
        if isinstance(each, Mapping):
            fields = cast("Mapping[str, object]", each)
            rule, step = fields.get("rule"), fields.get("step")
            if isinstance(rule, str) and isinstance(step, int) and rule:
                found.append(Violation(rule, step, str(fields.get("reason", ""))))
    return tuple(found)
