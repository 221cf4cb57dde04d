"""The confidence policy: which decision follows from a label and its confidence."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.base import Broken, Section, Shape, whole

EVERY_LABEL = "*"
BAND = "[from, to], two numbers from 0 to 100, the first below the second"
COVER = (
    "bands that together cover 0 to 100 with no gap and no overlap, stricter ones higher: "
    "accept, then review, then reject; each may be left out"
)

Confidence = Annotated[float, Field(ge=0, le=100), AfterValidator(whole)]


def _two_numbers(value: Any) -> Any:
    """Refuse anything but a pair before pydantic speaks of missing tuple items."""
    if not isinstance(value, list | tuple) or len(cast(list[Any], value)) != 2:
        context = {"problem": "is not a pair of numbers", "allowed": BAND}
        raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
    return cast(Any, value)


Band = Annotated[
    tuple[Confidence, Confidence],
    Field(strict=False),
    BeforeValidator(_two_numbers),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "number", "minimum": 0, "maximum": 100},
            "minItems": 2,
            "maxItems": 2,
            "x-allowed": BAND,
        }
    ),
]


class Bands(Section):
    """The confidence bands of one label.

    A band `[from, to]` holds every confidence from its first number up to, but not including,
    its second; the highest band also holds 100. The bands cover 0 to 100 with no gap and no
    overlap, and a stricter decision lies higher: accept, then review, then reject. A decision
    that is left out is never made.
    """

    accept: Band | None = None
    """Confidences at which the label is ignored."""
    review: Band | None = None
    """Confidences at which a person looks at the image."""
    reject: Band | None = None
    """Confidences at which the image is refused and its version quarantined."""

    def given(self) -> dict[str, tuple[float, float]]:
        """Return the bands that there are, by decision, the least strict first."""
        bands = {"accept": self.accept, "review": self.review, "reject": self.reject}
        return {decision: band for decision, band in bands.items() if band is not None}

    def strict_from(self) -> float | None:
        """Return the lowest confidence (0 to 100) that is not simply accepted, or None."""
        return min(
            (band[0] for name, band in self.given().items() if name != "accept"), default=None
        )

    def rules(self) -> Iterator[Broken]:
        """Yield empty bands first; else gaps, overlaps and bands in the wrong order."""
        bands = self.given()
        if not bands:
            yield Broken((), {}, "has no band", COVER)
            return
        empty = {name: band for name, band in bands.items() if band[0] >= band[1]}
        for name, band in empty.items():
            problem = "is empty: its first number is not below its second"
            yield Broken((name,), list(band), problem, BAND)
        if not empty:
            yield from _misplaced(bands)
            yield from _uncovered(bands)


def _misplaced(bands: dict[str, tuple[float, float]]) -> Iterator[Broken]:
    for (milder, low), (stricter, high) in pairwise(bands.items()):
        if high < low:
            problem = f"lies below {milder} {list(low)}, which is less strict"
            yield Broken((stricter,), list(high), problem, COVER)


def _uncovered(bands: dict[str, tuple[float, float]]) -> Iterator[Broken]:
    ordered = sorted(bands.items(), key=lambda item: item[1])
    first, last = ordered[0], max(ordered, key=lambda item: item[1][1])
    if first[1][0] != 0:
        problem = f"leaves a gap: no band holds 0 to {first[1][0]}"
        yield Broken((first[0],), list(first[1]), problem, COVER)
    for (lower, low), (higher, high) in pairwise(ordered):
        if high[0] < low[1]:
            end = min(low[1], high[1])
            problem = f"overlaps {lower} {list(low)} from {high[0]} to {end}"
        elif high[0] > low[1]:
            problem = f"leaves a gap: no band holds {low[1]} to {high[0]}"
        else:
            continue
        yield Broken((higher,), list(high), problem, COVER)
    if last[1][1] != 100:
        problem = f"leaves a gap: no band holds {last[1][1]} to 100"
        yield Broken((last[0],), list(last[1]), problem, COVER)


LabelName = Annotated[
    str,
    Shape(
        r"\*|[^\s*](?:[^*]{0,254}[^\s*])?",
        'a label, the name of a parent category, or "*" for every other label; '
        "1 to 256 characters, no space at either end",
    ),
]

LabelPolicy = Annotated[
    Mapping[LabelName, Bands], Field(json_schema_extra={"required": [EVERY_LABEL]})
]
