"""A scripted answer without what a request asks to leave out, as the real service answers.

Facts: Amazon Rekognition API reference, each operation's request parameters.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from rehearsal.aws_json import ServiceError

Answer = Mapping[str, Any]
Parameters = Mapping[str, Any]
Box = Mapping[str, float]


@dataclass(frozen=True)
class Filter:
    """How an operation thins out a list by confidence.

    Attributes:
        items: the list in the answer.
        confidence: the parameter that holds the least confidence.
        default: the least confidence if the parameter is not given.
        most: the parameter that holds the greatest number of items, if there is one.
    """

    items: str
    confidence: str
    default: float
    most: str | None = None

    def apply(self, answer: Answer, parameters: Parameters) -> Answer:
        """The answer without unsure items, and without the least sure beyond the number."""
        if self.items not in answer:
            return answer
        least = parameters.get(self.confidence, self.default)
        items = [item for item in answer[self.items] if item.get("Confidence", 100.0) >= least]
        most = parameters.get(self.most) if self.most else None
        if most is not None:
            # The greatest confidences are kept, in the order of the answer.
            best = sorted(items, key=lambda item: -item.get("Confidence", 100.0))[:most]
            items = [item for item in items if any(item is kept for kept in best)]
        return {**answer, self.items: items}


GENERAL, PROPERTIES = "GENERAL_LABELS", "IMAGE_PROPERTIES"
_LABELS = Filter("Labels", "MinConfidence", 55.0, "MaxLabels")
_DEFAULT_COLOURS = 10
# What DetectFaces always answers; the rest is asked for by name, for example AGE_RANGE.
_DEFAULT_FACE = ("BoundingBox", "Confidence", "Landmarks", "Pose", "Quality")


def _labels(answer: Answer, parameters: Parameters) -> Answer:
    features: Sequence[str] = parameters.get("Features") or [GENERAL]
    settings: Mapping[str, Any] = parameters.get("Settings") or {}
    kept = dict(answer)
    if GENERAL in features:
        chosen = chosen_labels(answer.get("Labels", []), settings.get("GeneralLabels") or {})
        kept = dict(_LABELS.apply({**kept, "Labels": chosen}, parameters))
    else:
        # Both are "only valid when GENERAL_LABELS is specified".
        if "MinConfidence" in parameters or "MaxLabels" in parameters:
            raise ServiceError("InvalidParameterException", "Request has invalid parameters")
        kept.pop("Labels", None)
        kept.pop("LabelModelVersion", None)
    if PROPERTIES not in features:
        kept.pop("ImageProperties", None)
    elif "ImageProperties" not in answer:
        raise ServiceError(
            "UnscriptedImageException",
            "the scripted answer to DetectLabels holds no ImageProperties, which the request "
            "asks for: the rehearsal never invents them",
        )
    else:
        wishes: Mapping[str, int] = settings.get("ImageProperties") or {}
        most = wishes.get("MaxDominantColors", _DEFAULT_COLOURS)
        kept["ImageProperties"] = _coloured(answer["ImageProperties"], most)
    return kept


def chosen_labels(labels: Sequence[Any], filters: Mapping[str, Any]) -> list[Any]:
    """The labels that the filters of GeneralLabels let through."""
    names = set(filters.get("LabelInclusionFilters") or ())
    categories = set(filters.get("LabelCategoryInclusionFilters") or ())
    without = set(filters.get("LabelExclusionFilters") or ())
    without_categories = set(filters.get("LabelCategoryExclusionFilters") or ())

    def is_wanted(label: Mapping[str, Any]) -> bool:
        own = {each["Name"] for each in label.get("Categories", ())}
        if label["Name"] in without or own & without_categories:
            return False
        return not (names or categories) or label["Name"] in names or bool(own & categories)

    return [label for label in labels if is_wanted(label)]


def _coloured(properties: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Image properties with at most so many dominant colours in each of their parts."""
    kept: dict[str, Any] = {}
    for name, part in properties.items():
        if name == "DominantColors":
            kept[name] = part[:most]
        elif name in ("Foreground", "Background"):
            kept[name] = _coloured(part, most)
        else:
            kept[name] = part
    return kept


