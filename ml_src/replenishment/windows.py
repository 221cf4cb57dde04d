"""What is known on the morning of a decision: the one form that training and serving share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.replenishment.schema import HISTORY_DAYS, LONGEST_PLAN, REVIEW_DAYS
from ml_src.shared.columns import Categories, Floats

Days = npt.NDArray[np.int64]

MONDAY = date(1970, 1, 5).toordinal()  # any would do


@dataclass(frozen=True)
class Windows:
    """Decisions, a row each.

    products: whose demand is asked for.
    days: the day of the decision, as Python's `date.toordinal` counts.
    stock, on_order: units; NaN where not known. lead: days.
    sales: of the 28 days before, the oldest first; NaN where not known, or sold out.
    promotions: items on promotion on those days. planned: on the 56 days from the decision on.
    """

    products: Categories
    days: Days
    stock: Floats
    on_order: Floats
    lead: Floats
    sales: Floats
    promotions: Floats
    planned: Floats

    def __len__(self) -> int:
        """Give the number of decisions."""
        return len(self.days)

    def take(self, rows: Any) -> Windows:
        """Give some decisions, chosen as numpy does."""
        names = [each.name for each in fields(self) if each.name != "products"]
        return Windows(self.products.take(rows), *(getattr(self, name)[rows] for name in names))

    @property
    def horizon(self) -> Days:
        """Give the days that an order must last for: lead time and review period."""
        return (self.lead + REVIEW_DAYS).astype(np.int64)

    def ahead(self) -> npt.NDArray[np.bool_]:
        """Say which of the planned days lie within the horizon."""
        return np.arange(LONGEST_PLAN) < self.horizon[:, None]

    def weekdays(self) -> tuple[Days, Days]:
        """Give the weekday (0 is Monday) of each day of the history, and of each planned day."""
        past = self.days[:, None] + np.arange(-HISTORY_DAYS, 0)
        coming = self.days[:, None] + np.arange(LONGEST_PLAN)
        return weekday(past), weekday(coming)


def weekday(days: Any) -> Days:
    """Give the weekday of days, 0 for Monday."""
    return (days - MONDAY) % 7


def described(windows: Windows) -> dict[str, Floats]:
    """Give what a request says by itself, by feature; NaN where nothing can be said.

    These are what drift is watched by, and most of what the model decides by.
    """
    sales, known = windows.sales, ~np.isnan(windows.sales)
    daily = _mean(sales)
    scale = np.maximum(daily, 1 / HISTORY_DAYS)
    spread = np.sqrt(_mean((sales - daily[:, None]) ** 2))
    return {
        "stock": windows.stock,
        "lead_time_days": windows.lead,
        "daily_sales": daily,
        "last_7_days": _mean(sales[:, -7:]) / scale,
        "last_14_days": _mean(sales[:, -14:]) / scale,
        "variation": spread / scale,
        "days_without_sale": _mean(np.where(known, sales == 0, np.nan)),
        "days_not_known": 1 - known.mean(axis=1),
        "promotions_past": np.log1p(windows.promotions).mean(axis=1),
        "promotions_ahead": _mean(np.where(windows.ahead(), np.log1p(windows.planned), np.nan)),
    }


def seasonal_naive(windows: Windows) -> Floats:
    """Foretell demand as people do without a model: as on the last four of the same weekday.

    A weekday of which none is known counts as the mean of all that are.
    """
    past, coming = windows.weekdays()
    means = np.stack(
        [_mean(np.where(past == day, windows.sales, np.nan)) for day in range(7)], axis=1
    )
    means = np.where(np.isnan(means), _mean(windows.sales)[:, None], means)
    daily = np.take_along_axis(np.nan_to_num(means), coming, axis=1)
    return (daily * windows.ahead()).sum(axis=1)


def _mean(values: Floats) -> Floats:
    """Give each row's mean of what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.divide(total, counts, out=np.full(len(values), np.nan), where=counts > 0)
