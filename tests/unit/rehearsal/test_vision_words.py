"""Pictures with boxes, and findings in words."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops

from image_analysis import analyses
from rehearsal.samples.catalogue import load
from rehearsal.scenarios.support.boxes import COLOURS, annotated, found_in
from rehearsal.scenarios.support.seeing import reason_of, rows_of
from tests.rehearsal.full_picture import SEEN
from tests.unit.lambda_src.seen import OPTIONS

MARKET = load("vision")[0]


@pytest.fixture
def record() -> dict[str, Any]:
    """A record of the market picture as the function itself writes it."""
    loaded = analyses.load(OPTIONS)
    found = {
        each.name: each.parse([SEEN[call.operation] for call in each.calls]) for each in loaded
    }
    return {"analyses": {name: answer.fields for name, answer in found.items()}, "reasons": []}


def test_everything_with_a_place_gets_a_box(record: dict[str, Any]) -> None:
    found = found_in(record)
    assert {each.analysis for each in found} == set(COLOURS)
    assert sum(each.caption == "Lemon" for each in found) == 4
    assert "face, looks happy" in {each.caption for each in found}


def test_boxes_are_drawn_where_things_are(record: dict[str, Any]) -> None:
    face = next(each for each in found_in(record) if each.analysis == "faces")
    with Image.open(io.BytesIO(annotated(MARKET.content, [face]))) as drawn:
        with Image.open(io.BytesIO(MARKET.content)) as before:
            changed = ImageChops.difference(drawn.convert("L"), before.convert("L"))
        left, top, right, bottom = changed.point(lambda level: 255 * (level > 40)).getbbox()
        width, height = drawn.size
    assert abs(left - face.box["left"] * width) <= 4
    assert abs(bottom - (face.box["top"] + face.box["height"]) * height) <= 4
    assert top < face.box["top"] * height and right <= width  # the caption stands above


def test_what_was_not_kept_is_not_drawn() -> None:
    kept = {"faces": {"version": 1, "count": 2}, "text": {"line_count": 1, "word_count": 2}}
    assert found_in({"analyses": kept}) == []
    assert dict(rows_of({"analyses": kept})) == {"faces": "2", "text": "1 lines, 2 words"}
    assert dict(rows_of({"analyses": {"faces": {"version": 1}}})) == {"faces": "nothing is kept"}


def test_each_analysis_is_told_in_words(record: dict[str, Any]) -> None:
    told = dict(rows_of(record))
    assert sorted(told) == analyses.names()
    assert told["faces"].startswith("2: 24 to 34 years, looks happy, smiles; ")
    assert told["text"] == "“FRESH LEMONS”"
    assert told["image_quality"] == "sharpness 89, brightness 72, contrast 69 of 100"
    assert told["celebrities"] == "Example Celebrity 96.8 %; 1 not recognised"
    assert told["moderation"] == "none (content: illustrated)"
    assert told["custom_labels"].startswith("gap 77.5 %")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "Nothing in it asks for a closer look."),
        ({"label": "Blurred", "advice": "send a sharper picture"}, "Blurred: send a sharper"),
        ({"code": "too_small", "message": "50 x 50 pixels"}, "50 x 50 pixels"),
        (
            {"analysis": "text", "label": "phone", "confidence": 99.2, "band": [80, 100]},
            "phone at 99.2 % (text); a rule begins at 80 %.",
        ),
    ],
)
def test_reasons_in_words(reason: dict[str, Any] | None, words: str) -> None:
    assert reason_of({"reasons": [reason] if reason else []}).startswith(words)
