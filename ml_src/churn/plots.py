"""Pictures of an evaluation, as PNG: each readable alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.figure import Figure

from ml_src.churn.explanation import Explanation
from ml_src.churn.scores import Confusion, Floats, Numbers, Steps

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
def _picture(
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


def _unit_square(axes: Any) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)


def roc(path: Path, found: Steps, area: float, chosen: Confusion) -> None:
    """Draw the ROC curve, chance, and the chosen threshold."""
    alarms, hits = found.rates()
    with _picture(path, f"ROC curve, AUC {area:.3f}") as axes:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="Chance")
        axes.plot(alarms, hits, color=BLUE, linewidth=2, label="Model")
        _mark(axes, chosen.false_alarm_rate, chosen.recall)
        axes.set(xlabel="False positive rate", ylabel="Recall")
        _unit_square(axes)
        axes.legend(loc="lower right")


def precision_recall(path: Path, found: Steps, average: float, chosen: Confusion) -> None:
    """Draw the precision-recall curve, the churn rate, and the chosen threshold."""
    precision, recall = found.precision_recall()
    rate = found.positives / (found.positives + found.negatives)
    with _picture(path, f"Precision and recall, average precision {average:.3f}") as axes:
        axes.axhline(rate, color=GREY, linestyle="--", label=f"Chance (churn rate {rate:.0%})")
        axes.plot(recall, precision, color=BLUE, linewidth=2, label="Model")
        _mark(axes, chosen.recall, chosen.precision)
        axes.set(xlabel="Recall", ylabel="Precision")
        _unit_square(axes)
        axes.legend(loc="upper right")


def confusion(path: Path, chosen: Confusion, threshold: float) -> None:
    """Draw the confusion matrix with counts and each row's shares."""
    rows = [[chosen.quiet, chosen.alarms], [chosen.missed, chosen.hits]]
    shares = [[count / max(sum(row), 1) for count in row] for row in rows]
    with _picture(path, f"Confusion at threshold {threshold:.3f}", (5.6, 4.6)) as axes:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
        axes.set_xticks([0, 1], ["stays", "leaves"])
        axes.set_yticks([0, 1], ["stayed", "left"])
        axes.set(xlabel="The model says", ylabel="The customer")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = shares[row][column]
            text = f"{rows[row][column]:,}\n{share:.0%}"
            ink = "white" if share > 0.65 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=15, color=ink)


def contributions(path: Path, explained: Explanation) -> None:
    """Draw each customer's contributions as a dot, feature by feature, the strongest on top."""
    top = list(explained.strengths())[:12]
    rows = np.unique(np.linspace(0, len(explained.values) - 1, SWARM).astype(int))
    with _picture(path, "What decides: contributions to the score", (7.2, 5.4)) as axes:
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
        axes.set(xlabel="SHAP value: log-odds of leaving")
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


def calibration(
    path: Path, table: Sequence[dict[str, float]], probabilities: Numbers, error: float
) -> None:
    """Draw foretold probability against what happened, with the number of customers below."""
    title = f"Calibration, mean error {error:.1%}"
    shape = {"nrows": 2, "ncols": 1, "sharex": True, "height_ratios": [3.4, 1]}
    foretold = [line["mean_probability"] for line in table]
    happened = [line["positive_rate"] for line in table]
    with _picture(path, title, (6.4, 5.8), **shape) as (upper, lower):
        upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="Perfect")
        upper.plot(foretold, happened, "o-", color=BLUE, linewidth=2, label="Model")
        upper.set(ylabel="Share who left")
        upper.legend(loc="upper left")
        _unit_square(upper)
        lower.hist(probabilities, bins=20, range=(0, 1), color=BLUE, alpha=0.6, rwidth=0.92)
        lower.set(xlabel="Foretold probability", ylabel="Customers")


def _mark(axes: Any, x: float, y: float) -> None:
    """Show where the chosen threshold lies."""
    axes.plot(x, y, "o", color=ORANGE, markersize=9, label="Chosen threshold", zorder=3)
