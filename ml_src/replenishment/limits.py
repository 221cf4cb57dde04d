"""Within which bounds the watched figures of a request lie: what `windows.described` gives."""

from __future__ import annotations

from ml_src.replenishment.schema import HISTORY_DAYS, LEAD_DAYS, UNITS
from ml_src.shared.columns import Number

_RATIO = Number(0, HISTORY_DAYS, "of the mean of 28 days")
_SHARE = Number(0, 1, "of the known days")
_ITEMS = Number(0, 21, "logarithm of items on promotion and 1, on average")

WATCHED = {
    "stock": UNITS,
    "lead_time_days": LEAD_DAYS,
    "daily_sales": UNITS,
    "last_7_days": _RATIO,
    "last_14_days": _RATIO,
    "variation": _RATIO,
    "days_without_sale": _SHARE,
    "days_not_known": _SHARE,
    "promotions_past": _ITEMS,
    "promotions_ahead": _ITEMS,
}
