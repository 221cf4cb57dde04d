"""Rules on a training's course: loss not decreasing, overfit, vanishing and exploding gradients.

Free of any framework: a rule is fed with the values of one step after another and says when it is
violated. Whoever trains feeds a `Watch`, which prints one line for each rule that is violated,

    rule_violated name=overfit value=1 step=34 reason="…"

for MetricDefinitions to read (rule_metric_definitions.json), and ends the job with that reason
where it was asked to. `rule_adapters` feeds it from XGBoost and PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from ml_src.shared.failure import JobError

Values = Mapping[str, float]


@dataclass(frozen=True)
class Violation:
    """A rule's finding: which rule, at which step, and why in words."""

    rule: str
    step: int
    reason: str

    @property
    def line(self) -> str:
        """Give the line to print."""
        reason = self.reason.replace('"', "'")
        return f'rule_violated name={self.rule} value=1 step={self.step} reason="{reason}"'


class Rule(Protocol):
    """What is fed with one step after another."""

    name: ClassVar[str]
    feeds: ClassVar[str]

    def observe(self, step: int, values: Values) -> str | None:
        """Take a step's values, of the kind that `feeds` names; give the reason if violated."""
        ...


@dataclass
class LossNotDecreasing:
    """The loss never got going, has risen again, or is no number any more.

    A loss that fell well and then stays where it is has converged: that is no violation (early
    stopping ends such a training).

    metric: name of the loss to watch.
    patience: steps without a new best before the rule looks closer.
    learnt: violated if the best loss lies less than this part (0 to 1) below the first one,
    risen: or if the loss lies more than this part above the best one.
    """

    name: ClassVar[str] = "loss_not_decreasing"
    feeds: ClassVar[str] = "losses"

    metric: str = "train:logloss"
    patience: int = 10
    learnt: float = 0.02
    risen: float = 0.1
    _first: float | None = field(default=None, init=False)
    _best: float = field(default=math.inf, init=False)
    _since: int = field(default=0, init=False)

    def observe(self, step: int, values: Values) -> str | None:
        """Take a step's losses by name; a step without this loss is passed over."""
        loss = values.get(self.metric)
        if loss is None:
            return None
        if not math.isfinite(loss):
            return f"{self.metric} is {loss}"
        if self._first is None:
            self._first = loss
        # Falls of a millionth are noise, not progress.
        self._since = 0 if loss < self._best - 1e-6 * abs(self._first) else self._since + 1
        self._best = min(self._best, loss)
        if self._since < self.patience:
            return None
        if self._best > self._first - self.learnt * abs(self._first):
            return f"{self.metric} began at {self._first:.6g}, got no lower than {self._best:.6g}"
        if loss > self._best + self.risen * abs(self._best):
            return f"{self.metric} has risen from {self._best:.6g} to {loss:.6g}"
        return None


@dataclass
class Overfit:
    """The loss on validation lies far above the loss on train, for several steps in a row.

    train, validation: names of the two losses.
    gap: how far above, as a part of the loss on train.
    patience: steps in a row.
    """

    name: ClassVar[str] = "overfit"
    feeds: ClassVar[str] = "losses"

    train: str = "train:logloss"
    validation: str = "validation:logloss"
    gap: float = 0.25
    patience: int = 5
    _row: int = field(default=0, init=False)

    def observe(self, step: int, values: Values) -> str | None:
        """Take a step's losses by name; a step that lacks one is passed over."""
        train, validation = values.get(self.train), values.get(self.validation)
        if train is None or validation is None:
            return None
        far = validation - train > self.gap * max(abs(train), 1e-12)
        self._row = self._row + 1 if far else 0
        if self._row < self.patience:
            return None
        return (
            f"{self.validation} {validation:.6g} lies more than {self.gap:.0%} above "
            f"{self.train} {train:.6g} for {self._row} steps"
        )


