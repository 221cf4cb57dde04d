"""What a sales table and a request hold, and the numbers that the contract fixes.

The table's columns are those of the public "Store Sales - Time Series Forecasting" set (Corporación
Favorita, Kaggle), `id` aside; two columns of our own may stand beside them.
"""

from __future__ import annotations

from ml_src.shared.columns import Number

DATE, STORE, PRODUCT, SALES, PROMOTION = "date", "store_nbr", "family", "sales", "onpromotion"
COLUMNS = (DATE, STORE, PRODUCT, SALES, PROMOTION)
STOCK, LEAD = "stock", "lead_time_days"
OWN_COLUMNS = (STOCK, LEAD)  # a table may lack them

HISTORY_DAYS = 28  # a request's: four of each weekday
LEAST_KNOWN_DAYS = 7  # of these; with fewer nothing is foretold
REVIEW_DAYS = 7  # from one order to the next
LONGEST_LEAD = 28
LONGEST_PLAN = 56  # days of planned promotions
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
MEDIAN = QUANTILES.index(0.5)
SERVICE_LEVEL = 0.9  # of `QUANTILES`: what the recommended quantity is for
NAMES = tuple(f"p{round(100 * quantile)}" for quantile in QUANTILES)

UNITS = Number(0, 1e9, "units")
ITEMS = Number(0, 1e9, "items on promotion")
LEAD_DAYS = Number(0, LONGEST_LEAD, "days from an order to its arrival")

# In the order of a row without names.
INPUTS = (
    "store",
    "product",
    "date",
    "stock",
    "on_order",
    "lead_time_days",
    "sales",
    "promotions",
    "planned_promotions",
)
OPTIONAL = frozenset({"on_order", "promotions", "planned_promotions"})
LONGEST_NAME = 200
