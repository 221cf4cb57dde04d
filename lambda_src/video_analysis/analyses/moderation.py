"""Moderation: what in a video may be unwelcome, by segment.

After "StartContentModeration" and "GetContentModeration" in the Amazon Rekognition API reference,
AggregateBy SEGMENTS. Labels form a taxonomy of up to three levels, and the response lists each
label's parents as labels of their own.
"""

from collections.abc import Mapping
from typing import Any

from shared.policy import Finding
from shared.taxonomy import chain
from video_analysis.analyses import Answer, Options, Page
from video_analysis.spans import Details, Sighting, segment_of, times

START = "StartContentModeration"
GET = "GetContentModeration"
VERSION = 1
WANTED = {"AggregateBy": "SEGMENTS"}


def start(options: Options) -> dict[str, Any]:
    """Return the job's arguments; options: minimum_confidence, 0 to 100."""
    return {"MinConfidence": float(options["minimum_confidence"])}


class Reader:
    """Every label with its stretch, confidence, parent, level and kinds of content."""

    def __init__(self, options: Options) -> None:
        self._found: list[Mapping[str, Any]] = []
        self._model: str | None = None

    def take(self, page: Page) -> None:
        """Read one page."""
        self._model = page.get("ModerationModelVersion") or self._model
        self._found += page.get("ModerationLabels") or ()

    def answer(self) -> Answer:
        """Return what all pages came to."""
        labels = [each["ModerationLabel"] for each in self._found]
        parents = {each["Name"]: each.get("ParentName") or "" for each in labels}
        details = Details()
        sightings: list[Sighting] = []
        for found, label in zip(self._found, labels, strict=True):
            span = segment_of(found)
            sure = float(label["Confidence"])
            finding = Finding(label["Name"], sure, chain(label["Name"], parents))
            sightings.append(Sighting(finding, span.start, span.until))
            details.add(
                {
                    **times(span),
                    "name": label["Name"],
                    "confidence": sure,
                    "parent": label.get("ParentName") or None,
                    "level": label.get("TaxonomyLevel"),
                    "content_types": [each["Name"] for each in found.get("ContentTypes") or ()],
                }
            )
        fields = {"version": VERSION, "model_version": self._model, "count": details.count}
        return Answer(fields, details, tuple(sightings))
