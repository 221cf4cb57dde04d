"""What the replenishment endpoint is asked. Pure.

Its contract is `request.schema.json` in `ml_src/replenishment`: 28 days of sales before the day of
the decision, the promotions on them and after them, what is in the store and what is on its way.
The model computes its features itself, as it did in training.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from retail.orders import Planned, on_order

HISTORY_DAYS = 28
PLANNED_DAYS = 56

Days = Mapping[str, Mapping[str, Any]]


def span(today: str) -> tuple[str, str]:
    """Return the first and the last day, ISO dates, whose rows a request of `today` needs."""
    day = date.fromisoformat(today)
    last = day + timedelta(days=PLANNED_DAYS - 1)
    return str(day - timedelta(days=HISTORY_DAYS)), str(last)


def build(
    store: str,
    today: str,
    plan: Sequence[Planned],
    counts: Mapping[str, int],
    open_orders: Sequence[Mapping[str, Any]],
    sales: Mapping[str, Days],
) -> dict[str, Any] | None:
    """Return the request about all planned products; None if nothing is planned.

    counts: units on the shelf by the counting model's label; a planned product that was not seen
    counts 0. sales: rows by product and day, each with `sales` (absent when not known, or sold
    out) and `promotion`.
    """
    instances = [
        {
            "store": store,
            "product": each.product,
            "date": today,
            "stock": counts.get(each.label, 0) + each.backroom,
            "on_order": on_order(open_orders, each.product, today),
            "lead_time_days": each.lead_time_days,
            **_history(today, sales.get(each.product, {})),
        }
        for each in plan
    ]
    return {"instances": instances} if instances else None


def _history(today: str, rows: Days) -> dict[str, Any]:
    day = date.fromisoformat(today)
    before = [str(day - timedelta(days=back)) for back in range(HISTORY_DAYS, 0, -1)]
    after = [str(day + timedelta(days=ahead)) for ahead in range(PLANNED_DAYS)]
    planned = [_promotion(rows, each) for each in after]
    while planned and not planned[-1]:
        planned.pop()
    return {
        "sales": [rows.get(each, {}).get("sales") for each in before],
        "promotions": [_promotion(rows, each) for each in before],
        "planned_promotions": planned,
    }


def _promotion(rows: Days, day: str) -> Any:
    return rows.get(day, {}).get("promotion") or 0
