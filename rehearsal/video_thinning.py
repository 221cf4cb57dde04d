"""A scripted answer about a video without what the job was asked to leave out.

Facts: Amazon Rekognition API reference, each operation's request parameters.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.aws_json import ServiceError
from rehearsal.thinning import chosen_labels, default_face, passes

Answer = Mapping[str, Any]
Parameters = Mapping[str, Any]

DEFAULT_CONFIDENCE = 50.0
_AGGREGATES = {"GetContentModeration": "ModerationLabels", "GetLabelDetection": "Labels"}


def _sure(items: list[Any], member: str, parameters: Parameters) -> list[Any]:
    least = parameters.get("MinConfidence", DEFAULT_CONFIDENCE)
    return [each for each in items if each[member].get("Confidence", 100.0) >= least]


def _labels(answer: Answer, parameters: Parameters) -> Answer:
    settings: Mapping[str, Any] = parameters.get("Settings") or {}
    found = _sure(answer.get("Labels", []), "Label", parameters)
    wanted = chosen_labels([each["Label"] for each in found], settings.get("GeneralLabels") or {})
    return {**answer, "Labels": [each for each in found if each["Label"] in wanted]}


def _moderation(answer: Answer, parameters: Parameters) -> Answer:
    found = _sure(answer.get("ModerationLabels", []), "ModerationLabel", parameters)
    return {**answer, "ModerationLabels": found}


def _faces(answer: Answer, parameters: Parameters) -> Answer:
    if parameters.get("FaceAttributes") == "ALL":
        return answer
    faces = [{**each, "Face": default_face(each["Face"])} for each in answer.get("Faces", ())]
    return {**answer, "Faces": faces}


def _text(answer: Answer, parameters: Parameters) -> Answer:
    filters: Mapping[str, Any] = parameters.get("Filters") or {}
    found: list[Any] = answer.get("TextDetections", [])
    kept = [each for each in found if passes(each["TextDetection"], filters)]
    return {**answer, "TextDetections": kept}


def _segments(answer: Answer, parameters: Parameters) -> Answer:
    filters: Mapping[str, Any] = parameters.get("Filters") or {}
    least = {
        "SHOT": filters.get("ShotFilter", {}).get("MinSegmentConfidence", DEFAULT_CONFIDENCE),
        "TECHNICAL_CUE": filters.get("TechnicalCueFilter", {}).get(
            "MinSegmentConfidence", DEFAULT_CONFIDENCE
        ),
    }
    types: list[str] = parameters["SegmentTypes"]

    def stays(each: Mapping[str, Any]) -> bool:
        member = "ShotSegment" if each["Type"] == "SHOT" else "TechnicalCueSegment"
        told: Mapping[str, Any] = each[member]
        return each["Type"] in types and told.get("Confidence", 100.0) >= least[each["Type"]]

    return {**answer, "Segments": [each for each in answer.get("Segments", ()) if stays(each)]}


_RULES: dict[str, Callable[[Answer, Parameters], Answer]] = {
    "StartContentModeration": _moderation,
    "StartFaceDetection": _faces,
    "StartLabelDetection": _labels,
    "StartSegmentDetection": _segments,
    "StartTextDetection": _text,
}


def thin_video(operation: str, answer: Answer, parameters: Parameters) -> Answer:
    """The results of a job without what it was asked to leave out.

    Args:
        operation: that started the job; one without such parameters answers as scripted.
        answer: as scripted.
        parameters: of the operation.
    """
    rule = _RULES.get(operation)
    return rule(answer, parameters) if rule else answer


def aggregated(operation: str, answer: Answer, parameters: Parameters) -> Answer:
    """The results in the way that is asked for: by segment only if they are scripted so.

    Raises:
        ServiceError: they are scripted in the other way; the rehearsal never invents times.
    """
    items = _AGGREGATES.get(operation)
    if items is None:
        return answer
    by = parameters.get("AggregateBy", "TIMESTAMPS")
    found: list[Mapping[str, Any]] = answer.get(items, [])
    segments = ["StartTimestampMillis" in each for each in found]
    if (by == "SEGMENTS" and not all(segments)) or (by == "TIMESTAMPS" and any(segments)):
        raise ServiceError(
            "NotRehearsedException",
            f"the answer to {operation} is not scripted by {by}: an element has "
            "StartTimestampMillis when it is aggregated by SEGMENTS, and only then",
        )
    asked = {"SortBy": parameters.get("SortBy", "TIMESTAMP"), "AggregateBy": by}
    return {**answer, "GetRequestMetadata": asked}
