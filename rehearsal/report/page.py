"""The report as one self-contained HTML page: no script, no request to anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rehearsal.report.cards import badge, render_cards
from rehearsal.report.model import ImageCard, Report, ScenarioReport, Stage

FOLDER = Path(__file__).parent

# The page may load nothing but its own inline styles and data: pictures.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def render(report: Report) -> str:
    """Return the report as an HTML document.

    All data is escaped: names and keys come from uploads and may hold anything.
    """
    title = "Sagelens rehearsal"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}: {_status(report)[1].lower()}</title>",
            f"<style>\n{_read('style.css')}</style>\n</head>\n<body>",
            _header(report, title),
            "<main>",
            _flow(report),
            *[_scenario(scenario) for scenario in report.scenarios],
            _honesty(report),
            _stages(report.stages),
            "</main>",
            "<footer><p>Written by <code>python -m rehearsal demo</code>. The same facts for"
            " programs are in <code>report.json</code> beside this file.</p></footer>",
            "</body>\n</html>\n",
        ]
    )


def _header(report: Report, title: str) -> str:
    status, word = _status(report)
    count = len(report.scenarios)
    scenarios = "One scenario" if count == 1 else f"{count} scenarios"
    return (
        f'<header><div class="headline"><h1>{title}</h1>{badge(status, word)}</div>'
        '<p class="lead">The templates that AWS would get, deployed by the CDK CLI onto an embedded'
        " AWS on this machine and used through the ordinary AWS APIs."
        f" {scenarios}, started {escape(report.started)}.</p>{_numbers(report)}</header>"
    )


def _status(report: Report) -> tuple[str, str]:
    return ("passed", "All passed") if report.passed else ("failed", "Not all passed")


def _numbers(report: Report) -> str:
    cards = [card for scenario in report.scenarios for card in scenario.outcome.cards]
    images = [card for card in cards if isinstance(card, ImageCard)]
    decisions = Counter(card.decision for card in images)
    times = sorted(card.milliseconds for card in images if card.milliseconds is not None)
    pairs = [
        ("Files uploaded", str(len(images))),
        ("Accepted", str(decisions["accept"])),
        ("Rejected", str(decisions["reject"])),
        ("Unusable", str(decisions["unusable"])),
    ]
    if decisions["review"]:
        pairs.insert(2, ("For review", str(decisions["review"])))
    if not images:
        pairs = [("Scenarios", str(len(report.scenarios)))]
    if times:
        pairs.append(("Upload to decision, median", f"{_median(times):,.0f} <small>ms</small>"))
    pairs.append(("Whole run", f"{report.seconds:.1f} <small>s</small>"))
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs)
    return f'<dl class="numbers">{items}</dl>'


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def _flow(report: Report) -> str:
    cards = [card for scenario in report.scenarios for card in scenario.outcome.cards]
    if not any(isinstance(card, ImageCard) for card in cards):
        return ""
    return (
        '<section aria-labelledby="flow"><h2 id="flow">The way of an image</h2>'
        '<p class="lead">Each box is deployed for real. The dashed amber one stands in for'
        " the service of that name.</p>"
        f'<div class="panel">{_read("flow-wide.svg")}{_read("flow-tall.svg")}</div></section>'
    )


def _scenario(scenario: ScenarioReport) -> str:
    name = escape(scenario.name, quote=True)
    word = "Passed" if scenario.status == "passed" else "Failed"
    return (
        f'<section aria-labelledby="scenario-{name}"><div class="headline">'
        f'<h2 id="scenario-{name}">{escape(scenario.title)}</h2></div>'
        f'<p class="lead">{badge(scenario.status, word)} Scenario <code>{name}</code>,'
        f" {scenario.seconds:.1f} s. {escape(scenario.outcome.note)}</p>"
        f"{_problems(scenario.outcome.problems)}{render_cards(scenario.outcome.cards)}</section>"
    )


def _problems(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    items = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return f'<div class="panel problems"><h3>Not as expected</h3><ul>{items}</ul></div>'


def _honesty(report: Report) -> str:
    return (
        '<section aria-labelledby="honest"><h2 id="honest">What this run shows, and what not</h2>'
        f'<div class="two">{_list_panel("What was real", report.real)}'
        f"{_list_panel('What stood in', report.stood_in)}</div></section>"
    )


def _list_panel(title: str, sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<div class="panel"><h3>{title}</h3><ul>{items}</ul></div>'


def _stages(stages: Sequence[Stage]) -> str:
    if not stages:
        return ""
    longest = max(max(stage.seconds for stage in stages), 0.001)
    items = "".join(
        f"<li><span>{escape(stage.name)}</span>"
        f'<div class="scale"><div class="fill" style="width:{100 * stage.seconds / longest:.1f}%">'
        f"</div></div><b>{stage.seconds:.1f} s</b></li>"
        for stage in stages
    )
    return (
        '<section aria-labelledby="stages"><h2 id="stages">Where the time went</h2>'
        f'<div class="panel"><ol class="stages">{items}</ol></div></section>'
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
