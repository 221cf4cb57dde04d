"""The one encoding of decisions as numbers, used by preparation and by serving alike.

The encoder learns of each product, on the training days only, how its sales differ by weekday and
what a promotion adds. From that and a decision's own history follows `expected`, the demand of the
horizon if nothing but weekdays and promotions mattered:

    level    = (units sold on the known days + 0.5) / (those days' factors, added up)
    expected = level x (the horizon days' factors, added up)

The model foretells demand as a share of `expected`, so that products of any size teach each other,
and `expected` gives units again. Stock is no feature: it decides on what to order, not on what is
wanted, and a model that saw it would take empty shelves for a lack of demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_src.replenishment.schema import QUANTILES, REVIEW_DAYS, SERVICE_LEVEL
from ml_src.replenishment.windows import Windows, described, seasonal_naive, weekday
from ml_src.shared.columns import Features, Floats
from ml_src.shared.encoding import EncoderError, parsed

VERSION = 1
USUAL = 1.0  # a last week of which no day is known counts as the others
PRIOR = 0.5  # units added to a history's sales, so that none expects nothing
FROM_REQUEST = (
    "lead_time_days",
    "last_7_days",
    "last_14_days",
    "variation",
    "days_without_sale",
    "days_not_known",
    "promotions_past",
    "promotions_ahead",
)
COLUMNS = (
    "expected",
    "seasonal_naive",
    *FROM_REQUEST,
    "day_of_week",
)
EXPECTED, NAIVE = COLUMNS.index("expected"), COLUMNS.index("seasonal_naive")


@dataclass(frozen=True)
class Profile:
    """How a product sells: a factor for each weekday (1 on average), and on promotion."""

    weekdays: tuple[float, ...]
    promotion: float


@dataclass(frozen=True)
class Encoder:
    """What the training days taught, by product."""

    products: Mapping[str, Profile]

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the features in their order."""
        return COLUMNS

    def factors(self, windows: Windows) -> tuple[Floats, Floats]:
        """Give the factor of each day of the history, and of each planned day."""
        asked, rows = np.unique(windows.products.codes, return_inverse=True)
        profiles = [self.products[windows.products.values[code]] for code in asked]
        weekly = np.array([profile.weekdays for profile in profiles])[rows]
        promoted = np.array([profile.promotion for profile in profiles])[rows]
        found: list[Floats] = []
        for weekdays, items in zip(
            windows.weekdays(), (windows.promotions, windows.planned), strict=True
        ):
            daily = np.take_along_axis(weekly, weekdays, axis=1)
            found.append(np.where(items > 0, daily * promoted[:, None], daily))
        return found[0], found[1]

    def level(self, windows: Windows, past: Floats) -> Floats:
        """Give what a day of factor 1 sells, by the history and its factors."""
        known = ~np.isnan(windows.sales)
        sold = np.where(known, windows.sales, 0).sum(axis=1) + PRIOR
        return sold / np.maximum(np.where(known, past, 0).sum(axis=1), 1e-3)

    def transform(self, windows: Windows) -> Features:
        """Encode decisions, of products that are known, as float32, a row each."""
        past, coming = self.factors(windows)
        expected = self.level(windows, past) * (coming * windows.ahead()).sum(axis=1)
        values = {
            **described(windows),
            "expected": expected,
            "seasonal_naive": seasonal_naive(windows) / expected,
            "day_of_week": weekday(windows.days),
        }
        found = np.stack([values[name] for name in COLUMNS], axis=1)
        return np.nan_to_num(found, nan=USUAL).astype(np.float32)

    def knows(self, windows: Windows) -> Any:
        """Say of which decisions training has seen the product."""
        known = np.array([name in self.products for name in windows.products.values])
        return known[windows.products.codes]

    def document(self) -> dict[str, Any]:
        """Give the encoder as a document for JSON."""
        return {
            "version": VERSION,
            "columns": list(COLUMNS),
            "quantiles": list(QUANTILES),
            "service_level": SERVICE_LEVEL,
            "review_days": REVIEW_DAYS,
            "products": {
                name: {
                    "weekdays": [round(factor, 6) for factor in profile.weekdays],
                    "promotion": round(profile.promotion, 6),
                }
                for name, profile in self.products.items()
            },
        }

    @classmethod
    def from_text(cls, text: str | bytes) -> Encoder:
        """Read what `document` gave, as JSON.

        Raises:
            EncoderError: it is of another version or form, or made for other features, quantiles
                or another review period than this code's.
        """
        document = parsed(text, VERSION)
        try:
            products = {
                name: Profile(tuple(map(float, found["weekdays"])), float(found["promotion"]))
                for name, found in document["products"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EncoderError(f"the encoder is incomplete: {error!r}") from error
        if not products or any(len(each.weekdays) != 7 for each in products.values()):
            raise EncoderError("the encoder knows no product, or one without its seven weekdays")
        encoder = cls(products)
        fixed = {name: value for name, value in encoder.document().items() if name != "products"}
        odd = [name for name, value in fixed.items() if document.get(name) != value]
        if odd:
            raise EncoderError(f"the encoder was made for other {', '.join(odd)} than this code's")
        return encoder


def units(shares: Any, features: Features) -> Floats:
    """Turn the model's shares into units by quantile: never negative, never crossing.

    Quantiles that are learnt one by one may cross; sorting them brings each nearer to the truth
    (Chernozhukov, Fernández-Val and Galichon, "Quantile and Probability Curves Without Crossing").
    """
    found = np.sort(np.maximum(shares.astype(np.float64), 0), axis=1)
    return found * features[:, [EXPECTED]]
