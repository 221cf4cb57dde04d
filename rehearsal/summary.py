"""The end of a run in the terminal, and what it may and may not claim."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rehearsal.report.model import WORDS, ImageCard, Report, ScenarioReport, TimelineCard
from rehearsal.scenarios import Scenario

COLOURS = {"accept": "green", "review": "yellow", "reject": "red", "unusable": "bright_black"}


def real(scenarios: Sequence[Scenario]) -> list[str]:
    """Return in sentences what a run of these scenarios really carries out."""
    return [
        "CloudFormation created every resource from the synthesized templates, driven by the"
        " unmodified CDK CLI.",
        *(sentence for scenario in scenarios for sentence in scenario.real),
        "IAM decided about every call of every role.",
        "Times are measured on this machine.",
    ]


def stood_in(
    scenarios: Sequence[Scenario], ministack: str, recorded_only: Sequence[Mapping[str, str]] = ()
) -> list[str]:
    """Return in sentences what had a substitute or was not enforced.

    Args:
        scenarios: what was run.
        ministack: the version of MiniStack.
        recorded_only: resources that were written down and do nothing, each with its type.
    """
    sentences = [
        *(sentence for scenario in scenarios for sentence in scenario.stood_in),
        f"AWS itself is MiniStack {ministack} in a process on this machine: no account, no network,"
        " nothing billed.",
        "No VPC: the demo environment has none.",
        "Encryption: key policies decide who may use a key, but KMS encrypts nothing here and data"
        " lies plain in memory. CloudFormation's own permissions are not checked.",
        f"Lambda functions ran on this machine's Python {platform.python_version()}"
        f" ({platform.machine()}), not on Lambda's Python 3.13 for arm64.",
    ]
    if recorded_only:
        types = sorted({each["type"] for each in recorded_only})
        sentences.append(f"Recorded, but without any effect: {', '.join(types)}.")
    return sentences


def show(console: Console, report: Report, folder: Path) -> None:
    """Print the results, the honest small print, the times and where to read on."""
    for scenario in report.scenarios:
        _scenario(console, scenario)
    times = " · ".join(f"{stage.name} {stage.seconds:.1f} s" for stage in report.stages)
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column()
    facts.add_row("Real", _bullets(report.real))
    facts.add_row("Stood in", _bullets(report.stood_in))
    facts.add_row("Times", Text(f"{times} · in all {report.seconds:.1f} s"))
    console.print(facts)
    for title, words in (
        ("Report", str(_near(folder / "report.html"))),
        ("Next", "`make demo-up` deploys it again and leaves it running for you"),
    ):
        console.print(Text.assemble((f"{title:<10}", "bold"), words), soft_wrap=True)


def image_table(cards: Sequence[ImageCard]) -> Table:
    """Return one row for each image: name, decision, why, milliseconds."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Image", no_wrap=True, overflow="ellipsis", max_width=26)
    table.add_column("Decision", no_wrap=True, min_width=10)
    table.add_column("Why", no_wrap=True, overflow="ellipsis")
    table.add_column("ms", justify="right", no_wrap=True, min_width=6)
    for card in cards:
        milliseconds = "" if card.milliseconds is None else f"{card.milliseconds:,.0f}"
        decision = Text(WORDS[card.decision], COLOURS[card.decision])
        table.add_row(Text(card.title), decision, Text(_short(card)), milliseconds)
    return table


def timeline_text(card: TimelineCard) -> Text:
    """Return a video's decisions by time in one line."""
    parts: list[Text] = [Text(f"{card.title}: ")]
    for piece in card.pieces:
        words = (
            f"{piece.start:.1f} to {piece.end:.1f} s {WORDS.get(piece.decision, piece.decision)}"
        )
        parts += [Text(words, COLOURS.get(piece.decision, "")), Text(" · ")]
    return Text.assemble(*parts[:-1])


def _scenario(console: Console, scenario: ScenarioReport) -> None:
    passed = scenario.status == "passed"
    word = ("passed", "bold green") if passed else ("failed", "bold red")
    console.print()
    console.print(
        Text.assemble((scenario.title, "bold"), " (", scenario.name, "): ", word), soft_wrap=True
    )
    images = [card for card in scenario.outcome.cards if isinstance(card, ImageCard)]
    if images:
        console.print(image_table(images))
    elif scenario.outcome.numbers:
        numbers = (
            f"{name} {value} {unit}".rstrip() for name, value, unit in scenario.outcome.numbers
        )
        console.print(Text(" · ".join(numbers)), soft_wrap=True)
    for card in scenario.outcome.cards:
        if isinstance(card, TimelineCard):
            console.print(timeline_text(card), soft_wrap=True)
    checks = scenario.outcome.facts.get("checks", {})
    if checks:
        kept = sum(bool(value) for value in checks.values())
        console.print(f"{kept} of {len(checks)} checks passed:")
        for promise, passed in checks.items():
            console.print(Text.assemble((" ✓ ", "green") if passed else (" ✗ ", "red"), promise))
    for problem in scenario.outcome.problems:
        console.print(Text(f"  not as expected: {problem}", "red"), soft_wrap=True)
    console.print()


def _near(path: Path) -> Path:
    """Return a path as it is best read from where the command was given."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _bullets(sentences: Sequence[str]) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        grid.add_row("-", Text(sentence))
    return grid


def _short(card: ImageCard) -> str:
    """Return the reason in a few words, for a narrow column."""
    if card.decision == "unusable":
        return card.reason.partition(";")[0].rstrip(".")
    if not card.labels:
        return "no label" if card.reason.startswith("No label") else card.reason.rstrip(".")
    return f"{card.labels[0].name} {card.labels[0].confidence:.1f} %"
