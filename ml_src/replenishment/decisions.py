"""Decisions of the past, with what was wanted afterwards: the rows that a model learns from.

A side of the split has a stretch of days. Its decisions fall into that stretch, and so do all days
that they are judged by: nothing of a later stretch is in an earlier one's demand. The days *before*
a decision may lie in the stretch before, as they would on the day itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_src.replenishment.features import Encoder
from ml_src.replenishment.sales import Sales
from ml_src.replenishment.schema import HISTORY_DAYS, LEAST_KNOWN_DAYS, LONGEST_PLAN, REVIEW_DAYS
from ml_src.replenishment.windows import Windows
from ml_src.shared.columns import Categories, Features, Floats

Places = npt.NDArray[np.int64]

DRAWN_LEADS = (1, 7)  # days, where the table tells none
MOST_GUESSED = 1 / 3  # of the horizon's days; a decision with more of them teaches nothing
CHUNK = 16_384  # decisions encoded at a time


@dataclass(frozen=True)
class Decisions:
    """Some decisions: the series, the day (from the table's first, 0) and the lead time of each."""

    series: Places
    day: Places
    lead: Places

    def __len__(self) -> int:
        """Give the number of decisions."""
        return len(self.series)

    def take(self, rows: Any) -> Decisions:
        """Give some of them, chosen as numpy does."""
        return Decisions(self.series[rows], self.day[rows], self.lead[rows])


def decisions(sales: Sales, begin: int, end: int, most: int, seed: int) -> Decisions:
    """Find the decisions of a stretch of days that can be learnt from.

    Args:
        sales: the table.
        begin, end: the stretch, from day `begin` on and before day `end`.
        most: about so many are kept, evenly spread.
        seed: of the lead times, where the table tells none.
    """
    first = max(begin, HISTORY_DAYS)
    days = np.arange(first, max(first, end - REVIEW_DAYS))
    series = np.repeat(np.arange(len(sales.store)), len(days))
    day = np.tile(days, len(sales.store))
    kept = (day + 3 * series) % max(1, -(-len(day) // most)) == 0
    series, day = series[kept], day[kept]
    told = sales.lead[series, day]
    drawn = np.random.default_rng(seed).integers(DRAWN_LEADS[0], DRAWN_LEADS[1] + 1, len(day))
    lead = np.where(np.isnan(told), drawn, np.round(told)).astype(np.int64)
    known = ~np.isnan(sales.known())
    count = np.cumsum(np.pad(known, ((0, 0), (1, 0))), axis=1)
    past = count[series, day] - count[series, day - HISTORY_DAYS]
    horizon = lead + REVIEW_DAYS
    inside = day + horizon <= end
    last = np.minimum(day + horizon, sales.days)
    guessed = horizon - (count[series, last] - count[series, day])
    good = inside & (past >= LEAST_KNOWN_DAYS) & (guessed <= MOST_GUESSED * horizon)
    return Decisions(series, day, lead).take(good)


def windows(sales: Sales, chosen: Decisions) -> Windows:
    """Give what was known on the morning of each decision."""
    series, day = chosen.series, chosen.day
    past = day[:, None] + np.arange(-HISTORY_DAYS, 0)
    coming = day[:, None] + np.arange(LONGEST_PLAN)
    planned = sales.promotions[series[:, None], np.minimum(coming, sales.days - 1)]
    return Windows(
        products=Categories(sales.products, sales.product[series]),
        days=sales.first_day + day,
        stock=sales.stock[series, day - 1],
        on_order=np.zeros(len(chosen)),
        lead=chosen.lead.astype(np.float64),
        sales=sales.known()[series[:, None], past],
        promotions=sales.promotions[series[:, None], past],
        planned=np.where(coming < sales.days, planned, 0),
    )


def demand(sales: Sales, chosen: Decisions, encoder: Encoder, asked: Windows) -> Floats:
    """Give the units wanted in each horizon.

    A day that is not known counts as the product's weekday, promotion and the history's level let
    expect, but for no less than it sold.
    """
    past, factors = encoder.factors(asked)
    usual = encoder.level(asked, past)[:, None] * factors
    coming = np.minimum(chosen.day[:, None] + np.arange(LONGEST_PLAN), sales.days - 1)
    known = sales.known()[chosen.series[:, None], coming]
    least = np.nan_to_num(sales.sales[chosen.series[:, None], coming])
    daily = np.where(np.isnan(known), np.maximum(usual, least), known)
    return (daily * asked.ahead()).sum(axis=1)


def encoded(
    sales: Sales, chosen: Decisions, encoder: Encoder
) -> Iterator[tuple[npt.NDArray[np.float32], Features]]:
    """Yield labels (demand as a share of what is expected) and features, some rows at a time."""
    for start in range(0, len(chosen), CHUNK):
        part = chosen.take(slice(start, start + CHUNK))
        asked = windows(sales, part)
        features = encoder.transform(asked)
        wanted = demand(sales, part, encoder, asked)
        yield (wanted / features[:, 0]).astype(np.float32), features
