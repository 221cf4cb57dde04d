"""Labels: objects, scenes and actions in an image.

After "DetectLabels" in the Amazon Rekognition API reference, feature GENERAL_LABELS. A label
names all its ancestors and its categories; objects that are common come with a box for each
instance.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response
from shared.places import box
from shared.taxonomy import above, names

OPERATION = "DetectLabels"
SHARED = "Features"
VERSION = 1

_FILTERS = {
    "include": "LabelInclusionFilters",
    "exclude": "LabelExclusionFilters",
    "include_categories": "LabelCategoryInclusionFilters",
    "exclude_categories": "LabelCategoryExclusionFilters",
}


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the call's arguments; options: minimum_confidence (0 to 100), maximum (labels),
    and lists of names: include, exclude, include_categories, exclude_categories."""
    filters = {name: list(options[key]) for key, name in _FILTERS.items() if options.get(key)}
    arguments: dict[str, Any] = {
        "Features": ["GENERAL_LABELS"],
        "MaxLabels": int(options["maximum"]),
        "MinConfidence": float(options["minimum_confidence"]),
    }
    return [{**arguments, "Settings": {"GeneralLabels": filters}} if filters else arguments]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return every label with confidence, parents, categories and instances, and the model's
    version. A rule of the policy may name a label, one of its ancestors or a category."""
    (response,) = responses
    labels: list[Mapping[str, Any]] = response.get("Labels") or []
    fields = {
        "version": VERSION,
        "model_version": response.get("LabelModelVersion"),
        "labels": [_label(each) for each in labels],
    }
    depths = {each["Name"]: len(names(each, "Parents")) for each in labels}
    findings = (
        Finding(each["Name"], float(each["Confidence"]), above(each, depths)) for each in labels
    )
    return Answer(fields, tuple(findings))


def _label(label: Mapping[str, Any]) -> dict[str, Any]:
    instances: list[Mapping[str, Any]] = label.get("Instances") or []
    return {
        "name": label["Name"],
        "confidence": label["Confidence"],
        "parents": names(label, "Parents"),
        "categories": names(label, "Categories"),
        "instances": [
            {"box": box(each.get("BoundingBox")), "confidence": each.get("Confidence")}
            for each in instances
        ],
    }
