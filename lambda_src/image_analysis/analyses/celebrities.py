"""Celebrities: well-known people whom Amazon Rekognition recognises.

After "RecognizeCelebrities" in the Amazon Rekognition API reference: at most 64 an image. Of
faces that it does not recognise only their number is kept, and of nobody the gender or emotions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response
from shared.places import box

OPERATION = "RecognizeCelebrities"
VERSION = 1


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the call's arguments: the operation takes none but the image."""
    return [{}]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return each celebrity that matches surely enough; options: minimum_confidence, 0 to 100.

    The policy judges them by name.
    """
    (response,) = responses
    least = float(options["minimum_confidence"])
    faces: list[Mapping[str, Any]] = response.get("CelebrityFaces") or []
    known = [each for each in faces if each.get("MatchConfidence", -1.0) >= least]
    unknown = len(response.get("UnrecognizedFaces") or []) + len(faces) - len(known)
    fields = {
        "version": VERSION,
        "celebrities": [_celebrity(each) for each in known],
        "unrecognised": unknown,
    }
    findings = (Finding(each["Name"], float(each["MatchConfidence"])) for each in known)
    return Answer(fields, tuple(findings))


def _celebrity(found: Mapping[str, Any]) -> dict[str, Any]:
    face: Mapping[str, Any] = found.get("Face") or {}
    return {
        "name": found["Name"],
        "id": found.get("Id"),
        "confidence": found["MatchConfidence"],
        "urls": list(found.get("Urls") or ()),
        "box": box(face.get("BoundingBox")),
    }
