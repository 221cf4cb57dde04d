"""How pictures of an evaluation look, as PNG: each readable alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.figure import Figure

from ml_src.shared.columns import Floats
from ml_src.shared.explanation import Explanation, Numbers

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#d9772b", "#9aa3ad", "#26313c"
DOTS = 130  # per inch
SWARM = 600  # dots of a feature
STYLE = {
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": "#e4e8ec",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@contextmanager
def picture(
    path: Path, title: str, size: tuple[float, float] = (6.4, 5.0), **rows: Any
) -> Iterator[Any]:
    """Give the axes of a new picture (several where `rows` asks for them), then write it."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
        axes = figure.subplots(**rows)
        (axes[0] if rows else axes).set_title(title, pad=12)
        yield axes
        # No version in the file: the same evaluation gives the same bytes.
        figure.savefig(path, metadata={"Software": None})


def contributions(path: Path, explained: Explanation) -> None:
    """Draw each row's contributions as a dot, feature by feature, the strongest on top."""
    top = list(explained.strengths())[:12]
    rows = np.unique(np.linspace(0, len(explained.values) - 1, SWARM).astype(int))
    with picture(path, "What decides: contributions to the score", (7.2, 5.4)) as axes:
        across: list[Floats] = []
        along: list[Floats] = []
        colours: list[Floats] = []
        for height, name in enumerate(reversed(top)):
            column = explained.names.index(name)
            found = explained.contributions[rows, column]
            across.append(found)
            along.append(height + _swarm(found))
            colours.append(_relative(explained.values[rows, column]))
        dots = axes.scatter(
            np.concatenate(across),
            np.concatenate(along),
            c=np.concatenate(colours),
            cmap="coolwarm",
            vmin=0,
            vmax=1,
            s=7,
            linewidths=0,
        )
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(range(len(top)), list(reversed(top)))
        axes.set(xlabel=f"SHAP value: {explained.unit}")
        axes.tick_params(axis="y", length=0)
        bar = axes.figure.colorbar(dots, ax=axes, ticks=[0, 1], pad=0.02, aspect=30)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("Value of the feature", labelpad=-18)
        bar.outline.set_visible(False)


def _swarm(found: Floats) -> Floats:
    """Spread dots of about the same place up and down, the most where they are densest."""
    width = float(np.ptp(found)) or 1.0
    bins = ((found - found.min()) / width * 60).astype(int)
    counts = np.bincount(bins)
    order = np.argsort(bins, kind="stable")
    first = np.cumsum(counts) - counts
    place = np.empty(len(found))
    place[order] = np.arange(len(found)) - first[bins[order]]
    # 0, 1, -1, 2, -2, … of a bin, 0.4 of the way to the neighbour at most.
    sided = np.where(place % 2 == 1, (place + 1) / 2, -place / 2)
    return 0.8 * sided / max(int(counts.max()), 1)


def _relative(values: Numbers) -> Floats:
    """Say where values lie between a feature's low (0) and high (1), outliers left out."""
    low, high = np.quantile(values, (0.05, 0.95))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return np.clip((values - low) / ((high - low) or 1.0), 0, 1).astype(np.float64)
