"""What each analysis asks for, keeps and hands to the policy."""

import json
from typing import Any

import pytest

from image_analysis import analyses, planning
from image_analysis.analyses import Answer
from shared.dynamodb import to_item
from tests.unit.lambda_src import seen, world


def asked(name: str, **options: Any) -> dict[str, Any]:
    """The arguments of an analysis's one call, checked against the operation's input."""
    (one,) = analyses.load({name: {**seen.OPTIONS[name], **options}})
    (call,) = one.calls
    image = {"S3Object": {"Bucket": "images", "Name": "k", "Version": "v"}}
    shape = world.model("rekognition").operation_model(call.operation).input_shape
    world.check(shape, {"Image": image, **call.arguments})
    return dict(call.arguments)


def read(name: str, response: dict[str, Any], **options: Any) -> Answer:
    """What an analysis makes of a response; the record can hold it."""
    (one,) = analyses.load({name: {**seen.OPTIONS[name], **options}})
    (operation,) = planning.operations([one])
    world.check(world.model("rekognition").operation_model(operation).output_shape, response)
    answer = one.parse([response] * len(one.calls))
    to_item(answer.fields)
    return answer


def found(answer: Answer) -> dict[str, float]:
    return {each.label: each.confidence for each in answer.findings}


@pytest.mark.parametrize("name", sorted(set(analyses.names()) - {"moderation"}))
def test_an_empty_answer_is_no_finding(name: str):
    answer = read(name, {})
    assert answer.findings == ()
    assert answer.fields["version"] == 1


def test_there_is_a_setting_for_every_analysis():
    assert sorted(seen.OPTIONS) == analyses.names()


# Labels


def test_labels_ask_with_their_filters():
    assert asked("labels") == {
        "Features": ["GENERAL_LABELS"], "MaxLabels": 10, "MinConfidence": 70.0
    }  # fmt: skip
    filters = asked(
        "labels",
        include=("Car",),
        exclude=("Bus",),
        include_categories=("Vehicles and Automotive",),
        exclude_categories=("Sports",),
    )["Settings"]["GeneralLabels"]
    assert filters == {
        "LabelInclusionFilters": ["Car"],
        "LabelExclusionFilters": ["Bus"],
        "LabelCategoryInclusionFilters": ["Vehicles and Automotive"],
        "LabelCategoryExclusionFilters": ["Sports"],
    }


def test_labels_keep_parents_categories_and_instances():
    answer = read("labels", seen.LABELS)
    car = answer.fields["labels"][0]
    assert car["name"] == "Car" and car["confidence"] == 98.5
    assert set(car["parents"]) == {"Vehicle", "Transportation"}
    assert car["categories"] == ["Vehicles and Automotive"]
    box = {"left": 0.5, "top": 0.6, "width": 0.2, "height": 0.1}
    assert car["instances"] == [{"box": box, "confidence": 98.5}]
    assert answer.fields["model_version"] == "3.0"


def test_a_label_is_judged_by_nearest_parent_then_category():
    finding = read("labels", seen.LABELS).findings[0]
    assert finding.parents == ("Vehicle", "Transportation", "Vehicles and Automotive")


# Image quality


def test_image_quality_measures_what_is_lacking():
    answer = read("image_quality", seen.LABELS)
    assert answer.fields == {
        "version": 1, "sharpness": 12.5, "brightness": 55.5, "contrast": 60.5
    }  # fmt: skip
    assert found(answer) == {"Blurred": 87.5, "Dark": 44.5, "Overexposed": 55.5, "Flat": 39.5}


def test_image_quality_asks_for_a_better_picture():
    advice = {each.label: each.advice for each in read("image_quality", seen.LABELS).findings}
    assert advice["Blurred"] == "the sharpness is 12 of 100: send a sharper picture"
    assert "less bright" in advice["Overexposed"] and "brighter" in advice["Dark"]
    assert "more contrast" in advice["Flat"]


def test_a_measure_that_is_not_there_is_not_judged():
    partly = {"ImageProperties": {"Quality": {"Sharpness": 90}}}
    answer = read("image_quality", partly)
    assert found(answer) == {"Blurred": 10}
    assert answer.fields["brightness"] is None


# Faces


@pytest.mark.parametrize(("attributes", "sent"), [("default", ["DEFAULT"]), ("all", ["ALL"])])
def test_faces_ask_for_no_more_than_they_are_told(attributes: str, sent: list[str]):
    assert asked("faces", attributes=attributes) == {"Attributes": sent}


