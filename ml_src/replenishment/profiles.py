"""Learn each product's profile from the training days: weekdays, and what a promotion adds."""

from __future__ import annotations

import numpy as np

from ml_src.replenishment.features import Profile
from ml_src.replenishment.sales import Sales
from ml_src.replenishment.windows import weekday
from ml_src.shared.columns import Floats

OWN_DAYS = 30.0  # so many days of a product's own weigh as much as what all products have in common
MOST_FACTOR = 20.0


def profiles(sales: Sales, days: int) -> dict[str, Profile]:
    """Learn from the first `days` days, all stores of a product together.

    Sales are taken relative to their store's mean of the product, so that a large store does not
    speak for all. What all products have in common steadies a product of few days.
    """
    relative = _relative(sales.known()[:, :days])
    promoted = sales.promotions[:, :days] > 0
    weekdays = weekday(sales.first_day + np.arange(days))
    common = _weekdays(relative, promoted, weekdays, np.ones(7))
    lift = _promotion(relative, promoted, weekdays, common, 1.0)
    found: dict[str, Profile] = {}
    for code, name in enumerate(sales.products):
        own = sales.product == code
        factors = _weekdays(relative[own], promoted[own], weekdays, common)
        promotion = _promotion(relative[own], promoted[own], weekdays, factors, lift)
        found[name] = Profile(tuple(factors.tolist()), promotion)
    return found


def _relative(sales: Floats) -> Floats:
    """Divide each series by its mean; one that never sold has nothing to say."""
    known = ~np.isnan(sales)
    total = np.where(known, sales, 0).sum(axis=1)
    mean = np.divide(total, known.sum(axis=1), out=np.zeros(len(sales)), where=total > 0)
    return sales / np.where(mean > 0, mean, np.nan)[:, None]


def _weekdays(relative: Floats, promoted: Floats, weekdays: Floats, common: Floats) -> Floats:
    """Give a factor for each weekday by the days without promotion, 1 on average."""
    plain = np.where(promoted, np.nan, relative)
    factors = np.empty(7)
    for day in range(7):
        cells = plain[:, weekdays == day]
        cells = cells[~np.isnan(cells)]
        factors[day] = (cells.sum() + OWN_DAYS * common[day]) / (len(cells) + OWN_DAYS)
    return np.clip(factors / factors.mean(), 1 / MOST_FACTOR, MOST_FACTOR)


def _promotion(
    relative: Floats, promoted: Floats, weekdays: Floats, factors: Floats, common: float
) -> float:
    """Give by how much more is sold on promotion than on the same weekday without."""
    expected = np.broadcast_to(factors[weekdays], relative.shape)
    known = ~np.isnan(relative)
    plain, on = known & ~promoted, known & promoted
    base = relative[plain].sum() / max(float(expected[plain].sum()), 1e-9) or 1.0
    sold, usual = float(relative[on].sum()), float(base * expected[on].sum())
    return float(np.clip((sold + OWN_DAYS * common) / (usual + OWN_DAYS), 1 / 5, MOST_FACTOR))
