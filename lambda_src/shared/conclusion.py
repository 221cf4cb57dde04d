"""From a verdict to an announced record, for images and videos alike.

Each step may be cut off or come twice, so each is either conditional or harmless to repeat:

    [note verdict → tag] → record done → current → event → announced
"""

from dataclasses import dataclass
from typing import Any

from shared import errors, events, objects, quarantine
from shared.dynamodb import Fields
from shared.errors import Transient
from shared.records import Records
from shared.s3_events import ObjectVersion


@dataclass(frozen=True)
class Conclusion:
    """Ends the work on an object version.

    settings: fingerprint of analyses and policy. bus: name of the event bus.
    """

    s3: Any
    events: Any
    records: Records
    settings: str
    bus: str

    def noted(self, version: ObjectVersion, record: Fields) -> Fields | None:
        """The verdict of an earlier try that stopped around its quarantine.

        One of other settings counts only if its tag is on already: then the version cannot be
        read again, and only a person lifts a quarantine.
        """
        noted: Fields | None = record.get("pending")
        if noted is None or noted["settings"] == self.settings:
            return noted
        return noted if quarantine.is_on(quarantine.read_tags(self.s3, version)) else None

    def why_unreadable(self, version: ObjectVersion, error: Exception) -> Fields:
        """The result for a version that we are not let read, if that is by quarantine.

        Its record was lost (it expired, say) while the tag stayed, or a person set the tag.
        Raises `error` if the version carries no such tag.
        """
        if errors.kind_of(error) != "denied":
            raise error
        try:
            tags = quarantine.read_tags(self.s3, version)
        except Exception:
            raise error from None
        if tags is None:
            return result("unusable", [{"code": "object_gone", "message": objects.GONE}])
        if not quarantine.is_on(tags):
            raise error
        message = f"the version carries the tag {quarantine.TAG_KEY}; only a person lifts it"
        return result("reject", [{"code": "quarantined", "message": message}])

    def quarantine(
        self, version: ObjectVersion, record: Fields, owner: str, verdict: Fields
    ) -> Fields:
        """Tag the version; return the verdict with what came of it.

        Raises Busy if the lease has passed to another, RecordTooLarge.
        """
        tags = quarantine.read_tags(self.s3, version)
        if tags is None:
            return verdict  # Deleted meanwhile: nothing is left to keep from anyone.
        if quarantine.is_on(tags):
            return {**verdict, "quarantined": True}
        plan = quarantine.plan(tags)
        verdict = {name: each for name, each in verdict.items() if name != "displaced_tag"}
        if plan.displaced:
            tag = plan.displaced
            verdict["displaced_tag"] = {"key": tag["Key"], "value": tag["Value"]}
        self.records.plan(record, owner, verdict)
        return {**verdict, "quarantined": quarantine.write(self.s3, version, plan.tags)}

    def announce(self, record: Fields) -> bool:
        """Point `current` to a finished record and announce it; False if that was done before."""
        if record["announced"]:
            return False
        self.records.advance(record)
        self._put_event(record)
        self.records.mark_announced(record)
        return True

    def _put_event(self, record: Fields) -> None:
        detail = events.build(record, self.records.table)
        entry = events.entry(detail, self.bus, events.analysed_type(record["kind"]))
        answer = self.events.put_events(Entries=[entry])
        # PutEvents answers 200 even when it took no entry ("PutEvents", EventBridge API reference).
        if answer.get("FailedEntryCount"):
            code = answer["Entries"][0].get("ErrorCode")
            raise Transient(f"PutEvents did not take the event: {code}")


def result(decision: str, reasons: list[Fields]) -> Fields:
    """Return a verdict that no analysis led to."""
    return {"decision": decision, "reasons": reasons, "analyses": {}}
