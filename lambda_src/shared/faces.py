"""What may be told of a face ("FaceDetail", Amazon Rekognition API reference)."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.places import box, share
from shared.policy import Finding

# By the name in a record and in a policy: the member, and the value that makes it so.
_TRAITS = {
    "smile": ("Smile", "Smile", True),
    "eyes_open": ("EyesOpen", "Eyes closed", False),
    "mouth_open": ("MouthOpen", "Mouth open", True),
    "eyeglasses": ("Eyeglasses", "Eyeglasses", True),
    "sunglasses": ("Sunglasses", "Sunglasses", True),
    "occluded": ("FaceOccluded", "Face occluded", True),
}


def present(faces: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Return "Face", and "Several faces", which is as sure as the second surest of them."""
    sure = sorted((float(each.get("Confidence") or 0.0) for each in faces), reverse=True)
    return [Finding(*each) for each in zip(("Face", "Several faces"), sure, strict=False)]


def traits(faces: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Return what some face shows, each as sure as the surest of the faces that show it."""
    found: dict[str, float] = {}
    for member, label, value in _TRAITS.values():
        for face in faces:
            trait: Mapping[str, Any] | None = face.get(member)
            if trait and trait["Value"] is value:
                found[label] = max(found.get(label, 0.0), float(trait["Confidence"]))
    return [Finding(label, confidence) for label, confidence in found.items()]


def face(face: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be kept of a FaceDetail; nobody's gender is."""
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
