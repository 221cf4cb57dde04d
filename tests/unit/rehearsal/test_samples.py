"""The samples are what their README and the scenario say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import config
from rehearsal.answers import check_answers
from rehearsal.samples import draw
from rehearsal.samples.catalogue import FOLDER, Sample, load
from rehearsal.samples.drawing import shelves

SAMPLES = load("moderation")
PICTURES = [sample for sample in SAMPLES if sample.answers]
OTHERS = [sample for sample in SAMPLES if not sample.answers]

# "Using the image and video moderation APIs", Amazon Rekognition developer guide, version 7:
# each label that is used here with its parent.
TAXONOMY = {
    "Alcohol": "",
    "Alcoholic Beverages": "Alcohol",
    "Drugs & Tobacco": "",
    "Drugs & Tobacco Paraphernalia & Use": "Drugs & Tobacco",
    "Smoking": "Drugs & Tobacco Paraphernalia & Use",
    "Gambling": "",
    "Violence": "",
    "Graphic Violence": "Violence",
    "Explosions and Blasts": "Graphic Violence",
    "Weapons": "Violence",
}


def name(sample: Sample) -> str:
    return sample.path.name


@pytest.mark.parametrize("sample", PICTURES, ids=name)
def test_pictures_are_what_rekognition_takes(sample: Sample) -> None:
    with Image.open(sample.path) as picture:
        assert picture.format in ("JPEG", "PNG")
        assert Image.MIME[picture.format] == sample.media_type
        assert 640 <= picture.width <= 960
    assert 20 <= len(sample.content) / 1024 <= 120
    assert sample.alt.endswith(".")


@pytest.mark.parametrize("sample", PICTURES, ids=name)
def test_answers_are_of_the_real_taxonomy(sample: Sample) -> None:
    check_answers(sample.answers, sample.path.name)
    answer = sample.answers["DetectModerationLabels"]
    assert answer["ModerationModelVersion"] == "7.0"
    labels = answer["ModerationLabels"]
    found = {label["Name"]: label for label in labels}
    assert len(found) == len(labels)
    for label in labels:
        parent = label["ParentName"]
        assert TAXONOMY[label["Name"]] == parent
        # A label comes with all its parents, and each counts one level further down.
        above = found[parent]["TaxonomyLevel"] if parent else 0
        assert label["TaxonomyLevel"] == above + 1


DEMO = config.load("demo").vision
USED = {operation for one in DEMO.analyses.on().values() for operation in one.quotas}


@pytest.mark.parametrize("sample", [*PICTURES, *load("vision")], ids=name)
def test_each_picture_has_an_answer_for_all_that_the_demo_asks(sample: Sample) -> None:
    check_answers(sample.answers, sample.path.name)
    assert set(sample.answers) == USED
    labels = sample.answers["DetectLabels"]
    assert {"Quality"} <= set(labels["ImageProperties"])
    found = [label["Name"] for label in labels["Labels"]]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("sample", load("retail"), ids=name)
def test_boxes_of_shelves_are_where_the_products_are_drawn(sample: Sample) -> None:
    check_answers(sample.answers, sample.path.name)
    assert set(sample.answers) == {"DetectCustomLabels", "DetectLabels"}
    rows = {
        "drinks-left.jpg": shelves.LEFT,
        "drinks-right.jpg": shelves.RIGHT,
        "snacks-shaken.jpg": shelves.SNACKS,
    }[sample.path.name]
    told = {
        (label["Name"], round(box["Left"] * 960), round(box["Top"] * 640))
        for label in sample.answers["DetectCustomLabels"]["CustomLabels"]
        for box in [label["Geometry"]["BoundingBox"]]
    }
    drawn = {(product, box[0], box[1]) for product, box in shelves.places(rows)}
    # One cola is seen twice, a little beside itself.
    twice = {("cola", 88, 116)} if sample.path.name == "drinks-left.jpg" else set[Any]()
    assert told - drawn == twice and drawn <= told


def test_vision_pictures_can_be_drawn_again(tmp_path: Path) -> None:
    listed = {sample.path.name for sample in load("vision")}
    assert set(draw.VISION) == listed
    (drawn,) = draw.draw_pictures(tmp_path, draw.VISION, only=["market.jpg"])
    with Image.open(drawn) as new, Image.open(FOLDER / "vision" / "market.jpg") as old:
        assert (new.size, new.format) == (old.size, old.format)


def test_confidences_lie_on_both_sides_of_the_line() -> None:
    highest = {
        sample.path.name: max(
            (
                each["Confidence"]
                for each in sample.answers["DetectModerationLabels"]["ModerationLabels"]
            ),
            default=0,
        )
        for sample in PICTURES
    }
    for sample in PICTURES:
        expected = "reject" if highest[sample.path.name] >= 60 else "accept"
        assert sample.decision == expected
    assert highest["birthday.jpg"] == 57.3


def test_difficult_keys_are_among_them() -> None:
    keys = "".join(sample.key for sample in SAMPLES)
    assert all(character in keys for character in " +&=?'éπ")
    assert len({sample.key for sample in SAMPLES}) == len(SAMPLES)
    assert all(sample.key.startswith("incoming/") for sample in SAMPLES)


def test_unusable_files_are_listed_with_their_reason() -> None:
    assert {sample.path.name: sample.code for sample in OTHERS} == {
        "shopping-list.jpg": "unsupported_format",
        "thumbnail.png": "too_small",
        "blinking.gif": "unsupported_format",
    }


def test_script_draws_the_files_again(tmp_path: Path) -> None:
    unusable = {sample.path.name for sample in OTHERS}
    assert set(draw.PICTURES) == {sample.path.name for sample in PICTURES}
    drawn = draw.draw(tmp_path, only=["birthday.jpg"])  # one of them: each takes a second
    assert {path.name for path in drawn} == {"birthday.jpg", *unusable}
    for path in drawn:
        if path.name != "shopping-list.jpg":
            with Image.open(path) as new, Image.open(FOLDER / "moderation" / path.name) as old:
                assert (new.size, new.format) == (old.size, old.format)


def test_picture_with_an_answer_joins_unlisted(tmp_path: Path) -> None:
    home = tmp_path / "moderation"
    home.mkdir()
    (home / "expected.json").write_text("[]")
    (home / "photo.jpg").write_bytes(b"picture")
    (home / "photo.jpg.rekognition.json").write_text(json.dumps({"DetectModerationLabels": {}}))
    (home / "README.md").write_text("no picture")
    (sample,) = load("moderation", tmp_path)
    assert (sample.key, sample.decision, sample.content) == ("incoming/photo.jpg", None, b"picture")


def test_listed_file_that_is_missing_is_named(tmp_path: Path) -> None:
    home = tmp_path / "moderation"
    home.mkdir()
    entry = {"file": "gone.jpg", "key": "incoming/gone.jpg", "title": "Gone"}
    (home / "expected.json").write_text(json.dumps([entry]))
    with pytest.raises(ValueError, match=r"expected\.json lists gone\.jpg, which is not there"):
        load("moderation", tmp_path)


def test_broken_list_is_named(tmp_path: Path) -> None:
    (tmp_path / "moderation").mkdir()
    (tmp_path / "moderation" / "expected.json").write_text("[")
    with pytest.raises(ValueError, match=r"moderation/expected\.json cannot be read"):
        load("moderation", tmp_path)
