"""Faces: how many there are, and of each what is asked for and allowed to be kept.

After "DetectFaces" in the Amazon Rekognition API reference. Nobody is recognised, and a face's
gender is never kept. What is stored of a face is the option `store`:

    nothing      no field at all; the policy still judges whether there is a face
    counts       how many faces there are
    attributes   each face's place, landmarks, pose and quality; with `attributes: all` also its
                 age range, emotions, smile, eyes and the like
"""

from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response
from image_analysis.places import box, share

OPERATION = "DetectFaces"
VERSION = 1

# By the name in a record and in a policy: the member, and the value that makes it so.
_TRAITS = {
    "smile": ("Smile", "Smile", True),
    "eyes_open": ("EyesOpen", "Eyes closed", False),
    "mouth_open": ("MouthOpen", "Mouth open", True),
    "eyeglasses": ("Eyeglasses", "Eyeglasses", True),
    "sunglasses": ("Sunglasses", "Sunglasses", True),
    "occluded": ("FaceOccluded", "Face occluded", True),
}


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the call's arguments; options: attributes ("default" or "all")."""
    return [{"Attributes": [str(options["attributes"]).upper()]}]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return what may be kept of the faces; options: store.

    The policy judges "Face" (there is at least one), "Several faces" (at least two) and, where
    attributes are kept, "Smile", "Eyes closed", "Mouth open", "Eyeglasses", "Sunglasses" and
    "Face occluded".
    """
    (response,) = responses
    faces: list[Mapping[str, Any]] = response.get("FaceDetails") or []
    store = options["store"]
    fields: dict[str, Any] = {"version": VERSION}
    if store != "nothing":
        fields["count"] = len(faces)
    if store == "attributes":
        fields["faces"] = [_face(each) for each in faces]
    return Answer(fields, (*_present(faces), *(_traits(faces) if store == "attributes" else ())))


def _present(faces: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """That there are at least two faces is as sure as the second surest of them."""
    sure = sorted((float(each.get("Confidence") or 0.0) for each in faces), reverse=True)
    return [Finding(*each) for each in zip(("Face", "Several faces"), sure, strict=False)]


def _traits(faces: Sequence[Mapping[str, Any]]) -> list[Finding]:
    found: dict[str, float] = {}
    for member, label, value in _TRAITS.values():
        for face in faces:
            trait: Mapping[str, Any] | None = face.get(member)
            if trait and trait["Value"] is value:
                found[label] = max(found.get(label, 0.0), float(trait["Confidence"]))
    return [Finding(label, confidence) for label, confidence in found.items()]


def _face(face: Mapping[str, Any]) -> dict[str, Any]:
    landmarks: list[Mapping[str, Any]] = face.get("Landmarks") or []
    kept: dict[str, Any] = {
        "confidence": face.get("Confidence"),
        "box": box(face.get("BoundingBox")),
        "landmarks": {
            each["Type"]: [share(each.get("X")), share(each.get("Y"))] for each in landmarks
        },
        "pose": _lower(face.get("Pose")),
        "quality": _lower(face.get("Quality")),
    }
    if "AgeRange" in face:
        kept["age_range"] = [face["AgeRange"].get("Low"), face["AgeRange"].get("High")]
    if "Emotions" in face:
        kept["emotions"] = _emotions(face["Emotions"])
    for name, (member, _, _) in _TRAITS.items():
        if member in face:
            trait = face[member]
            kept[name] = {"value": trait["Value"], "confidence": trait["Confidence"]}
    return kept


def _emotions(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The appearance of emotions, the surest first."""
    ordered = sorted(found, key=lambda each: -float(each.get("Confidence") or 0.0))
    return [{"name": each["Type"], "confidence": each.get("Confidence")} for each in ordered]


def _lower(members: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name.lower(): value for name, value in (members or {}).items()}
