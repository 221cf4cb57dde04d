"""Manifests of Custom Labels, line by line, and the gate that a trained version must pass."""

import json
from typing import Any

import pytest
from custom_labels_training import gate, lines, manifest
from custom_labels_training.gate import Gate, Scores
from custom_labels_training.manifest import Manifest, ManifestErrors, Place

PLACE = Place("data", "custom-labels/shelf/")
META: dict[str, Any] = {"human-annotated": "yes", "creation-date": "2026-11-23T00:00:00"}


def whole(key: str = "a.jpg", label: str = "full", **changed: Any) -> dict[str, Any]:
    """A line with one label of the whole image."""
    metadata = {**META, "class-name": label, "type": lines.CLASSIFICATION, **changed}
    return {
        "source-ref": f"s3://data/custom-labels/shelf/{key}",
        "shelf": 1,
        "shelf-metadata": {name: value for name, value in metadata.items() if value is not None},
    }


def boxed(*boxes: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A line with boxes."""
    metadata = {**META, "class-map": {"0": "gap", "1": "full"}, "type": lines.DETECTION, **changed}
    size = [{"width": 640, "height": 480, "depth": 3}]
    return {
        "source-ref": "s3://data/custom-labels/shelf/a.jpg",
        "boxes": {"image_size": size, "annotations": list(boxes)},
        "boxes-metadata": metadata,
    }


def box(**changed: Any) -> dict[str, Any]:
    return {"class_id": 0, "left": 10, "top": 10, "width": 100, "height": 50, **changed}


def test_labels_of_whole_images_and_boxes_are_read():
    assert lines.read(json.dumps(whole())).labels == {"full"}
    found = lines.read(json.dumps(boxed(box(), box(class_id=1))))
    assert found.labels == {"gap", "full"} and found.boxes
    assert lines.read(json.dumps(boxed())).labels == set()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "is empty"),
        ("{", "is not JSON"),
        ("[" * 5000, "is not JSON"),
        ("[]", "is no JSON object"),
        ("{}", 'it has no labels: allowed is an attribute such as "animal"'),
        ({**whole(), "source-ref": None}, "source-ref is missing"),
        ({**whole(), "source-ref": "a.jpg"}, 'source-ref is "a.jpg"; allowed is an address'),
        (whole(type="groundtruth/text"), 'type is "groundtruth/text"; allowed are'),
        (whole(**{"class-name": None}), "shelf-metadata.class-name is missing"),
        (whole(label=" "), 'class-name is " "; allowed is a label of 1 to 255'),
        (whole(**{"creation-date": None}), "shelf-metadata.creation-date is missing"),
        ({**whole(), "shelf": "yes"}, 'shelf is "yes"; allowed is a whole number'),
        ({**whole(), "shelf-metadata": 1}, "shelf-metadata.type is missing"),
        (boxed(box(class_id=7)), "annotations[0].class_id is 7, which class-map lacks"),
        (boxed(box(left=-1)), "annotations[0] has a wrong left, top, width or height"),
        (boxed(box(width="wide")), "annotations[0] has a wrong left, top, width or height"),
        (boxed(box(left=600)), "reaches out of the image of 640 x 480 pixels"),
        (boxed(*[box()] * 51), "has 51 boxes; allowed are 50"),
        (boxed(**{"class-map": None}), "class-map is missing; allowed are labels by id"),
        ({**boxed(), "boxes": {}}, "boxes.image_size is wrong"),
        ({**boxed(), "boxes": {}}, "boxes.annotations is wrong"),
        ({**boxed(box()), **whole()}, "it mixes labels of the whole image with boxes"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(line: Any, words: str):
    with pytest.raises(lines.Wrong) as wrong:
        lines.read(line if isinstance(line, str) else json.dumps(line))
    assert words in str(wrong.value)


def test_all_mistakes_of_a_line_are_told_at_once():
    line = {**whole(**{"class-name": None, "creation-date": None}), "source-ref": 1}
    with pytest.raises(lines.Wrong) as wrong:
        lines.read(json.dumps(line))
    assert str(wrong.value).count(";") >= 3


def read(*given: dict[str, Any], name: str = "train.manifest") -> Manifest:
    return manifest.read(name, [json.dumps(each) for each in given], PLACE)


def images(label: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    return [whole(f"{label}{n}.jpg", label) for n in range(first, first + count)]


def told(*manifests: Manifest) -> str:
    with pytest.raises(ManifestErrors) as wrong:
        manifest.require(*manifests)
    return str(wrong.value)


@pytest.mark.parametrize(
    "source",
    ["s3://other/custom-labels/shelf/a.jpg", "s3://data/elsewhere/a.jpg",
     "s3://data/custom-labels/shelf/"],
)  # fmt: skip
def test_images_elsewhere_are_refused(source: str):
    words = told(read({**whole(), "source-ref": source}))
    assert "allowed are images in s3://data/custom-labels/shelf/" in words


def test_good_manifests_pass():
    train = read(*images("full", 2), *images("empty", 2))
    test = read(*images("full", 1, 9), *images("empty", 1, 9), name="test.manifest")
    manifest.check_together(train, test, least_images=2)
    manifest.require(train, test)
    assert train.labels == {"full": 2, "empty": 2}


def test_what_is_wrong_with_a_pair_is_told():
    train = read(*images("full", 1), *images("empty", 3), *images("odd", 3))
    test = read(*images("full", 1), *images("else", 1), name="test.manifest")
    manifest.check_together(train, test, least_images=2)
    words = told(train, test)
    for part in (
        "the manifests have 5 errors",
        "test.manifest:1: names an image of train.manifest (line 1)",
        "train.manifest: has 1 images of 'full'; allowed are 2 or more",
        "test.manifest: has no image of 'empty'",
        "test.manifest: has no image of 'odd'",
        "test.manifest: has images of 'else', which train.manifest does not teach",
    ):
        assert part in words


def test_one_label_of_whole_images_teaches_nothing_but_one_with_boxes_does():
    only = read(*images("full", 2))
    manifest.check_together(only, read(*images("full", 1, 9)), 1)
    assert "has 1 different labels; allowed are 2 to 250" in told(only)
    found = read(boxed(box()))
    manifest.check_together(found, found, 1)
    assert not [problem for line, problem in found.problems if line == 0]


def test_an_empty_manifest_and_many_errors():
    assert "train.manifest: is empty" in told(read())
    many = manifest.read("train.manifest", ["{"] * 150, PLACE)
    words = told(many)
    assert "have 150 errors" in words and words.endswith("and 50 more")
    assert len(words) < 30_000


def test_images_that_cannot_be_used_are_told_at_their_lines():
    found = read(*images("full", 3))
    key = "custom-labels/shelf/full1.jpg"
    manifest.check_images(found, {key: "there is none"}.get, lambda do, keys: map(do, keys))
    assert found.problems == [(2, "there is none")]


SUMMARY = {"LabelEvaluationResults": [{"Label": "full", "Metrics": {"Recall": 0.7}}]}


@pytest.mark.parametrize(
    ("f1", "least", "labels", "reasons"),
    [
        (0.8, 0.7, ["full"], 0),
        (0.799, 0.7, ["full"], 1),
        (0.8, 0.71, ["full"], 1),
        (0.8, 0.7, ["full", "empty"], 1),
        (0.1, 0.9, ["full", "empty"], 3),
    ],
)
def test_the_gate(f1: float, least: float, labels: list[str], reasons: int):
    found = gate.scores(f1, SUMMARY)
    assert found == Scores(f1, {"full": 0.7})
    assert len(gate.reasons(found, Gate(0.8, least), dict.fromkeys(labels, 1))) == reasons
