"""How well quantiles foretell demand, beside the seasonal-naive base line, and what they are worth.

All figures are in units. The base line foretells demand as on the last four of the same weekday,
and has quantiles too: its forecast, spread as its own errors on the validation side were. So it is
beaten by knowing more, and not by being the only one that knows how unsure it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_src.replenishment.schema import MEDIAN, QUANTILES
from ml_src.shared.columns import Floats

LEAST_UNITS = 0.5  # below that a forecast is no measure of spread


def wape(demand: Floats, forecast: Floats) -> float:
    """Give the weighted absolute percentage error: the errors added up, as a share of demand."""
    return float(np.abs(demand - forecast).sum() / demand.sum())


def pinball(demand: Floats, forecast: Floats, quantile: float) -> float:
    """Give the mean pinball loss of one quantile's forecast, in units."""
    over = demand - forecast
    return float(np.maximum(quantile * over, (quantile - 1) * over).mean())


def mean_pinball(demand: Floats, quantiles: Floats) -> float:
    """Give the pinball loss of all quantiles, on average."""
    losses = [pinball(demand, quantiles[:, place], q) for place, q in enumerate(QUANTILES)]
    return float(np.mean(losses))


def coverage(demand: Floats, quantiles: Floats) -> list[float]:
    """Say for each quantile in what share of cases demand did not exceed it."""
    return [float(share) for share in (demand[:, None] <= quantiles).mean(axis=0)]


def spread(demand: Floats, naive: Floats) -> Floats:
    """Learn by how much to multiply the base line's forecast for each quantile."""
    return np.quantile(demand / np.maximum(naive, LEAST_UNITS), QUANTILES)


@dataclass(frozen=True)
class Service:
    """What came of stocking up to so much at each decision.

    cycle: share of cases without a lost sale. fill: share of demand that was served.
    stock: units stocked, as a share of demand. left: units left over, as a share of demand.
    """

    cycle: float
    fill: float
    stock: float
    left: float

    @classmethod
    def of(cls, demand: Floats, stock: Floats) -> Service:
        """Let every horizon sell what people want, as far as it is there."""
        total = demand.sum()
        return cls(
            float((demand <= stock).mean()),
            float(np.minimum(demand, stock).sum() / total),
            float(stock.sum() / total),
            float(np.maximum(stock - demand, 0).sum() / total),
        )


def same_stock(demand: Floats, naive: Floats, stock: Floats) -> Service:
    """Let the base line spend as many units in all as `stock` does, each its share."""
    return Service.of(demand, naive * (stock.sum() / max(float(naive.sum()), LEAST_UNITS)))


def regression(demand: Floats, quantiles: Floats) -> dict[str, float]:
    """Give the usual figures of the median: mae, mse, rmse and r2, and its WAPE and bias."""
    median = quantiles[:, MEDIAN]
    squared = float(((demand - median) ** 2).mean())
    variance = float(demand.var())
    return {
        "mae": float(np.abs(demand - median).mean()),
        "mse": squared,
        "rmse": float(np.sqrt(squared)),
        "r2": 1 - squared / variance if variance else 0.0,
        "wape": wape(demand, median),
        "bias": float((median - demand).sum() / demand.sum()),
        "pinball": mean_pinball(demand, quantiles),
    }


def figures(demand: Floats, quantiles: Floats) -> dict[str, Any]:
    """Give what is said of the model and of the base line alike."""
    return {
        "wape": wape(demand, quantiles[:, MEDIAN]),
        "pinball": mean_pinball(demand, quantiles),
        "coverage": dict(zip(map(str, QUANTILES), coverage(demand, quantiles), strict=True)),
    }
