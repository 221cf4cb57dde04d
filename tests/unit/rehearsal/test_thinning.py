"""What the stand-in leaves out of a scripted answer, by the request's own parameters."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rehearsal.answers import check_answers
from rehearsal.aws_json import ServiceError
from rehearsal.samples.catalogue import load
from rehearsal.thinning import thin

MARKET = next(sample for sample in load("vision") if sample.path.name == "market.jpg").answers
NOTICE = next(sample for sample in load("vision") if sample.path.name == "notice.png").answers
COLOUR = {"HexCode": "#ffffff", "PixelPercent": 5.0}


def names(parameters: dict[str, Any]) -> list[str]:
    answer = thin("DetectLabels", MARKET["DetectLabels"], parameters)
    check_answers({"DetectLabels": dict(answer)}, "thinned")
    return [label["Name"] for label in answer.get("Labels", ())]


def texts(filters: dict[str, Any]) -> list[str]:
    answer = thin("DetectText", NOTICE["DetectText"], {"Filters": filters})
    return [each["DetectedText"] for each in answer["TextDetections"] if each["Type"] == "LINE"]


def test_labels_are_those_asked_for() -> None:
    assert names({})[-1] == "Awning"  # 55 is the default, the umbrella lies below
    assert names({"MinConfidence": 40})[-1] == "Umbrella"
    assert names({"MaxLabels": 2}) == ["Lemon", "Citrus Fruit"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"LabelInclusionFilters": ["Lemon", "Shop"]}, ["Lemon", "Shop"]),
        ({"LabelCategoryInclusionFilters": ["Person Description"]}, ["Person"]),
        (
            {
                "LabelInclusionFilters": ["Lemon"],
                "LabelCategoryInclusionFilters": ["Person Description"],
            },
            ["Lemon", "Person"],
        ),
        (
            {
                "LabelCategoryInclusionFilters": ["Food and Beverage"],
                "LabelExclusionFilters": ["Fruit"],
            },
            ["Lemon", "Citrus Fruit"],
        ),
        (
            {"LabelCategoryExclusionFilters": ["Food and Beverage", "Home and Indoors"]},
            ["Market", "Person", "Shop"],
        ),
    ],
)
def test_label_filters(filters: dict[str, Any], found: list[str]) -> None:
    assert names({"Settings": {"GeneralLabels": filters}}) == found


def test_features_decide_which_half_is_answered() -> None:
    answer = MARKET["DetectLabels"]
    assert "ImageProperties" not in thin("DetectLabels", answer, {})
    only = thin("DetectLabels", answer, {"Features": ["IMAGE_PROPERTIES"]})
    assert set(only) == {"ImageProperties"}
    both = thin("DetectLabels", answer, {"Features": ["IMAGE_PROPERTIES", "GENERAL_LABELS"]})
    assert set(both) == {"Labels", "LabelModelVersion", "ImageProperties"}


@pytest.mark.parametrize("given", [{"MaxLabels": 3}, {"MinConfidence": 60}])
def test_general_arguments_need_general_labels(given: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as refused:
        thin("DetectLabels", MARKET["DetectLabels"], {"Features": ["IMAGE_PROPERTIES"], **given})
    assert refused.value.code == "InvalidParameterException"


def test_image_properties_are_never_invented() -> None:
    answer = {"Labels": [], "LabelModelVersion": "3.0"}
    with pytest.raises(ServiceError, match="never invents"):
        thin("DetectLabels", answer, {"Features": ["IMAGE_PROPERTIES"]})


def test_dominant_colours_are_counted_in_each_part() -> None:
    answer = copy.deepcopy(MARKET["DetectLabels"])
    part = {"Quality": {}, "DominantColors": [COLOUR] * 12}
    answer["ImageProperties"] |= {"DominantColors": [COLOUR] * 12, "Foreground": part}
    features = {"Features": ["IMAGE_PROPERTIES"]}
    default = thin("DetectLabels", answer, features)["ImageProperties"]
    assert len(default["DominantColors"]) == len(default["Foreground"]["DominantColors"]) == 10
    few = {**features, "Settings": {"ImageProperties": {"MaxDominantColors": 3}}}
    assert len(thin("DetectLabels", answer, few)["ImageProperties"]["DominantColors"]) == 3


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        (None, set()),
        (["DEFAULT"], set()),
        (["AGE_RANGE"], {"AgeRange"}),
        (["DEFAULT", "EYES_OPEN", "FACE_OCCLUDED"], {"EyesOpen", "FaceOccluded"}),
    ],
)
def test_faces_show_what_is_asked_for(asked: list[str] | None, more: set[str]) -> None:
    parameters = {"Attributes": asked} if asked else {}
    (face, _) = thin("DetectFaces", MARKET["DetectFaces"], parameters)["FaceDetails"]
    assert set(face) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"} | more


@pytest.mark.parametrize("asked", [["ALL"], ["ALL", "DEFAULT"]])
def test_all_attributes_are_all(asked: list[str]) -> None:
    answer = MARKET["DetectFaces"]
    assert thin("DetectFaces", answer, {"Attributes": asked}) == answer


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["LOST UMBRELLA", "PLEASE CALL", "555-0100"]),
        ({"WordFilter": {"MinConfidence": 99}}, ["LOST UMBRELLA", "555-0100"]),
        ({"WordFilter": {"MinBoundingBoxHeight": 0.05}}, ["LOST UMBRELLA", "555-0100"]),
        ({"WordFilter": {"MinBoundingBoxWidth": 0.15}}, ["LOST UMBRELLA", "555-0100"]),
        (
            {
                "RegionsOfInterest": [
                    {"BoundingBox": {"Left": 0, "Top": 0.6, "Width": 1, "Height": 0.4}}
                ]
            },
            ["PLEASE CALL", "555-0100"],
        ),
        (
            # Less than half of a word's height is inside.
            {
                "RegionsOfInterest": [
                    {"BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 0.22}}
                ]
            },
            [],
        ),
    ],
)
def test_text_is_that_asked_for(filters: dict[str, Any], found: list[str]) -> None:
    assert texts(filters) == found


def test_a_word_filter_without_a_number_means_80() -> None:
    answer = {"TextDetections": [{"DetectedText": "A", "Type": "WORD", "Id": 0, "Confidence": 79}]}
    assert thin("DetectText", answer, {"Filters": {"WordFilter": {}}})["TextDetections"] == []
    assert thin("DetectText", answer, {})["TextDetections"]


def test_a_region_that_is_no_box_is_refused() -> None:
    with pytest.raises(ServiceError, match="as boxes only"):
        texts({"RegionsOfInterest": [{"Polygon": []}]})


def test_operations_without_such_parameters_answer_as_scripted() -> None:
    answer = MARKET["RecognizeCelebrities"]
    assert thin("RecognizeCelebrities", answer, {}) is answer
