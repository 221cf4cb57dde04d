"""Faces: how many there are and when, and of each what is asked for and allowed to be kept.

After "StartFaceDetection" and "GetFaceDetection" in the Amazon Rekognition API reference. Nobody is
recognised, and a face's gender is never kept. What is stored of faces is the option `store`:

    nothing      no field at all; the policy still judges whether there is a face
    counts       the stretches with faces, and the most at one moment
    attributes   each face at each moment: its place, landmarks, pose and quality; with
                 `attributes: all` also its age range, emotions, smile, eyes and the like
"""

from collections.abc import Mapping
from typing import Any

from shared import faces as described
from shared.policy import Finding
from video_analysis.analyses import Answer, Options, Page
from video_analysis.spans import Details, Sighting, Spans, times

START = "StartFaceDetection"
GET = "GetFaceDetection"
VERSION = 1

_SEEN = "Face"


def start(options: Options) -> dict[str, Any]:
    """Return the job's arguments; options: attributes ("default" or "all")."""
    return {"FaceAttributes": str(options["attributes"]).upper()}


class Reader:
    """What may be kept of the faces; options: store.

    The policy judges "Face" (there is at least one), "Several faces" (at least two at a moment)
    and, where attributes are kept, what a face shows.
    """

    def __init__(self, options: Options) -> None:
        self._store = options["store"]
        self._moment: list[Mapping[str, Any]] = []
        self._at = 0
        self._most = 0
        self._spans = Spans()
        self._details = Details()

    def take(self, page: Page) -> None:
        """Read one page; the faces of one moment may be spread over two."""
        for found in page.get("Faces") or ():
            at = int(found.get("Timestamp") or 0)
            if at != self._at:
                self._close()
                self._at = at
            self._moment.append(found.get("Face") or {})

    def answer(self) -> Answer:
        """Return what all pages came to."""
        self._close()
        sightings = tuple(
            Sighting(Finding(name, span.confidence), span.start, span.until)
            for name, span in self._spans
        )
        fields: dict[str, Any] = {"version": VERSION}
        if self._store != "nothing":
            fields["most_at_once"] = self._most
        if self._store == "counts":
            for name, span in self._spans:
                if name == _SEEN:
                    self._details.add({**times(span), "most_at_once": span.most})
        return Answer(fields, self._details, sightings)

    def _close(self) -> None:
        """End a moment: all its faces are known."""
        faces, self._moment = self._moment, []
        self._most = max(self._most, len(faces))
        traits = described.traits(faces) if self._store == "attributes" else []
        for finding in (*described.present(faces), *traits):
            span = self._spans.add(finding.label, self._at, finding.confidence)
            if finding.label == _SEEN:
                span.most = max(span.most, len(faces))
        if self._store == "attributes":
            for each in faces:
                self._details.add({"at_ms": self._at, **described.face(each)})
