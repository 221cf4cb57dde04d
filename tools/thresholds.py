"""Choose a policy's thresholds from labelled examples: ``python -m tools.thresholds``.

A CSV file says of each finding whether it was right: the columns ``analysis``, ``label``,
``confidence`` (0 to 100; empty for something that was not found at all) and ``truth`` (true or
false: whether it really is in the picture). For each label the command takes

    --recall 0.99      the highest threshold that still finds 99 % of what is there: review from it
    --precision 0.95   the lowest threshold from which 95 % of findings are right: reject from it

and writes the bands for the policy, with how sure they are, and the curves as a picture.

Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22 (1927), for the intervals.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.policy import EVERY_LABEL, Bands

COLUMNS = ("analysis", "label", "confidence", "truth")
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")
SURE = 1.959964  # standard deviations around a mean that hold 95 %


@dataclass(frozen=True)
class Example:
    """One finding: its confidence (None: not found) and whether it is really there."""

    confidence: float | None
    truth: bool


@dataclass(frozen=True)
class Share:
    """A share of a number of examples, with its 95 % interval."""

    right: int
    of: int

    @property
    def value(self) -> float:
        """From 0 to 1; 1 of nothing."""
        return self.right / self.of if self.of else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval: where the share lies for 95 of 100 such samples."""
        if not self.of:
            return (0.0, 1.0)
        squared = SURE**2 / self.of
        middle = (self.value + squared / 2) / (1 + squared)
        spread = math.sqrt(self.value * (1 - self.value) / self.of + squared / self.of / 4)
        reach = SURE * spread / (1 + squared)
        return (max(0.0, middle - reach), min(1.0, middle + reach))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} ({self.right} of {self.of}; 95 %: {low:.3f} to {high:.3f})"


@dataclass(frozen=True)
class Curve:
    """Precision and recall of one label at every threshold that makes a difference."""

    examples: tuple[Example, ...]

    def thresholds(self) -> list[float]:
        """Each confidence that occurs, rounded down to a hundredth, ascending."""
        found = {each.confidence for each in self.examples if each.confidence is not None}
        return sorted({math.floor(each * 100) / 100 for each in found})

    def precision(self, threshold: float) -> Share:
        """Of what is found from a threshold on, the share that is right."""
        found = [each for each in self.examples if _reaches(each, threshold)]
        return Share(sum(each.truth for each in found), len(found))

    def recall(self, threshold: float) -> Share:
        """Of what is there, the share that is found from a threshold on."""
        there = [each for each in self.examples if each.truth]
        return Share(sum(_reaches(each, threshold) for each in there), len(there))


@dataclass(frozen=True)
class Choice:
    """The thresholds of one label; None where no threshold reaches the target."""

    review: float | None
    reject: float | None

    def bands(self) -> Bands:
        """The bands that follow."""
        cuts = [("review", self.review), ("reject", self.reject)]
        known = [(name, cut) for name, cut in cuts if cut is not None]
        if len(known) == 2 and known[1][1] <= known[0][1]:
            known = [known[1]]  # from here on both targets are met
        given: dict[str, tuple[float, float]] = {}
        low, decision = 0.0, "accept"
        for name, cut in known:
            given[decision] = (low, cut)
            low, decision = cut, name
        given[decision] = (low, 100.0)
        return Bands(**{name: band for name, band in given.items() if band[0] < band[1]})


