"""Where in an image something is, as records hold it."""

from collections.abc import Mapping
from typing import Any

# A hundred-thousandth of a side is a tenth of a pixel of the largest image there may be.
DIGITS = 5


def box(found: Mapping[str, Any] | None) -> dict[str, float] | None:
    """Return a BoundingBox ("BoundingBox", Amazon Rekognition API reference): left, top, width
    and height as shares of the image's width and height; None where there is none."""
    if not found:
        return None
    names = ("Left", "Top", "Width", "Height")
    return {name.lower(): share(found.get(name)) for name in names}


def share(value: float | None) -> float:
    """Return a share of a side, rounded to what can matter."""
    return round(float(value or 0.0), DIGITS)
