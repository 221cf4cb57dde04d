"""The sections of report.html that show what was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ml_src.shared.drift import plots
from ml_src.shared.drift.compare import CONTEXT, Comparison, Result
from ml_src.shared.drift.measures import shares
from ml_src.shared.drift.pieces import Cells, badge, drift, figure, picture, plain, share, table

MOST_BARS = 12  # categories of a picture
PICTURES = 8  # features drawn: each picture is some 20 KB, twice


def features(report: Mapping[str, Any]) -> str:
    """Show all features, the most drifted first."""
    every, limits = report["features"], report["thresholds"]
    draw = plots.overview(
        [found["name"] for found in every],
        [found["psi_beyond_chance"] for found in every],
        [found["drifted"] for found in every],
        limits["psi"],
    )
    drawing = picture(draw, (8.4, 1.3 + 0.27 * len(every)), "PSI beyond chance by feature")
    head = ("feature", "", "PSI", "by chance", "distance", "missing", "new or outside")
    rows = [_feature(found, limits) for found in every]
    return (
        '<h2>Features</h2><p class="lead">The most drifted first. PSI compares shares in training '
        "and in requests: below 0.1 little has changed, from about 0.2 on much. What chance alone "
        "gives at this number of rows is taken off before it is judged. The distance is "
        "Kolmogorov-Smirnov for numbers and Jensen-Shannon for categories, both from 0 to 1.</p>"
        f'<div class="panel">{drawing}</div>'
        f'<div class="panel scroll">{table(head, rows, 2)}</div>'
    )


def _feature(found: Mapping[str, Any], limits: Mapping[str, Any]) -> Cells:
    number = found["type"] == "number"
    distance = found["ks"] if number else found["jensen_shannon"]
    reach = limits["ks"] if number else limits["jensen_shannon"]
    strange = [found["beyond_training"], found["out_of_bounds"]] if number else [found["unseen"]]
    odd = max(strange, key=lambda part: part["rate"])
    missing, beyond = found["missing"], found["psi_beyond_chance"]
    return (
        f"<b>{escape(found['name'])}</b>",
        drift(found["drifted"]),
        figure(f"{found['psi']:.3f}", found["drifted"] and beyond >= limits["psi"]),
        f"{found['psi_by_chance']:.3f}",
        figure(f"{distance:.3f}", found["drifted"] and distance >= reach),
        figure(f"{missing['rate']:.1%}", found["drifted"] and missing["rate"] > missing["limit"]),
        figure(f"{odd['rate']:.1%}", found["drifted"] and odd["rate"] > odd["limit"]),
    )


def pictures(report: Mapping[str, Any], result: Result) -> str:
    """Draw the features that have drifted, or those nearest to it."""
    shown = [found for found in result.features if found.drifted][:PICTURES]
    shown = shown or result.features[:2]
    cards = [
        f'<div class="panel"><h3>{escape(found.figures["name"])}</h3>'
        f'<p class="note">{escape("; ".join(_own(found))) or "Has not drifted"}.</p>'
        f"{_bars(found)}</div>"
        for found in shown
    ]
    drifted = sum(found["drifted"] for found in report["features"])
    rest = f" The first {PICTURES} of {drifted}." if drifted > PICTURES else ""
    what = "The drifted features" if drifted else "The features nearest to drift"
    return (
        f'<h2>{what}</h2><p class="lead">Shares of the rows that hold a value, in training and in '
        f'requests.{rest}</p><div class="grid">{"".join(cards)}</div>'
    )


def _own(found: Comparison) -> list[str]:
    """Give a feature's reasons without its name, which stands above them."""
    return [reason.removeprefix(f"{found.figures['name']}: ") for reason in found.reasons]


