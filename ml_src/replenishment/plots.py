"""Pictures of an evaluation of replenishment, as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ml_src.replenishment import scores
from ml_src.replenishment.schema import MEDIAN, NAMES, QUANTILES
from ml_src.shared.columns import Floats
from ml_src.shared.plots import BLUE, GREY, ORANGE, picture

DOTS = 1500
BASE_LINE = "Seasonal naive"


def coverage(path: Path, model: Mapping[str, Any], naive: Mapping[str, Any]) -> None:
    """Draw each quantile against the share of cases that it was enough for."""
    with picture(path, "Are the quantiles right?") as axes:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="Perfect")
        for found, colour, name in ((naive, ORANGE, BASE_LINE), (model, BLUE, "Model")):
            axes.plot(QUANTILES, list(found["coverage"].values()), "o-", color=colour, label=name)
        axes.set(xlabel="Quantile", ylabel="Share of decisions it was enough for")
        axes.legend(loc="upper left")


def pinball(path: Path, demand: Floats, quantiles: Floats, naive: Floats) -> None:
    """Draw each quantile's pinball loss, of the model and of the base line."""
    places = np.arange(len(QUANTILES))
    improved = 1 - scores.mean_pinball(demand, quantiles) / scores.mean_pinball(demand, naive)
    with picture(path, f"Pinball loss, {improved:.1%} below the base line") as axes:
        for found, colour, name, shift in (
            (naive, ORANGE, BASE_LINE, -0.2),
            (quantiles, BLUE, "Model", 0.2),
        ):
            losses = [scores.pinball(demand, found[:, place], QUANTILES[place]) for place in places]
            axes.bar(places + shift, losses, 0.38, color=colour, label=name)
        axes.set_xticks(places, NAMES)
        axes.set(xlabel="Quantile", ylabel="Units a decision")
        axes.legend(loc="upper left")


def forecast(path: Path, demand: Floats, quantiles: Floats) -> None:
    """Draw what was foretold against what was wanted."""
    rows = np.unique(np.linspace(0, len(demand) - 1, DOTS).astype(int))
    median = quantiles[rows, MEDIAN]
    reach = float(max(demand.max(), median.max())) + 1
    error = scores.wape(demand, quantiles[:, MEDIAN])
    with picture(path, f"Forecast and demand, WAPE {error:.1%}") as axes:
        axes.plot([0, reach], [0, reach], color=GREY, linestyle="--", label="Perfect")
        axes.plot(median, demand[rows], "o", color=BLUE, markersize=3, alpha=0.4, label="Decision")
        axes.set(xlabel="Foretold median (units)", ylabel="Wanted (units)")
        axes.set_xscale("symlog", linthresh=10)
        axes.set_yscale("symlog", linthresh=10)
        axes.legend(loc="upper left")


def service(path: Path, demand: Floats, quantiles: Floats, naive: Floats) -> None:
    """Draw how much of demand is served by how much stock."""
    with picture(path, "Service for the same stock") as axes:
        stocks = [quantiles[:, place] for place in range(len(QUANTILES))]
        ours = [scores.Service.of(demand, stock) for stock in stocks]
        theirs = [scores.same_stock(demand, naive, stock) for stock in stocks]
        for found, colour, name in ((theirs, ORANGE, BASE_LINE), (ours, BLUE, "Model")):
            across, along = [each.stock for each in found], [each.fill for each in found]
            axes.plot(across, along, "o-", color=colour, label=name)
        for each, name in zip(ours, NAMES, strict=True):
            axes.annotate(name, (each.stock, each.fill), (0, 7), textcoords="offset points")
        axes.set(xlabel="Units stocked for each unit wanted", ylabel="Share of demand served")
        axes.legend(loc="lower right")