@dataclass
class VanishingGradient:
    """A layer's gradient is next to nothing, for several steps in a row.

    threshold: mean absolute gradient below which a layer counts.
    patience: steps in a row.
    """

    name: ClassVar[str] = "vanishing_gradient"
    feeds: ClassVar[str] = "gradients"

    threshold: float = 1e-7
    patience: int = 3
    _rows: dict[str, int] = field(default_factory=dict[str, int], init=False)

    def observe(self, step: int, values: Values) -> str | None:
        """Take a step's mean absolute gradients by layer."""
        for layer, gradient in values.items():
            small = abs(gradient) < self.threshold
            self._rows[layer] = self._rows.get(layer, 0) + 1 if small else 0
        worst = max(self._rows, key=lambda layer: self._rows[layer], default=None)
        if worst is None or self._rows[worst] < self.patience:
            return None
        return (
            f"the mean absolute gradient of {worst} is below {self.threshold:g} "
            f"for {self._rows[worst]} steps"
        )


@dataclass
class ExplodingGradient:
    """A layer's gradient is enormous, or no number any more.

    threshold: mean absolute gradient above which a layer counts.
    """

    name: ClassVar[str] = "exploding_gradient"
    feeds: ClassVar[str] = "gradients"

    threshold: float = 1e4

    def observe(self, step: int, values: Values) -> str | None:
        """Take a step's mean absolute gradients by layer."""
        for layer, gradient in values.items():
            if not math.isfinite(gradient) or abs(gradient) > self.threshold:
                return f"the mean absolute gradient of {layer} is {gradient:g}"
        return None


RULES: dict[str, Callable[[str], Rule]] = {
    LossNotDecreasing.name: lambda loss: LossNotDecreasing(metric=f"train:{loss}"),
    Overfit.name: lambda loss: Overfit(train=f"train:{loss}", validation=f"validation:{loss}"),
    VanishingGradient.name: lambda _: VanishingGradient(),
    ExplodingGradient.name: lambda _: ExplodingGradient(),
}
"""The rules by name, each made for a loss."""


class RuleViolated(JobError):
    """A violated rule was asked to end the job."""


class Watch:
    """Feeds rules, prints each rule's first violation, and ends the job where asked to.

    Args:
        rules: the rules to feed.
        ending: names of the rules whose violation ends the job.
        emit: takes the printed line; the standard output by default.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        ending: frozenset[str] = frozenset(),
        emit: Callable[[str], None] | None = None,
    ) -> None:
        """Start with no violation."""
        self.violations: list[Violation] = []
        self._rules = list(rules)
        self._ending = ending
        self._emit = emit or (lambda line: print(line, flush=True))

    @classmethod
    def configured(cls, text: str, loss: str = "logloss") -> Watch:
        """Read a configuration such as `loss_not_decreasing,overfit:end`.

        Args:
            text: names of rules with their defaults, by commas; `:end` after a name makes its
                violation end the job. Empty: no rules.
            loss: name of the loss that the model is trained by, which is watched on both sides.

        Raises:
            JobError: a name or what follows it is unknown; lists what is allowed.
        """
        rules: list[Rule] = []
        ending: set[str] = set()
        for word in filter(None, (part.strip() for part in text.split(","))):
            name, colon, action = word.partition(":")
            if name not in RULES or (colon and action != "end"):
                raise JobError(
                    f"rules: {word!r} is none of {', '.join(RULES)}, each alone or with ':end'"
                )
            rules.append(RULES[name](loss))
            if action:
                ending.add(name)
        return cls(rules, ending=frozenset(ending))

    def losses(self, step: int, values: Values) -> None:
        """Feed a step's losses by name; raises `RuleViolated` where a violation ends the job."""
        self._feed("losses", step, values)

    def gradients(self, step: int, values: Values) -> None:
        """Feed a step's mean absolute gradients by layer; raises as `losses` does."""
        self._feed("gradients", step, values)

    def _feed(self, kind: str, step: int, values: Values) -> None:
        violated = {violation.rule for violation in self.violations}
        for rule in self._rules:
            if rule.feeds != kind or rule.name in violated:
                continue
            reason = rule.observe(step, values)
            if reason is None:
                continue
            violation = Violation(rule.name, step, reason)
            self.violations.append(violation)
            self._emit(violation.line)
            if rule.name in self._ending:
                raise RuleViolated(f"rule {rule.name} ended the job at step {step}: {reason}")
