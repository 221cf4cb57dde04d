"""Brings the blurred copy of an image in step with its record.

There is a copy of what people may see or must decide on, and of nothing in quarantine. The record
points to it in the attribute `blurred_copy`: bucket, key, version_id, and `of`, the analysis that
it was made for. What an event says of the record does not count, only what the record says now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from face_blur.picture import Box, NotAPicture, blurred
from shared import conditional, errors, following, places, results
from shared.dynamodb import Fields
from shared.following import DONE, Moving, Outcome, Reference

# In the data bucket, whose objects nothing analyses.
PREFIX = "copies/faces-blurred/"
POINTER = "blurred_copy"
SHOWN = ("accept", "review")
TRIES = 3
_UNCHANGED = "#status = :done AND #analysed_at = :analysed_at AND #decision = :was"


@dataclass(frozen=True)
class Copies:
    """Makes and removes copies.

    s3, rekognition, dynamodb: clients. bucket: where copies lie. longest_side: pixels that a copy
    has at most.
    """

    s3: Any
    rekognition: Any
    dynamodb: Any
    bucket: str
    longest_side: int

    def follow(self, reference: Reference) -> Outcome:
        """Make, renew or remove the copy of the record as it is now.

        The record takes a pointer only while it says what the copy was made for; where it has
        changed meanwhile, or was erased, the copy goes again and the record is read anew. Raises
        Moving if it changes again and again.
        """
        for _ in range(TRIES):
            record = following.read(self.dynamodb, reference)
            # One that is being analysed anew announces that itself.
            if record is None or record.get("status") != DONE:
                return "nothing"
            outcome = self._step(reference, record)
            if outcome is not None:
                return outcome
        raise Moving("the record changed while its copy was made")

    def _step(self, reference: Reference, record: Fields) -> Outcome | None:
        """Do what the record asks for; None if it was changed meanwhile."""
        known: Mapping[str, str] | None = record.get(POINTER)
        if record["decision"] not in SHOWN or record.get("quarantined"):
            return self._remove(reference, record, known) if known else "nothing"
        if known and known["of"] == record["analysed_at"]:
            return "nothing"
        try:
            made = self._make(record)
        except NotAPicture:
            return "impossible"
        if made is None:
            return "nothing"  # the version was deleted
        if not self._point(reference, record, made):
            self._delete(made)
            return None
        if known:
            self._delete(known)
        return "made"

    def _make(self, record: Fields) -> Fields | None:
        thing = {"Bucket": record["bucket"], "Key": record["key"]}
        try:
            answer = self.s3.get_object(**thing, VersionId=record["version_id"])
        except Exception as error:
            if errors.kind_of(error) == "gone":
                return None
            raise
        copy = blurred(answer["Body"].read(), self._boxes(record), self.longest_side)
        key = key_of(record["pk"], record["version_id"])
        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=copy, ContentType="image/jpeg")
        return {
            "bucket": self.bucket,
            "key": key,
            "version_id": put["VersionId"],
            "of": record["analysed_at"],
        }

    def _boxes(self, record: Fields) -> Sequence[Box]:
        """Where faces are: from the record if it keeps that, else asked for and not kept."""
        faces = following.analyses_of(self.s3, record).get("faces") or {}
        if "faces" in faces:
            return [each["box"] for each in faces["faces"] if each["box"]]
        place = {
            "Bucket": record["bucket"],
            "Name": record["key"],
            "Version": record["version_id"],
        }
        found = self.rekognition.detect_faces(Image={"S3Object": place}, Attributes=["DEFAULT"])
        boxes = (places.box(each.get("BoundingBox")) for each in found.get("FaceDetails") or ())
        return [each for each in boxes if each]

    def _point(self, reference: Reference, record: Fields, made: Fields) -> bool:
        return self._update(reference, record, {POINTER: made})

    def _remove(
        self, reference: Reference, record: Fields, known: Mapping[str, str]
    ) -> Outcome | None:
        self._delete(known)
        return "removed" if self._update(reference, record, {}, remove=(POINTER,)) else None

    def _update(
        self, reference: Reference, record: Fields, fields: Fields, remove: Sequence[str] = ()
    ) -> bool:
        given = {
            "done": DONE,
            "analysed_at": record["analysed_at"],
            "was": record["decision"],
        }
        key = {"pk": reference.pk, "sk": reference.sk}
        return conditional.update(
            self.dynamodb, reference.table, key, fields, _UNCHANGED, given, remove=remove
        ).done

    def _delete(self, copy: Mapping[str, str]) -> None:
        self.s3.delete_object(Bucket=copy["bucket"], Key=copy["key"], VersionId=copy["version_id"])


def key_of(pk: str, version_id: str) -> str:
    """Return where the copy of a version lies. Its name tells nothing of the object's key."""
    return f"{PREFIX}{results.name_of(pk)}/{results.file_of(version_id)}.jpg"
