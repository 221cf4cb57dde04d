"""Text: lines in a video.

After "StartTextDetection" and "GetTextDetection" in the Amazon Rekognition API reference, which
finds at most 100 words a frame. The policy judges "Text" (there is any) and the names of
`patterns`, as it does for images: a reason repeats none of the text.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.places import box
from shared.policy import Finding
from video_analysis.analyses import Answer, Options, Page
from video_analysis.spans import Details, Sighting, Spans, times

START = "StartTextDetection"
GET = "GetTextDetection"
VERSION = 1

ANY_TEXT = "Text"


def start(options: Options) -> dict[str, Any]:
    """Return the job's arguments; options: minimum_confidence of a word, 0 to 100."""
    return {"Filters": {"WordFilter": {"MinConfidence": float(options["minimum_confidence"])}}}


class Reader:
    """Each line with the stretches in which it is seen; options: store ("text" or "counts"),
    patterns (regular expressions by name)."""

    def __init__(self, options: Options) -> None:
        patterns: Mapping[str, str] = options.get("patterns") or {}
        sought = {ANY_TEXT: "", **patterns}
        self._patterns = {name: re.compile(pattern) for name, pattern in sought.items()}
        self._keeps_text = options["store"] == "text"
        self._lines = Spans()
        self._matches = Spans()
        self._model: str | None = None

    def take(self, page: Page) -> None:
        """Read one page."""
        self._model = page.get("TextModelVersion") or self._model
        for found in page.get("TextDetections") or ():
            text = found["TextDetection"]
            if text["Type"] != "LINE":
                continue
            words = text.get("DetectedText") or ""
            at, sure = int(found.get("Timestamp") or 0), float(text.get("Confidence") or 0.0)
            geometry: Mapping[str, Any] = text.get("Geometry") or {}
            self._lines.add(words, at, sure, {"box": box(geometry.get("BoundingBox"))})
            for name, pattern in self._patterns.items():
                if pattern.search(words):
                    self._matches.add(name, at, sure)

    def answer(self) -> Answer:
        """Return what all pages came to."""
        details = Details()
        for words, span in self._lines if self._keeps_text else ():
            details.add({**times(span), "text": words, "confidence": span.confidence, **span.told})
        sightings = tuple(
            Sighting(Finding(name, span.confidence), span.start, span.until)
            for name, span in self._matches
        )
        fields = {"version": VERSION, "model_version": self._model, "count": len(self._lines)}
        return Answer(fields, details, sightings)
