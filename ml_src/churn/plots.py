"""Pictures of an evaluation of churn, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_src.churn.scores import Confusion, Numbers, Steps
from ml_src.shared.plots import BLUE, GREY, INK, ORANGE, picture


def _unit_square(axes: Any) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)


def roc(path: Path, found: Steps, area: float, chosen: Confusion) -> None:
    """Draw the ROC curve, chance, and the chosen threshold."""
    alarms, hits = found.rates()
    with picture(path, f"ROC curve, AUC {area:.3f}") as axes:
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
    with picture(path, f"Precision and recall, average precision {average:.3f}") as axes:
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
    with picture(path, f"Confusion at threshold {threshold:.3f}", (5.6, 4.6)) as axes:
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


def calibration(
    path: Path, table: Sequence[dict[str, float]], probabilities: Numbers, error: float
) -> None:
    """Draw foretold probability against what happened, with the number of customers below."""
    title = f"Calibration, mean error {error:.1%}"
    shape = {"nrows": 2, "ncols": 1, "sharex": True, "height_ratios": [3.4, 1]}
    foretold = [line["mean_probability"] for line in table]
    happened = [line["positive_rate"] for line in table]
    with picture(path, title, (6.4, 5.8), **shape) as (upper, lower):
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
