"""Segments: shots and technical cues, such as black frames, colour bars and end credits.

After "StartSegmentDetection" and "GetSegmentDetection" in the Amazon Rekognition API reference. The
policy judges "Shot" and the cues by their names there, for example "BlackFrames".
"""

from collections.abc import Mapping
from typing import Any

from shared.policy import Finding
from video_analysis.analyses import Answer, Options, Page
from video_analysis.spans import Details, Sighting, segment_of, times

START = "StartSegmentDetection"
GET = "GetSegmentDetection"
VERSION = 1

SHOT = "Shot"


def start(options: Options) -> dict[str, Any]:
    """Return the job's arguments; options: types ("shot", "technical_cue"), minimum_confidence
    (50 to 100), black_pixel_threshold (0 to 1) and black_coverage (0 to 100), or None for the
    service's own."""
    least = {"MinSegmentConfidence": float(options["minimum_confidence"])}
    types = [str(each).upper() for each in options["types"]]
    filters: dict[str, Any] = {}
    if "SHOT" in types:
        filters["ShotFilter"] = least
    if "TECHNICAL_CUE" in types:
        black = {
            member: float(options[name])
            for name, member in (
                ("black_pixel_threshold", "MaxPixelThreshold"),
                ("black_coverage", "MinCoveragePercentage"),
            )
            if options.get(name) is not None
        }
        filters["TechnicalCueFilter"] = {**least, **({"BlackFrame": black} if black else {})}
    return {"SegmentTypes": types, "Filters": filters}


class Reader:
    """Every shot and technical cue with its stretch and confidence."""

    def __init__(self, options: Options) -> None:
        self._details = Details()
        self._sightings: list[Sighting] = []
        self._shots = 0

    def take(self, page: Page) -> None:
        """Read one page."""
        for found in page.get("Segments") or ():
            span = segment_of(found)
            is_shot = found["Type"] == "SHOT"
            told: Mapping[str, Any] = found["ShotSegment" if is_shot else "TechnicalCueSegment"]
            name = SHOT if is_shot else str(told["Type"])
            sure = float(told.get("Confidence") or 0.0)
            self._shots += is_shot
            self._sightings.append(Sighting(Finding(name, sure), span.start, span.until))
            self._details.add(
                {
                    **times(span),
                    "name": name,
                    "confidence": sure,
                    "start_timecode": found.get("StartTimecodeSMPTE"),
                    "end_timecode": found.get("EndTimecodeSMPTE"),
                }
            )

    def answer(self) -> Answer:
        """Return what all pages came to."""
        fields = {"version": VERSION, "count": self._details.count, "shots": self._shots}
        return Answer(fields, self._details, tuple(self._sightings))
