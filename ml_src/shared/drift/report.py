"""report.html: one self-contained page for people, in light and dark, without script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ml_src.shared.drift import sections
from ml_src.shared.drift.compare import Result
from ml_src.shared.drift.pieces import badge, listed, table, time

STYLE = Path(__file__).parent / "style.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

STATUS = {
    "no_data": ("", "No data"),
    "too_few": ("", "Too few rows"),
    "steady": ("good", "Steady"),
    "drifted": ("bad", "Drifted"),
}


def page(report: Mapping[str, Any], result: Result | None) -> str:
    """Give the page.

    All data is escaped: categories and file names come from requests and may hold anything.

    Args:
        report: what drift.json holds.
        result: the comparisons, for the pictures; None where there was nothing to compare.
    """
    word = STATUS[report["status"]][1]
    style = STYLE.read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Drift watch: {word.lower()}</title>",
            f"<style>\n{style}</style>\n</head>\n<body>",
            _header(report),
            "<main>",
            listed("Why", report["reasons"], "alarm"),
            listed("To look into", report["warnings"]),
            *(_compared(report, result) if result else []),
            _read(report),
            _thresholds(report),
            "</main>",
            "<footer><p>All figures are in <code>drift.json</code> beside this page.</p></footer>",
            "</body>\n</html>\n",
        ]
    )


def _header(report: Mapping[str, Any]) -> str:
    tint, word = STATUS[report["status"]]
    requests = report["requests"]
    span = ""
    if requests["first"]:
        span = f" Requests from {time(requests['first'])} to {time(requests['last'])}."
    return (
        f'<header><div class="headline"><h1>Drift watch</h1>{badge(tint, word)}</div>'
        f'<p class="lead">{escape(report["summary"])}{span}</p>{_numbers(report)}</header>'
    )


def _numbers(report: Mapping[str, Any]) -> str:
    requests, quality = report["requests"], report["quality"]
    facts = [
        ("rows compared", f"{requests['rows']:,}"),
        ("rows in the baseline", f"{report['baseline_rows']:,}"),
    ]
    if report["features"]:
        drifted = sum(found["drifted"] for found in report["features"])
        facts.append(("features drifted", f"{drifted} of {len(report['features'])}"))
    if report["predictions"] and "selection_rate" in report["predictions"]:
        rate = report["predictions"]["selection_rate"]["rate"]
        facts.append(("selected by the model", f"{rate:.1%}"))
    if quality and "auc" in quality:
        facts.append(("AUC on late labels", f"{quality['auc']['value']:.3f}"))
    bad = sum(requests["problems"].values())
    facts.append(("lines with a problem", f"{bad:,}"))
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f'<dl class="numbers">{cells}</dl>'


def _compared(report: Mapping[str, Any], result: Result) -> list[str]:
    shown: list[str] = []
    if report["features"]:
        shown += [sections.features(report), sections.pictures(report, result)]
    if report["predictions"]:
        shown.append(sections.predictions(report["predictions"], result))
    if report["quality"]:
        shown.append(sections.quality(report["quality"]))
    if report["groups"]:
        shown.append(sections.groups(report["groups"]))
    return shown


def _read(report: Mapping[str, Any]) -> str:
    requests, labels = report["requests"], report["labels"]
    facts = [
        ("Files", f"{requests['files']:,}"),
        ("Other files, passed over", f"{requests['other_files']:,}"),
        ("Lines", f"{requests['lines']:,}"),
        ("Requests used", f"{requests['used']:,}"),
        ("Outside the window", f"{requests['outside_window']:,}"),
        *[(kind.capitalize(), f"{number:,}") for kind, number in requests["problems"].items()],
    ]
    if labels:
        facts += [
            ("Labels read", f"{labels['read']:,}"),
            ("Labels that found their row", f"{labels['matched']:,}"),
            ("Labels replaced by later ones", f"{labels['replaced']:,}"),
            ("Labels that cannot be used", f"{labels['problems']:,}"),
        ]
    examples = [text for kind in requests["examples"].values() for text in kind]
    examples += labels["examples"] if labels else []
    return (
        "<h2>What was read</h2>"
        f'<div class="panel scroll">{table(("", "number"), facts, 1)}</div>'
        f"{listed('The first of each problem', examples)}"
    )


def _thresholds(report: Mapping[str, Any]) -> str:
    rows = [(f"<code>{name}</code>", f"{value:g}") for name, value in report["thresholds"].items()]
    tests = ""
    if report["level"]:
        tests = (
            f" This run made at most {report['tests']} tests, each held to a chance of "
            f"{report['level']:.2g} of a false alarm."
        )
    return (
        '<h2>Thresholds</h2><p class="lead">A difference is drift only if it is larger than its '
        f"threshold and more than chance.{tests}</p>"
        f'<div class="panel scroll">{table(("threshold", "value"), rows, 1)}</div>'
    )
