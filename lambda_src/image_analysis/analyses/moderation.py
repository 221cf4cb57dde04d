"""Moderation: what in an image may be unwelcome.

After "DetectModerationLabels" in the Amazon Rekognition API reference. Labels form a taxonomy
of up to three levels, and the response lists each label's parents as labels of their own. What
kind of content an image is (animated, illustrated, sports) is recorded and not judged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response
from shared.taxonomy import chain

OPERATION = "DetectModerationLabels"
VERSION = 2


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the call's arguments; options: minimum_confidence, 0 to 100."""
    return [{"MinConfidence": float(options["minimum_confidence"])}]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return every label with its confidence, parent and level, the content types, and the
    model's version."""
    (response,) = responses
    labels: list[Mapping[str, Any]] = response.get("ModerationLabels") or []
    kinds: list[Mapping[str, Any]] = response.get("ContentTypes") or []
    parents = {each["Name"]: each.get("ParentName") or "" for each in labels}
    fields = {
        "version": VERSION,
        "model_version": response.get("ModerationModelVersion"),
        "labels": [_label(each) for each in labels],
        "content_types": [
            {"name": each["Name"], "confidence": each["Confidence"]} for each in kinds
        ],
    }
    findings = tuple(
        Finding(each["Name"], float(each["Confidence"]), chain(each["Name"], parents))
        for each in labels
    )
    return Answer(fields, findings)


def _label(label: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": label["Name"],
        "confidence": label["Confidence"],
        "parent": label.get("ParentName") or None,
        "level": label.get("TaxonomyLevel"),
    }
