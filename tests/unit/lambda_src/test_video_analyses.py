"""Each analysis of videos: what it asks for, and what it makes of the answer."""

import json
from typing import Any

import pytest

import config
from config.video import VideoAnalyses
from rehearsal.samples.catalogue import load
from tests.unit.lambda_src.world import check, model
from video_analysis import analyses, spans
from video_analysis.analyses import Answer

EVENING = load("video")[0]
DEMO = config.load("demo").vision.video.analyses.on()
OPTIONS = {name: one.model_dump(exclude_none=True) for name, one in DEMO.items()}


def read(name: str, pages: list[dict[str, Any]] | None = None, **options: Any) -> Answer:
    (analysis,) = analyses.load({name: {**OPTIONS[name], **options}})
    reader = analysis.reader()
    for page in pages or [EVENING.answers[analysis.get]]:
        reader.take(page)
    return reader.answer()


def seen(answer: Answer) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for each in answer.sightings:
        found.setdefault(each.finding.label, []).append((each.start, each.end))
    return found


def test_settings_and_modules_agree():
    assert analyses.names() == sorted(VideoAnalyses.model_fields) == sorted(DEMO)


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_asked_for_fits_the_service(name: str):
    (analysis,) = analyses.load({name: OPTIONS[name]})
    rekognition = model("rekognition")
    video = {"S3Object": {"Bucket": "bucket", "Name": "k", "Version": "v"}}
    given = {"Video": video, "ClientRequestToken": "a" * 64, **analysis.arguments}
    check(rekognition.operation_model(analysis.start).input_shape, given)
    wanted = {"JobId": "j", "MaxResults": 1, **analysis.wanted}
    check(rekognition.operation_model(analysis.get).input_shape, wanted)


@pytest.mark.parametrize("name", OPTIONS)
def test_results_are_json_and_nothing_is_seen_in_no_pages(name: str):
    answer = read(name)
    json.dumps([answer.fields, answer.details.kept])
    empty = read(name, [{"JobStatus": "SUCCEEDED"}])
    assert (empty.sightings, empty.details.kept) == ((), [])


def test_labels_know_their_ancestors_and_categories():
    answer = read("labels")
    (citrus,) = [each for each in answer.sightings if each.finding.label == "Citrus Fruit"]
    assert citrus.finding.parents == ("Fruit", "Food", "Food and Beverage")
    assert (citrus.start, citrus.end) == (0, 3500)
    assert answer.fields == {"version": 1, "model_version": "3.0", "count": 7}


def test_moderation_knows_its_taxonomy():
    (smoking,) = [e for e in read("moderation").sightings if e.finding.label == "Smoking"]
    assert smoking.finding.parents == ("Drugs & Tobacco Paraphernalia & Use", "Drugs & Tobacco")


def test_a_celebrity_is_one_stretch_and_unsure_matches_are_nobody():
    answer = read("celebrities")
    (detail,) = answer.details.kept
    assert (detail["name"], detail["start_ms"], detail["end_ms"]) == ("Example Celebrity", 0, 3500)
    assert detail["confidence"] == 91.5 and "gender" not in json.dumps(answer.details.kept).lower()
    assert read("celebrities", minimum_confidence=95).details.kept == []


def test_text_is_judged_by_the_names_of_patterns_and_kept_only_if_it_may_be():
    answer = read("text")
    assert seen(answer) == {"Text": [(0, 5500)], "phone number": [(4000, 5500)]}
    lines = [(each["text"], each["start_ms"], each["end_ms"]) for each in answer.details.kept]
    assert lines == [("FRESH LEMONS", 0, 3500), ("CALL 555-0100", 4000, 5500)]
    silent = read("text", store="counts")
    assert seen(silent) == seen(answer) and silent.fields["count"] == 2
    assert silent.details.kept == []


FACES = EVENING.answers["GetFaceDetection"]


def test_faces_are_counted_moment_by_moment_over_pages():
    half = {**FACES, "Faces": FACES["Faces"][:5]}, {**FACES, "Faces": FACES["Faces"][5:]}
    for pages in ([FACES], list(half)):  # the second page begins within a moment
        answer = read("faces", pages)
        assert answer.fields == {"version": 1, "most_at_once": 2}
        assert answer.details.kept == [{"start_ms": 0, "end_ms": 3500, "most_at_once": 2}]
        assert seen(answer) == {"Face": [(0, 3500)], "Several faces": [(0, 3500)]}


def test_of_faces_is_kept_what_may_be():
    assert read("faces", store="nothing").fields == {"version": 1}
    assert read("faces", store="nothing").details.kept == []
    smile = {"Timestamp": 0, "Face": {
        **FACES["Faces"][0]["Face"],
        "Smile": {"Value": True, "Confidence": 90.0},
        "Gender": {"Value": "Female", "Confidence": 99.0},
    }}  # fmt: skip
    answer = read("faces", [{"Faces": [smile]}], store="attributes", attributes="all")
    assert answer.details.kept[0]["smile"] == {"value": True, "confidence": 90.0}
    assert "gender" not in json.dumps(answer.details.kept).lower() and "Smile" in seen(answer)
    assert "Smile" not in seen(read("faces", [{"Faces": [smile]}], store="counts"))


def test_segments_are_shots_and_cues():
    answer = read("segments")
    assert answer.fields == {"version": 1, "count": 4, "shots": 3}
    assert seen(answer)["BlackFrames"] == [(10_000, 11_000)]
    (analysis,) = analyses.load({"segments": {**OPTIONS["segments"], "black_coverage": 90.0}})
    filters = analysis.arguments["Filters"]
    assert filters["TechnicalCueFilter"]["BlackFrame"] == {"MinCoveragePercentage": 90.0}
    shots = analyses.load({"segments": {"types": ["shot"], "minimum_confidence": 80.0}})
    assert shots[0].arguments == {
        "SegmentTypes": ["SHOT"], "Filters": {"ShotFilter": {"MinSegmentConfidence": 80.0}}
    }  # fmt: skip


def test_details_beyond_the_bound_are_counted_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spans, "MOST_DETAILS", 2)
    answer = read("labels")
    assert (len(answer.details.kept), answer.fields["count"]) == (2, 7)
    assert len(answer.sightings) == 7, "everything is judged"
