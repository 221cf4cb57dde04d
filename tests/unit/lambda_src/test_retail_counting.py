"""From keys and boxes to counts."""

from __future__ import annotations

import random
from typing import Any

import pytest

from retail import counting, pictures
from retail.counting import Box, Rules
from shared.s3_events import Malformed

CAME = "2026-11-23T08:00:00Z"


def at(left: float, product: str = "cola", confidence: float = 90.0, width: float = 0.1) -> Box:
    return Box(product, confidence, left, 0.2, width, 0.3)


def counts(boxes: list[Box], rules: Rules | None = None, number: int = 1) -> dict[str, int]:
    tally = counting.tally(boxes, rules or Rules(), number)
    return {product: found["count"] for product, found in tally.items()}


def test_a_key_says_shelf_reading_and_place() -> None:
    found = pictures.parse("shelves/3/aisle-5/20261123T073000Z/2-of-3.JPG", "shelves/", CAME)
    assert (found.store, found.aisle, found.reading) == ("3", "aisle-5", "20261123T073000Z")
    assert (found.number, found.pictures) == (2, 3)
    assert found.read_at == "2026-11-23T07:30:00Z"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("3/a/20261123T073000Z/1-of-1.jpg", "not of the form shelves/<store>"),
        ("shelves/3/20261123T073000Z/1-of-1.jpg", "not of the form"),
        ("shelves/3/a#b/20261123T073000Z/1-of-1.jpg", "not of the form"),
        ("shelves/3/a/20261123T073000Z/1-of-1.gif", "not of the form"),
        ("shelves/3/a/20261123T073000Z/0-of-1.jpg", "not of the form"),
        ("shelves/3/a/20261123T073000Z/2-of-1.jpg", "says 2-of-1"),
        ("shelves/3/a/20261123T073000Z/1-of-21.jpg", "allowed are 1 to 20"),
        ("shelves/3/a/20261323T073000Z/1-of-1.jpg", "is no time"),
        ("shelves/3/a/20261123T090001Z/1-of-1.jpg", "lies ahead of its picture"),
    ],
)
def test_another_key_is_refused_in_words(key: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        pictures.parse(key, "shelves/", CAME)


def test_a_clock_that_runs_a_little_ahead_is_taken() -> None:
    assert pictures.parse("shelves/3/a/20261123T090000Z/1-of-1.jpg", "shelves/", CAME)


def test_boxes_below_their_products_confidence_do_not_count() -> None:
    rules = Rules(70.0, {"lemonade": 85.0})
    boxes = [at(0.0, confidence=70.0), at(0.2, confidence=69.9), at(0.4, "lemonade", 84.0)]
    assert counts(boxes, rules) == {"cola": 1}


def test_boxes_over_each_other_are_one_product_and_the_surest_names_it() -> None:
    boxes = [at(0.10, confidence=80.0), at(0.12, "lemonade", 95.0), at(0.5)]
    assert counts(boxes) == {"cola": 1, "lemonade": 1}
    # A third of each overlaps: two products beside each other.
    assert counts([at(0.1), at(0.15)]) == {"cola": 2}


def test_overlap_is_intersection_over_union() -> None:
    assert counting.overlap_of(at(0.1), at(0.1)) == pytest.approx(1.0)
    assert counting.overlap_of(at(0.1), at(0.15)) == pytest.approx(1 / 3)
    assert counting.overlap_of(at(0.1), at(0.3)) == 0
    assert counting.overlap_of(at(0.1, width=0), at(0.1, width=0)) == 0


def test_the_order_of_boxes_changes_nothing() -> None:
    chance = random.Random(7)
    names = ("cola", "lemonade")
    boxes = [at(chance.random() * 0.9, chance.choice(names), 80.0) for _ in range(40)]
    shuffled = list(boxes)
    chance.shuffle(shuffled)
    assert counts(boxes) == counts(shuffled)


def test_pictures_side_by_side_add_up_and_their_overlap_counts_once() -> None:
    rules = Rules(overlap=0.2)
    first = counting.tally([at(0.1), at(0.85)], rules, 1)
    # The left fifth shows again what is on the right of the first picture.
    second = counting.tally([at(0.05), at(0.5, confidence=75.0)], rules, 2)
    (cola,) = counting.combine({1: first, 2: second}, rules)
    assert cola == {"product": "cola", "count": 3, "confidence": 75.0, "pictures": [1, 2]}


def test_pictures_of_the_whole_shelf_count_the_most_that_one_shows() -> None:
    rules = Rules(pictures="repeated")
    first = counting.tally([at(0.1), at(0.3)], rules, 1)
    second = counting.tally([at(0.1), at(0.3), at(0.5, "lemonade")], rules, 2)
    found = counting.combine({2: second, 1: first}, rules)
    assert [(each["product"], each["count"]) for each in found] == [("cola", 2), ("lemonade", 1)]


def test_labels_of_the_whole_picture_are_no_boxes() -> None:
    box = {"left": 0.1, "top": 0.2, "width": 0.1, "height": 0.3}
    labels: list[dict[str, Any]] = [
        {"name": "cola", "confidence": 90, "box": box},
        {"name": "shelf", "confidence": 99, "box": None},
    ]
    analyses = {"custom_labels": {"models": [{"model": "m", "labels": labels}]}}
    assert counting.boxes_of(analyses) == [Box("cola", 90.0, 0.1, 0.2, 0.1, 0.3)]


def test_the_fingerprint_changes_with_the_rules_alone() -> None:
    assert Rules().fingerprint() == Rules().fingerprint()
    assert Rules().fingerprint() != Rules(overlap=0.1).fingerprint()
