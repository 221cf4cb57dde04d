"""Labels: objects, scenes and actions in a video, by segment.

After "StartLabelDetection" and "GetLabelDetection" in the Amazon Rekognition API reference,
AggregateBy SEGMENTS: a segment is a stretch in which a label is seen without a break.
"""

from collections.abc import Mapping
from typing import Any

from shared.policy import Finding
from shared.taxonomy import above, names
from video_analysis.analyses import Answer, Options, Page
from video_analysis.spans import Details, Sighting, Span, segment_of, times

START = "StartLabelDetection"
GET = "GetLabelDetection"
VERSION = 1
WANTED = {"AggregateBy": "SEGMENTS"}

_FILTERS = {
    "include": "LabelInclusionFilters",
    "exclude": "LabelExclusionFilters",
    "include_categories": "LabelCategoryInclusionFilters",
    "exclude_categories": "LabelCategoryExclusionFilters",
}


def start(options: Options) -> dict[str, Any]:
    """Return the job's arguments; options: minimum_confidence (0 to 100), and lists of names:
    include, exclude, include_categories, exclude_categories."""
    filters = {name: list(options[key]) for key, name in _FILTERS.items() if options.get(key)}
    arguments: dict[str, Any] = {
        "Features": ["GENERAL_LABELS"],
        "MinConfidence": float(options["minimum_confidence"]),
    }
    return {**arguments, "Settings": {"GeneralLabels": filters}} if filters else arguments


class Reader:
    """Every label with its stretch, confidence, parents and categories. A rule of the policy may
    name a label, one of its ancestors or a category."""

    def __init__(self, options: Options) -> None:
        self._found: list[tuple[Mapping[str, Any], Span]] = []
        self._model: str | None = None

    def take(self, page: Page) -> None:
        """Read one page."""
        self._model = page.get("LabelModelVersion") or self._model
        self._found += [(each["Label"], segment_of(each)) for each in page.get("Labels") or ()]

    def answer(self) -> Answer:
        """Return what all pages came to."""
        depths = {label["Name"]: len(names(label, "Parents")) for label, _ in self._found}
        details = Details()
        sightings: list[Sighting] = []
        for label, span in self._found:
            sure = float(label["Confidence"])
            finding = Finding(label["Name"], sure, above(label, depths))
            sightings.append(Sighting(finding, span.start, span.until))
            details.add(
                {
                    **times(span),
                    "name": label["Name"],
                    "confidence": sure,
                    "parents": names(label, "Parents"),
                    "categories": names(label, "Categories"),
                }
            )
        fields = {"version": VERSION, "model_version": self._model, "count": details.count}
        return Answer(fields, details, tuple(sightings))
