"""From boxes to counts. Pure: no AWS, no clock.

One product is one box: of boxes that overlap by `same_box` or more (intersection over union) the
surest stays, whatever the others are called, since two products cannot stand in one place.

The pictures of one reading are either parts of a shelf beside each other, from left to right, whose
edges may overlap: what lies in the left `overlap` of a picture (by its middle) stands on the
picture to its left already, and counts there. Or each shows the whole shelf: then the most that
any one of them shows counts.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Tally = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Rules:
    """How boxes are counted.

    minimum_confidence: in per cent, below which a box does not count. products: the same for some
    products. same_box: share of overlap. pictures, overlap: see above.
    """

    minimum_confidence: float = 70.0
    products: Mapping[str, float] = field(default_factory=dict[str, float])
    same_box: float = 0.5
    pictures: Literal["side_by_side", "repeated"] = "side_by_side"
    overlap: float = 0.0

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with the rules."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Box:
    """A product that was seen: shares of the picture's width and height, confidence in per cent."""

    product: str
    confidence: float
    left: float
    top: float
    width: float
    height: float


def boxes_of(analyses: Mapping[str, Any]) -> list[Box]:
    """Return the boxes that a vision record holds; a label without one is of the whole picture."""
    return [
        Box(
            str(label["name"]),
            float(label["confidence"]),
            *(float(label["box"][side]) for side in ("left", "top", "width", "height")),
        )
        for model in analyses["custom_labels"]["models"]
        for label in model["labels"]
        if label.get("box")
    ]


def tally(boxes: Sequence[Box], rules: Rules, number: int) -> Tally:
    """Return by product how many a picture adds, and the least confidence among them.

    number: the picture's, from the left.
    """
    counted: Tally = {}
    for box in _one_each(boxes, rules):
        if number > 1 and rules.pictures == "side_by_side" and _middle(box) < rules.overlap:
            continue
        found = counted.setdefault(box.product, {"count": 0, "confidence": 100.0})
        found["count"] += 1
        found["confidence"] = min(found["confidence"], box.confidence)
    return counted


def combine(tallies: Mapping[int, Tally], rules: Rules) -> list[dict[str, Any]]:
    """Return the counts of a reading by product: count, least confidence, numbers of pictures."""
    by_product: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for number, counted in sorted(tallies.items()):
        for product, found in counted.items():
            by_product[product].append((number, found))
    together = max if rules.pictures == "repeated" else sum
    return [
        {
            "product": product,
            "count": together([int(each["count"]) for _, each in found]),
            "confidence": min(float(each["confidence"]) for _, each in found),
            "pictures": [number for number, _ in found],
        }
        for product, found in sorted(by_product.items())
    ]


def overlap_of(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, 0 to 1."""
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0.0, across) * max(0.0, down)
    union = one.width * one.height + other.width * other.height - shared
    return shared / union if union > 0 else 0.0


def _one_each(boxes: Sequence[Box], rules: Rules) -> list[Box]:
    sure = [
        box
        for box in boxes
        if box.confidence >= rules.products.get(box.product, rules.minimum_confidence)
    ]
    kept: list[Box] = []
    # Ties in an order of their own, so that the answer does not hang on the service's.
    for box in sorted(sure, key=lambda each: (-each.confidence, each.product, each.left, each.top)):
        if all(overlap_of(box, other) < rules.same_box for other in kept):
            kept.append(box)
    return kept


def _middle(box: Box) -> float:
    return box.left + box.width / 2