def read(path: Path) -> dict[str, dict[str, list[Example]]]:
    """Return the examples of a file by analysis and label.

    Raises:
        ValueError: With every line that is wrong, what was given and what is allowed.
    """
    found: dict[str, dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    problems: list[str] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: lacks the columns {', '.join(missing)}")
        for row in rows:
            wrong = _problems(row)
            problems += [f"{path}:{rows.line_num}: {each}" for each in wrong]
            if not wrong:
                text = row["confidence"].strip()
                example = Example(float(text) if text else None, row["truth"].lower() in TRUE)
                found[row["analysis"]][row["label"]].append(example)
    if not problems and not found:
        problems = [f"{path}: holds no examples"]
    if problems:
        raise ValueError("\n".join(problems))
    return found


def choose(
    curve: Curve, *, precision: float | None, recall: float | None, cautious: bool
) -> Choice:
    """Choose the thresholds of one label.

    Args:
        curve: Its examples.
        precision: Least share of right findings among those that are rejected.
        recall: Least share of what is there that is at least reviewed.
        cautious: Whether the lower end of the 95 % interval must reach a target, rather than
            the share itself.
    """

    def reaches(share: Share, target: float) -> bool:
        return share.of > 0 and (share.interval[0] if cautious else share.value) >= target

    every = curve.thresholds()
    review = None
    if recall is not None:
        good = [each for each in every if reaches(curve.recall(each), recall)]
        review = max(good, default=None)
    reject = None
    if precision is not None:
        good = [each for each in every if reaches(curve.precision(each), precision)]
        reject = min(good, default=None)
    return Choice(review, reject)


def report(
    examples: Mapping[str, Mapping[str, Sequence[Example]]],
    *,
    precision: float | None,
    recall: float | None,
    cautious: bool = False,
    least: int = 30,
) -> tuple[str, dict[str, tuple[Curve, Choice]]]:
    """The YAML to paste, with comments that say how sure it is, and the curves behind it.

    A label with fewer examples than `least` has no rule of its own; the rule for every other
    label comes from all examples of the analysis together.
    """
    lines, curves = ["policy:"], dict[str, tuple[Curve, Choice]]()
    for analysis, labels in sorted(examples.items()):
        lines.append(f"  {analysis}:")
        everything = [each for found in labels.values() for each in found]
        own = {name: found for name, found in sorted(labels.items()) if len(found) >= least}
        own.pop(EVERY_LABEL, None)
        for name, found in {EVERY_LABEL: everything, **own}.items():
            curve = Curve(tuple(found))
            choice = choose(curve, precision=precision, recall=recall, cautious=cautious)
            curves[f"{analysis}: {name}"] = (curve, choice)
            lines += _rule(name, curve, choice, precision, recall)
        few = sorted(name for name in labels if name not in own and name != EVERY_LABEL)
        if few:
            lines.append(f"    # fewer than {least} examples, so no rule of their own:")
            lines.append(f"    # {', '.join(few)}")
    return "\n".join(lines) + "\n", curves


def draw(curves: Mapping[str, tuple[Curve, Choice]], path: Path) -> None:
    """Write the curves as one PNG, a panel a label.

    Raises:
        ModuleNotFoundError: matplotlib is not installed (requirements-ml.txt).
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    columns = min(3, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(4.6 * columns, 3.4 * rows), dpi=110, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (name, (curve, choice)) in zip(panels, curves.items(), strict=False):
        at = curve.thresholds()
        panel.step(at, [curve.precision(each).value for each in at], "#1f5fa8", where="post")
        panel.step(at, [curve.recall(each).value for each in at], "#d9772b", where="post")
        panel.fill_between(
            at,
            [curve.precision(each).interval[0] for each in at],
            [curve.precision(each).interval[1] for each in at],
            color="#1f5fa8",
            alpha=0.12,
            step="post",
        )
        for cut, word in ((choice.review, "review"), (choice.reject, "reject")):
            if cut is not None:
                panel.axvline(cut, color="#26313c", linestyle="--", linewidth=1)
                panel.annotate(f"{word} {cut:g}", (cut, 0.03), rotation=90, fontsize=8)
        panel.set(title=name, xlabel="threshold (%)", xlim=(0, 100), ylim=(0, 1.02))
        panel.legend(["precision", "recall"], loc="lower left", frameon=False, fontsize=8)
    for panel in panels[len(curves) :]:
        panel.set_axis_off()
    figure.savefig(path)


def _reaches(example: Example, threshold: float) -> bool:
    return example.confidence is not None and example.confidence >= threshold


def _problems(row: Mapping[str, str | None]) -> list[str]:
    problems = [
        f"{name}: is empty, allowed is a name" for name in COLUMNS[:2] if not (row[name] or "")
    ]
    text = (row["confidence"] or "").strip()
    try:
        inside = not text or 0 <= float(text) <= 100
    except ValueError:
        inside = False
    if not inside:
        problems.append(
            f"confidence: given {text!r}, allowed is a number from 0 to 100, or nothing"
        )
    truth = (row["truth"] or "").lower()
    if truth not in (*TRUE, *FALSE):
        problems.append(f"truth: given {row['truth']!r}, allowed are {', '.join((*TRUE, *FALSE))}")
    return problems


def _rule(
    name: str, curve: Curve, choice: Choice, precision: float | None, recall: float | None
) -> list[str]:
    lines: list[str] = []
    for word, target, cut, share in (
        ("recall", recall, choice.review, curve.recall),
        ("precision", precision, choice.reject, curve.precision),
    ):
        if target is None:
            continue
        if cut is None:
            lines.append(f"    # no threshold reaches a {word} of {target:g}")
        else:
            lines.append(f"    # from {cut:g} on: {word} {share(cut)}")
    bands = ", ".join(
        f"{decision}: [{low:g}, {high:g}]"
        for decision, (low, high) in choice.bands().given().items()
    )
    return [*lines, f'    "{name}": {{{bands}}}']


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; allowed is above 0, at most 1")
    return value


def main(arguments: list[str] | None = None) -> str | None:
    """Choose thresholds for the file named on the command line.

    Args:
        arguments: Of the command line, for tests.

    Returns:
        What went wrong; None if nothing did.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tools.thresholds",
        description="choose a policy's thresholds from labelled examples",
    )
    parser.add_argument("file", type=Path, help=f"CSV with the columns {', '.join(COLUMNS)}")
    parser.add_argument("--precision", type=_share, help="of what is rejected; such as 0.95")
    parser.add_argument("--recall", type=_share, help="of what is there; such as 0.99")
    parser.add_argument(
        "--cautious", action="store_true", help="the interval's lower end must reach the target"
    )
    parser.add_argument(
        "--least", type=int, default=30, help="examples for a rule of a label's own (30)"
    )
    parser.add_argument(
        "--picture", type=Path, default=Path("thresholds.png"), help="where the curves go"
    )
    given = parser.parse_args(arguments)
    if given.precision is None and given.recall is None:
        return "a target is needed: --precision, --recall, or both"
    try:
        text, curves = report(
            read(given.file),
            precision=given.precision,
            recall=given.recall,
            cautious=given.cautious,
            least=given.least,
        )
        draw(curves, given.picture)
    except (OSError, ValueError, ModuleNotFoundError) as error:
        return str(error)
    print(text, end="")
    print(f"# the curves: {given.picture}")
    return None


if __name__ == "__main__":
    sys.exit(main())