def test_faces_keep_attributes_with_emotions_sorted():
    first, second = read("faces", seen.FACES).fields["faces"]
    assert [each["name"] for each in first["emotions"]] == ["HAPPY", "CALM", "SAD"]
    assert first["age_range"] == [27, 35]
    assert first["smile"] == {"value": True, "confidence": 95.5}
    assert first["eyes_open"]["value"] is False
    assert first["landmarks"] == {"eyeLeft": [0.15, 0.25]}
    assert first["pose"] == {"roll": 1.5, "yaw": -2.5, "pitch": 3.5}
    assert first["box"]["width"] == 0.12346
    assert "emotions" not in second and "smile" not in second


@pytest.mark.parametrize("store", ["nothing", "counts", "attributes"])
def test_nobodys_gender_is_kept(store: str):
    answer = read("faces", seen.FACES, store=store)
    assert "ender" not in json.dumps(answer.fields) and "Female" not in repr(answer)


@pytest.mark.parametrize(
    ("store", "fields"), [("nothing", {"version": 1}), ("counts", {"version": 1, "count": 2})]
)
def test_faces_keep_no_more_than_they_may(store: str, fields: dict[str, Any]):
    answer = read("faces", seen.FACES, store=store)
    assert answer.fields == fields
    assert found(answer) == {"Face": 99.5, "Several faces": 97.5}


def test_one_face_is_not_several():
    answer = read("faces", {"FaceDetails": [seen.face(90)]}, store="counts")
    assert found(answer) == {"Face": 90}


def test_kept_attributes_are_judged():
    assert found(read("faces", seen.FACES)) == {
        "Face": 99.5, "Several faces": 97.5, "Smile": 95.5, "Eyes closed": 88.5
    }  # fmt: skip


# Text


def test_text_asks_with_its_filters():
    assert asked("text") == {"Filters": {"WordFilter": {"MinConfidence": 80.0}}}
    sent = asked("text", minimum_height=0.05, minimum_width=0.1, regions=((0, 0, 1, 0.5),))
    assert sent["Filters"] == {
        "WordFilter": {
            "MinConfidence": 80.0, "MinBoundingBoxHeight": 0.05, "MinBoundingBoxWidth": 0.1
        },
        "RegionsOfInterest": [
            {"BoundingBox": {"Left": 0.0, "Top": 0.0, "Width": 1.0, "Height": 0.5}}
        ],
    }  # fmt: skip


def test_text_keeps_lines_and_words_with_places():
    fields = read("text", seen.TEXT).fields
    assert (fields["line_count"], fields["word_count"]) == (1, 1)
    assert fields["lines"][0]["text"] == "CALL 555 0100"
    assert fields["words"][0]["line"] == 0
    assert fields["words"][0]["box"]["left"] == 0.1


def test_counts_alone_keep_no_text():
    answer = read("text", seen.TEXT, store="counts")
    assert "CALL" not in repr(answer) and "lines" not in answer.fields
    assert answer.fields["line_count"] == 1


def test_a_pattern_is_judged_by_its_name_and_repeats_no_text():
    answer = read("text", seen.TEXT)
    assert found(answer) == {"Text": 99.5, "phone": 99.5}
    assert "555" not in repr(answer.findings)
    assert found(read("text", seen.TEXT, patterns={"none": "^xyz$"})) == {"Text": 99.5}


# Celebrities


def test_celebrities_ask_for_nothing_but_the_image():
    assert asked("celebrities") == {}


def test_celebrities_that_match_surely_enough_are_kept():
    answer = read("celebrities", seen.CELEBRITIES)
    (one,) = answer.fields["celebrities"]
    assert (one["name"], one["confidence"], one["urls"]) == (
        "Example Celebrity", 97.5, ["example.com/celebrity"]
    )  # fmt: skip
    assert one["box"]["left"] == 0.3
    assert answer.fields["unrecognised"] == 2
    assert found(answer) == {"Example Celebrity": 97.5}
    assert "CALM" not in repr(answer) and "Nonbinary" not in repr(answer)


# Custom Labels


def test_custom_labels_ask_their_model():
    assert asked("custom_labels") == {
        "ProjectVersionArn": seen.MODEL, "MinConfidence": 50.0, "MaxResults": 100
    }  # fmt: skip


def test_custom_labels_are_kept_and_judged_by_model():
    answer = read("custom_labels", seen.CUSTOM)
    (model,) = answer.fields["models"]
    assert model["model"] == seen.MODEL
    assert model["labels"][0]["box"] == {"left": 0.2, "top": 0.2, "width": 0.1, "height": 0.1}
    assert model["labels"][1]["box"] is None
    assert found(answer) == {"gap": 77.5, "untidy": 61.5}
    assert {each.parents for each in answer.findings} == {("shelf",)}
