"""Celebrities: well-known people whom Amazon Rekognition recognises in a video.

After "StartCelebrityRecognition" and "GetCelebrityRecognition" in the Amazon Rekognition API
reference. Of nobody the gender or a face attribute is kept; of faces that are not recognised the
response tells nothing.
"""

from typing import Any

from shared.policy import Finding
from video_analysis.analyses import Answer, Options, Page
from video_analysis.spans import Details, Sighting, Spans, times

START = "StartCelebrityRecognition"
GET = "GetCelebrityRecognition"
VERSION = 1


def start(options: Options) -> dict[str, Any]:
    """Return the job's arguments: the operation takes none but the video."""
    return {}


class Reader:
    """Each celebrity who matches surely enough, with the stretches in which they are seen;
    options: minimum_confidence, 0 to 100. The policy judges them by name."""

    def __init__(self, options: Options) -> None:
        self._least = float(options["minimum_confidence"])
        self._spans = Spans()

    def take(self, page: Page) -> None:
        """Read one page."""
        for found in page.get("Celebrities") or ():
            who = found["Celebrity"]
            sure = float(who.get("Confidence") or 0.0)
            if sure >= self._least:
                told = {"id": who.get("Id"), "urls": list(who.get("Urls") or ())}
                self._spans.add(who["Name"], int(found.get("Timestamp") or 0), sure, told)

    def answer(self) -> Answer:
        """Return what all pages came to."""
        details = Details()
        sightings: list[Sighting] = []
        for name, span in self._spans:
            sightings.append(Sighting(Finding(name, span.confidence), span.start, span.until))
            details.add({**times(span), "name": name, "confidence": span.confidence, **span.told})
        fields = {"version": VERSION, "count": details.count}
        return Answer(fields, details, tuple(sightings))