def _bars(found: Comparison, wide: bool = False) -> str:
    bars, name = found.bars, found.figures["name"]
    before, now = shares(bars["expected"]).tolist(), shares(bars["actual"]).tolist()
    bins = len(before)
    if "names" in bars:
        order = sorted(range(bins), key=lambda place: -max(before[place], now[place]))
        kept = [place for place in order[:MOST_BARS] if before[place] or now[place]]
        bins = len(kept)
        draw = plots.categories(
            *[[side[place] for place in kept] for side in (bars["names"], before, now)]
        )
    else:
        past = "evaluation" if name == "predictions" else "training"
        draw = plots.numbers(bars["edges"], bars["merged"], before, now, past)
    return picture(draw, (8.4 if wide else 5.6, 1.1 + 0.36 * bins), f"shares of {name}")


def predictions(found: Mapping[str, Any], result: Result) -> str:
    """Show predictions now and at evaluation."""
    assert result.predictions is not None
    head: tuple[str, ...] = ("", "", "PSI", "by chance", "KS distance")
    row: Cells = (
        "<b>predictions</b>",
        drift(found["drifted"]),
        f"{found['psi']:.3f}",
        f"{found['psi_by_chance']:.3f}",
        f"{found['ks']:.3f}",
    )
    selects = ""
    if "selection_rate" in found:
        rate = found["selection_rate"]
        head += ("selected", "at evaluation")
        row = (*row, f"{rate['rate']:.1%}", f"{rate['baseline']:.1%}")
        selects = f" Selected are those at or above the threshold of {found['threshold']:.4g}."
    bars = _bars(result.predictions, wide=True)
    return (
        '<h2>Predictions</h2><p class="lead">What the endpoint answered, against what the model '
        f'answered at evaluation.{selects}</p><div class="panel scroll">{table(head, [row], 2)}'
        f'</div><div class="panel">{bars}</div>'
    )


def quality(found: Mapping[str, Any]) -> str:
    """Show the figures on late labels."""
    head = ("figure", "", "now", "standard error", "at evaluation", "allowed change")
    rows: list[Cells] = []
    for name, words in CONTEXT.items():
        facts = found.get(name)
        if facts:
            told = any(reason.startswith(words) for reason in found["reasons"])
            before = f"{facts['baseline']:.3f}" if "baseline" in facts else "not known"
            limit = f"{facts['limit']:g}" if "limit" in facts else ""
            now, error = f"{facts['value']:.3f}", f"{facts['standard_error']:.3f}"
            rows.append((words, drift(told), figure(now, told), error, before, limit))
    draw = plots.calibration(found["reliability"])
    drawing = picture(draw, (4.6, 3.8), "what was foretold against what happened")
    return (
        f'<h2>Quality</h2><p class="lead">On the {found["rows"]:,} rows whose label has arrived; '
        f"{found['positive_rate']:.1%} of them are positive.</p>"
        f'<div class="panel scroll">{table(head, rows, 2)}</div><div class="panel">{drawing}</div>'
    )


def groups(groups: Sequence[Mapping[str, Any]]) -> str:
    """Show each watched group against the others."""
    head = ("group", "", "rows", "selected", "others selected", "DI", "DPPL", "DPPL at evaluation")
    rows: list[Cells] = []
    for found in sorted(groups, key=lambda group: not group["drifted"]):
        before = found.get("baseline", {})
        rows.append(
            (
                f"<b>{escape(found['facet'])}={escape(found['value'])}</b>",
                drift(found["drifted"]) if found["judged"] else badge("", "Too few rows"),
                f"{found['rows']:,}",
                share(found["selection_rate"]),
                share(found["other_selection_rate"]),
                plain(found["disparate_impact"]),
                plain(found["difference_in_positive_proportions"]),
                plain(before.get("difference_in_positive_proportions")),
            )
        )
    return (
        '<h2>Bias</h2><p class="lead">Each group against all others. Disparate impact (DI) is the '
        "group's selection rate divided by the others'; the difference in positive proportions of "
        "predictions (DPPL) is the others' minus the group's. A change since evaluation is drift; "
        "whether the figures are fair is for people to judge.</p>"
        f'<div class="panel scroll">{table(head, rows, 2)}</div>'
    )
