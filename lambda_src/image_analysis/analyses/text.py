"""Text: words and lines in an image.

After "DetectText" in the Amazon Rekognition API reference. The policy judges "Text" (there is
any) and the names of `patterns`, regular expressions that are searched in each line: a decision
is recorded by the pattern's name, so that its reason repeats none of the text.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response
from shared.places import box

OPERATION = "DetectText"
VERSION = 1

ANY_TEXT = "Text"
_SIZES = {"minimum_height": "MinBoundingBoxHeight", "minimum_width": "MinBoundingBoxWidth"}


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the call's arguments; options: minimum_confidence (0 to 100), minimum_height and
    minimum_width of a word (0 to 1, of the image's), regions ([left, top, width, height], each
    0 to 1)."""
    words = {"MinConfidence": float(options["minimum_confidence"])}
    words |= {name: float(options[key]) for key, name in _SIZES.items() if options.get(key)}
    filters: dict[str, Any] = {"WordFilter": words}
    regions: Sequence[Sequence[float]] = options.get("regions") or ()
    if regions:
        filters["RegionsOfInterest"] = [{"BoundingBox": _bounding_box(each)} for each in regions]
    return [{"Filters": filters}]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return lines and words with their places; options: store ("text" or "counts"), patterns
    (regular expressions by name)."""
    (response,) = responses
    found: list[Mapping[str, Any]] = response.get("TextDetections") or []
    lines = [each for each in found if each["Type"] == "LINE"]
    words = [each for each in found if each["Type"] == "WORD"]
    fields: dict[str, Any] = {
        "version": VERSION,
        "model_version": response.get("TextModelVersion"),
        "line_count": len(lines),
        "word_count": len(words),
    }
    if options["store"] == "text":
        fields["lines"] = [_detection(each) for each in lines]
        fields["words"] = [{**_detection(each), "line": each.get("ParentId")} for each in words]
    patterns: Mapping[str, str] = options.get("patterns") or {}
    sought = {ANY_TEXT: "", **patterns}
    findings = (_finding(name, re.compile(pattern), lines) for name, pattern in sought.items())
    return Answer(fields, tuple(each for each in findings if each))


def _finding(
    name: str, pattern: "re.Pattern[str]", lines: Sequence[Mapping[str, Any]]
) -> Finding | None:
    sure = [
        float(each.get("Confidence") or 0.0)
        for each in lines
        if pattern.search(each.get("DetectedText") or "")
    ]
    return Finding(name, max(sure)) if sure else None


def _detection(found: Mapping[str, Any]) -> dict[str, Any]:
    geometry: Mapping[str, Any] = found.get("Geometry") or {}
    return {
        "id": found.get("Id"),
        "text": found.get("DetectedText"),
        "confidence": found.get("Confidence"),
        "box": box(geometry.get("BoundingBox")),
    }


def _bounding_box(region: Sequence[float]) -> dict[str, float]:
    names = ("Left", "Top", "Width", "Height")
    return {name: float(value) for name, value in zip(names, region, strict=True)}
