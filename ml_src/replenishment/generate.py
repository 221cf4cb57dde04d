"""Write a realistic, made-up table of daily sales by store and product.

Columns are those that `sales.py` reads, `stock` and `lead_time_days` among them. What people want
depends on store and product, weekday (food at the weekend, coffee on working days), season, a slow
trend, promotions in blocks of a few days, and chance that clings to a week, with a spread wider
than Poisson's. Each store reviews its stock of a product once a week and orders up to what the last
weeks sold, as people do: now and then a shelf runs empty, and then sales say less than was wanted.
The same seed gives the same rows.

    python -m ml_src.replenishment.generate --stores 4 --products 12 --days 420 --output sales.csv
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.replenishment.schema import COLUMNS, OWN_COLUMNS, REVIEW_DAYS
from ml_src.shared.columns import Floats

PRODUCTS = (
    "sparkling-water",
    "cola",
    "orange-juice",
    "oat-milk",
    "espresso-beans",
    "green-tea",
    "dark-chocolate",
    "potato-chips",
    "muesli",
    "pasta",
    "tomato-sauce",
    "olive-oil",
)
FIRST_DAY = date(2025, 1, 6)  # a Monday
# Shapes of a week, Monday first: mostly at the weekend, even, on working days.
WEEKS = np.array(
    [
        [0.75, 0.75, 0.80, 0.90, 1.25, 1.50, 1.05],
        [0.95, 0.95, 1.00, 1.00, 1.10, 1.10, 0.90],
        [1.15, 1.15, 1.15, 1.10, 1.05, 0.80, 0.60],
    ]
)
PROMOTION_DAYS = 5
SHARE_PROMOTED = 0.08  # of the blocks of so many days
SAFETY = 1.5  # what stores order up to, beyond what the last weeks sold, in square roots of it


@dataclass(frozen=True)
class World:
    """Days of all series: store and product by series, the rest by series and day.

    wanted: units that people would have bought. sold: what was there of them. stock: at the close.
    """

    stores: tuple[str, ...]
    products: tuple[str, ...]
    store: Any
    product: Any
    lead: Any
    wanted: Any
    sold: Any
    stock: Any
    promotions: Any


def simulate(stores: int = 4, products: int = 12, days: int = 420, seed: int = 1) -> World:
    """Draw a world.

    Args:
        stores, products, days: how many, each at least 1.
        seed: what the draw starts from.
    """
    chance = np.random.default_rng(seed)
    store = np.repeat(np.arange(stores), products)
    product = np.tile(np.arange(products), stores)
    promotions = _promotions(chance, store, product, days)
    mean = _mean(chance, store, product, promotions)
    wanted = chance.poisson(mean * chance.gamma(8.0, 1 / 8.0, mean.shape))
    lead = chance.integers(1, 6, products)[product]
    sold, stock = _sell(wanted, lead)
    names = [*PRODUCTS, *(f"product-{number}" for number in range(len(PRODUCTS) + 1, products + 1))]
    return World(
        tuple(str(number) for number in range(1, stores + 1)),
        tuple(names[:products]),
        store,
        product,
        lead,
        wanted,
        sold,
        stock,
        promotions,
    )


def _promotions(chance: np.random.Generator, store: Any, product: Any, days: int) -> Any:
    """Put a product on promotion for blocks of days, in most stores at once."""
    blocks = -(-days // PROMOTION_DAYS)
    planned = chance.random((product.max() + 1, blocks)) < SHARE_PROMOTED
    joins = chance.random((len(store), blocks)) < 0.9
    return np.repeat(planned[product] & joins, PROMOTION_DAYS, axis=1)[:, :days].astype(np.int64)


def _mean(chance: np.random.Generator, store: Any, product: Any, promotions: Any) -> Floats:
    """Say how many units are wanted on average, by series and day."""
    series, days = promotions.shape
    products = int(product.max()) + 1
    size = chance.lognormal(1.6, 0.7, products)[product]
    size = size * chance.lognormal(0, 0.35, int(store.max()) + 1)[store]
    week = WEEKS[chance.integers(0, len(WEEKS), products)][product]
    day = np.arange(days)
    lift = 1 + (chance.uniform(0.4, 1.4, products)[product])[:, None] * promotions
    phase = chance.uniform(0, 2 * np.pi, products)[product][:, None]
    season = 1 + 0.2 * np.sin(2 * np.pi * day / 365.25 + phase)
    trend = np.exp(chance.normal(0, 0.15, series)[:, None] * day / 365.25)
    return size[:, None] * week[:, day % 7] * lift * season * trend * _moods(chance, series, days)


def _moods(chance: np.random.Generator, series: int, days: int) -> Floats:
    """Draw what clings to a series for about a week: a factor near 1."""
    moods = np.empty((series, days))
    last = chance.normal(0, 0.2, series)
    for day in range(days):
        last = 0.88 * last + np.sqrt(1 - 0.88**2) * chance.normal(0, 0.2, series)
        moods[:, day] = np.exp(last)
    return moods


def _sell(wanted: Any, lead: Any) -> tuple[Any, Any]:
    """Let stores sell what they have, and order once a week what the last weeks say."""
    series, days = wanted.shape
    sold, stock = np.zeros_like(wanted), np.zeros_like(wanted)
    arriving = np.zeros((series, days + int(lead.max()) + 1), wanted.dtype)
    horizon, every = lead + REVIEW_DAYS, np.arange(series)
    have = np.ceil(wanted[:, : 2 * REVIEW_DAYS].mean(axis=1) * (horizon + 3)).astype(wanted.dtype)
    for day in range(days):
        have = have + arriving[:, day]
        sold[:, day] = np.minimum(wanted[:, day], have)
        have = have - sold[:, day]
        stock[:, day] = have
        past = sold[:, max(0, day - 27) : day + 1].mean(axis=1) * horizon
        target = np.ceil(past + SAFETY * np.sqrt(past + 1))
        due = np.where((every + day) % REVIEW_DAYS == 0, 1, 0)
        coming = arriving[:, day + 1 :].sum(axis=1)
        order = np.maximum(target - have - coming, 0).astype(wanted.dtype) * due
        arriving[every, day + lead] += np.where(lead > 0, order, 0)
    return sold, stock


def write(path: Path, world: World) -> int:
    """Write a world's table as CSV to `path`, day by day; returns the number of rows."""
    series, days = world.sold.shape
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join((*COLUMNS, *OWN_COLUMNS)) + "\n")
        for day in range(days):
            text = (FIRST_DAY + timedelta(day)).isoformat()
            file.writelines(
                f"{text},{world.stores[world.store[row]]},{world.products[world.product[row]]},"
                f"{world.sold[row, day]},{world.promotions[row, day]},{world.stock[row, day]},"
                f"{world.lead[row]}\n"
                for row in range(series)
            )
    return series * days


def main(argv: Sequence[str] | None = None) -> None:
    """Write a table as the command line says."""
    parser = argparse.ArgumentParser(description="Write a made-up table of daily sales.")
    parser.add_argument("--stores", type=int, default=4, help="number of stores")
    parser.add_argument("--products", type=int, default=12, help="number of products")
    parser.add_argument("--days", type=int, default=420, help="number of days")
    parser.add_argument("--seed", type=int, default=1, help="what the draw starts from")
    parser.add_argument("--output", type=Path, required=True, help="the CSV file to write")
    given = parser.parse_args(argv)
    if min(given.stores, given.products, given.days) < 1 or given.seed < 0:
        parser.error("--stores, --products and --days must be at least 1 and --seed at least 0")
    world = simulate(given.stores, given.products, given.days, given.seed)
    print(f"wrote {write(given.output, world)} rows to {given.output}")


if __name__ == "__main__":
    main()