def _faces(answer: Answer, parameters: Parameters) -> Answer:
    asked: Sequence[str] = parameters.get("Attributes") or ["DEFAULT"]
    if "ALL" in asked:
        return answer
    more = {each.title().replace("_", "") for each in asked}
    faces = [default_face(face, more) for face in answer.get("FaceDetails", ())]
    return {**answer, "FaceDetails": faces}


def default_face(face: Mapping[str, Any], more: Set[str] = frozenset()) -> dict[str, Any]:
    """A FaceDetail with its default attributes, and those in `more`."""
    return {name: each for name, each in face.items() if name in _DEFAULT_FACE or name in more}


def _text(answer: Answer, parameters: Parameters) -> Answer:
    filters: Mapping[str, Any] = parameters.get("Filters") or {}
    found: Sequence[Mapping[str, Any]] = answer.get("TextDetections", ())
    words = [each for each in found if each["Type"] == "WORD"]
    kept = [each for each in words if passes(each, filters)]
    ids = {each["Id"] for each in kept}
    filled = {each.get("ParentId") for each in words}
    lines = {each.get("ParentId") for each in kept}

    def stays(each: Mapping[str, Any]) -> bool:
        if each["Type"] == "WORD":
            return each["Id"] in ids
        # A line is there as long as one of its words is.
        return each["Id"] in lines if each["Id"] in filled else passes(each, filters)

    return {**answer, "TextDetections": [each for each in found if stays(each)]}


def passes(found: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether a TextDetection is sure, large and near enough for the filters."""
    regions: Sequence[Mapping[str, Any]] = filters.get("RegionsOfInterest") or ()
    words: Mapping[str, float] | None = filters.get("WordFilter")
    box: Box = found.get("Geometry", {}).get("BoundingBox", {})
    if words is not None and (
        found.get("Confidence", 100.0) < words.get("MinConfidence", 80.0)
        or box.get("Height", 1.0) < words.get("MinBoundingBoxHeight", 0.0)
        or box.get("Width", 1.0) < words.get("MinBoundingBoxWidth", 0.0)
    ):
        return False
    return not regions or any(_half_inside(box, each) for each in regions)


def _half_inside(box: Box, region: Mapping[str, Any]) -> bool:
    """Whether more than half of a box lies in a region ("RegionOfInterest")."""
    if "BoundingBox" not in region:
        raise ServiceError(
            "NotRehearsedException", "the rehearsal knows regions of interest as boxes only"
        )
    other: Box = region["BoundingBox"]
    width = _overlap(box, other, "Left", "Width")
    height = _overlap(box, other, "Top", "Height")
    return width * height > box["Width"] * box["Height"] / 2


def _overlap(one: Box, other: Box, start: str, length: str) -> float:
    low = max(one[start], other[start])
    high = min(one[start] + one[length], other[start] + other[length])
    return max(0.0, high - low)


_RULES: dict[str, Callable[[Answer, Parameters], Answer]] = {
    "DetectCustomLabels": Filter("CustomLabels", "MinConfidence", 0.0, "MaxResults").apply,
    "DetectFaces": _faces,
    "DetectLabels": _labels,
    "DetectModerationLabels": Filter("ModerationLabels", "MinConfidence", 50.0).apply,
    "DetectText": _text,
}


def thin(operation: str, answer: Answer, parameters: Parameters) -> Answer:
    """The answer of an operation without what the parameters ask to leave out.

    Args:
        operation: for example DetectLabels; one without such parameters answers as scripted.
        answer: as scripted.
        parameters: of the request.

    Raises:
        ServiceError: the parameters do not go together, or ask for what is not scripted.
    """
    rule = _RULES.get(operation)
    return rule(answer, parameters) if rule else answer
