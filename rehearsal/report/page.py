"""The report as one self-contained HTML page: no script, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from rehearsal.report.cards import badge, render_cards
from rehearsal.report.model import Flow, Report, ScenarioReport, Stage

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
    return (
        f'<header><div class="headline"><h1>{title}</h1>{badge(status, word)}</div>'
        '<p class="lead">The templates that AWS would get, deployed by the CDK CLI onto an embedded'
        " AWS on this machine and used through the ordinary AWS APIs."
        f" Started {escape(report.started)}.</p>{_totals(report)}{_contents(report)}</header>"
    )


def _status(report: Report) -> tuple[str, str]:
    return ("passed", "All passed") if report.passed else ("failed", "Not all passed")


def _totals(report: Report) -> str:
    checks = [check for scenario in report.scenarios for check in scenario.outcome.checks]
    kept = sum(check.passed for check in checks)
    numbers = [("Scenarios", str(len(report.scenarios)), "")]
    if checks:
        numbers.append(("Checks passed", str(kept), f"of {len(checks)}"))
    return _numbers([*numbers, ("Whole run", f"{report.seconds:.1f}", "s")])


def _numbers(numbers: Sequence[tuple[str, str, str]]) -> str:
    if not numbers:
        return ""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)} <small>{escape(unit)}</small></dd></div>"
        for name, value, unit in numbers
    )
    return f'<dl class="numbers">{items}</dl>'


def _contents(report: Report) -> str:
    """Return links to the scenarios, where there are several."""
    if len(report.scenarios) < 2:
        return ""
    items = "".join(
        f'<li>{badge(each.status)}<a href="#scenario-{escape(each.name, quote=True)}">'
        f"{escape(each.title)}</a></li>"
        for each in report.scenarios
    )
    return f'<nav aria-label="Scenarios"><ul class="contents">{items}</ul></nav>'


def _flow(flow: Flow | None) -> str:
    if flow is None:
        return ""
    stood_in = any(stood_in for _, _, stood_in in flow.steps) or bool(flow.drawing)
    note = " The dashed amber one stands in for the service of that name." if stood_in else ""
    return (
        f'<div class="panel"><h3>{escape(flow.title)}</h3>'
        f'<p class="note">Each box is deployed for real.{note}</p>{_drawing(flow)}</div>'
    )


def _drawing(flow: Flow) -> str:
    if flow.drawing:
        return _read(f"{flow.drawing}-wide.svg") + _read(f"{flow.drawing}-tall.svg")
    boxes = "".join(
        f"<li{' class=stood' if stood_in else ''}><b>{escape(name)}</b> {escape(what)}</li>"
        for name, what, stood_in in flow.steps
    )
    return f'<ol class="chain">{boxes}</ol>'


def _scenario(scenario: ScenarioReport) -> str:
    name = escape(scenario.name, quote=True)
    word = "Passed" if scenario.status == "passed" else "Failed"
    outcome = scenario.outcome
    return (
        f'<section aria-labelledby="scenario-{name}"><div class="headline">'
        f'<h2 id="scenario-{name}">{escape(scenario.title)}</h2></div>'
        f'<p class="lead">{badge(scenario.status, word)} Scenario <code>{name}</code>,'
        f" {scenario.seconds:.1f} s. {escape(outcome.note)}</p>"
        f"{_problems(outcome.problems)}{_numbers(outcome.numbers)}{_flow(outcome.flow)}"
        f"{render_cards(outcome.cards)}</section>"
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
