"""Pictures of the report, each drawn twice: for a light and for a dark page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure

DOTS = 110  # per inch
LONGEST = 22  # characters of a category beside its bar


@dataclass(frozen=True)
class Palette:
    """Colours of a page."""

    paper: str
    ink: str
    line: str
    before: str
    now: str
    alarm: str
    quiet: str


LIGHT = Palette("#ffffff", "#1b2430", "#dde1e7", "#8a97a8", "#155e75", "#a3211f", "#8a97a8")
DARK = Palette("#1a2029", "#e8ecf2", "#3a4554", "#6f7d90", "#7cc7dd", "#ff9d96", "#6f7d90")

Draw = Callable[[Any, Palette], None]
Shares = Sequence[float]  # 0 to 1


def both(draw: Draw, size: tuple[float, float]) -> tuple[bytes, bytes]:
    """Draw onto a light and onto a dark page; returns two PNGs. The same data, the same bytes."""
    return _picture(draw, LIGHT, size), _picture(draw, DARK, size)


def _picture(draw: Draw, colours: Palette, size: tuple[float, float]) -> bytes:
    style = {
        "font.size": 10,
        "figure.facecolor": colours.paper,
        "axes.facecolor": colours.paper,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": colours.line,
        "axes.labelcolor": colours.ink,
        "text.color": colours.ink,
        "xtick.color": colours.ink,
        "ytick.color": colours.ink,
        "axes.grid": True,
        "grid.color": colours.line,
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "legend.frameon": False,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
        draw(figure.subplots(), colours)
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def overview(
    names: Sequence[str], values: Sequence[float], drifted: Sequence[bool], most: float
) -> Draw:
    """Give a drawing of each feature's PSI beyond chance, the largest on top, and the threshold."""

    def draw(axes: Any, colours: Palette) -> None:
        places = range(len(names))
        tints = [colours.alarm if flag else colours.quiet for flag in drifted]
        axes.barh(places, values, color=tints, height=0.62)
        axes.axvline(most, color=colours.ink, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(
            f"threshold {most:g}", (most, -0.85), (4, 0), textcoords="offset points", fontsize=9
        )
        axes.set_yticks(places, [_short(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -1.3)
        axes.set_xlim(0, max(1.5 * most, 1.08 * max(values, default=0)))
        axes.set_xlabel("PSI beyond chance")
        axes.tick_params(length=0)
        axes.grid(axis="y", visible=False)

    return draw


def categories(names: Sequence[str], expected: Shares, actual: Shares) -> Draw:
    """Give a drawing of the shares of categories, in training and in requests."""

    def draw(axes: Any, colours: Palette) -> None:
        _pairs(axes, colours, [_short(name) for name in names], expected, actual)

    return draw


def numbers(
    edges: Any, merged: Any, expected: Shares, actual: Shares, before: str = "training"
) -> Draw:
    """Give a drawing of the shares of a number's bins, before (in words) and in requests."""
    labels = _ranges(edges, merged)

    def draw(axes: Any, colours: Palette) -> None:
        _pairs(axes, colours, labels, expected, actual, before)

    return draw


def _ranges(edges: Any, merged: Any) -> list[str]:
    """Name merged bins by their ends; a column of few values by the values."""
    last = int(merged[-1])
    ends = [float(edges[merged[:-1] == group][-1]) for group in range(last)]
    if not len(edges):
        return ["all"]
    if len(edges) == last + 1:
        return [f"{edge:.4g}" for edge in edges]
    if not ends:
        return [f"to {edges[-1]:.4g}"]
    between = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(ends)]
    return [f"to {ends[0]:.4g}", *between, f"above {ends[-1]:.4g}"]


def _pairs(
    axes: Any,
    colours: Palette,
    names: Sequence[str],
    expected: Shares,
    actual: Shares,
    before: str = "training",
) -> None:
    """Draw two lying bars a name: what was, and what is."""
    places = range(len(names))
    sides = ((expected, -0.2, colours.before, before), (actual, 0.2, colours.now, "requests"))
    for shares, shift, tint, label in sides:
        heights = [100 * share for share in shares]
        axes.barh([place + shift for place in places], heights, 0.36, color=tint, label=label)
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.xaxis.set_major_formatter("{x:g} %")
    axes.grid(axis="y", visible=False)
    axes.legend(fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)


def calibration(table: Sequence[dict[str, float]]) -> Draw:
    """Give a drawing of what was foretold against what happened."""

    def draw(axes: Any, colours: Palette) -> None:
        axes.plot([0, 1], [0, 1], color=colours.before, linestyle=(0, (4, 3)), linewidth=1)
        foretold = [line["mean_probability"] for line in table]
        happened = [line["positive_rate"] for line in table]
        axes.plot(foretold, happened, "o-", color=colours.now, linewidth=2, markersize=6)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("foretold")
        axes.set_ylabel("happened")

    return draw


def _short(name: str) -> str:
    plain = name.replace("$", r"\$")  # matplotlib takes $…$ for mathematics
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
