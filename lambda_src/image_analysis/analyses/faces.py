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

from image_analysis.analyses import Answer, Options, Response
from shared import faces as described

OPERATION = "DetectFaces"
VERSION = 1


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
        fields["faces"] = [described.face(each) for each in faces]
    return Answer(
        fields,
        (*described.present(faces), *(described.traits(faces) if store == "attributes" else ())),
    )
