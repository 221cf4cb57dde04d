"""Records of object versions in the results table, every write conditional.

Two kinds of item share the partition `s3://bucket/key`: `version#<id>`, the record of one
version, and `current`, which points to the newest version known. The life of a record:

    claim      in_progress, with an owner and a lease: nobody else works on it meanwhile
    keep       what some analyses found while another failed, so that they are not paid twice
    plan       a rejecting verdict is noted before the quarantine, which bars its own author
               from reading the version again: a later attempt finishes from the note
    complete   done, with the verdict; only the lease's owner may
    advance    `current` moves to it unless that is newer already
    announced  its event is on the bus

A claim that was cut off ends with its lease; a failed attempt releases its own at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.conditional import Written, update
from shared.dynamodb import Fields, size_of
from shared.errors import Busy, RecordTooLarge
from shared.s3_events import ObjectVersion

IN_PROGRESS = "in_progress"
DONE = "done"
CURRENT = "current"
# In the attribute `review`, by which the table's index `reviews` lists what a person must decide.
WAITING = "waiting"
# What an earlier verdict left and a later one may not have.
_PASSING = (
    "answered_at",
    "calls_saved",
    "content",
    "displaced_tag",
    "results",
    "review",
    "timeline",
    "video",
)
# DynamoDB's limit is 400 KB an item ("Quotas" in the developer guide); a write beyond it is
# refused with a ValidationException that no retry mends, so a clear error comes first.
MOST_BYTES = 350_000

_FREE = (
    "attribute_not_exists(#pk)"
    " OR (#status = :in_progress AND #lease_until < :now)"
    " OR (#status = :done AND #settings <> :now_settings AND #quarantined = :no"
    " AND attribute_not_exists(#reviewed))"
)
_MINE = "#owner = :me AND #status = :in_progress"
_NEWER = "attribute_not_exists(#pk) OR #order < :new_order OR #version_id = :same_version"


@dataclass(frozen=True)
class Claim:
    """What came of a claim.

    state: "mine"; "done", if there is nothing to analyse; "busy", if another holds the lease.
    record: the record as it stands now.
    """

    state: Literal["mine", "done", "busy"]
    record: Fields


def is_finished(record: Mapping[str, Any] | None) -> bool:
    """Whether a version has a result that has been announced, under whichever settings."""
    return bool(record) and record.get("status") == DONE and bool(record.get("announced"))


def is_settled(record: Mapping[str, Any] | None, settings: str) -> bool:
    """Whether a message about a version would find nothing to do, as `claim` sees it.

    record: of the version, None if there is none. settings: fingerprint of those in force.
    """
    if record is None or not is_finished(record):
        return False
    lasting = record.get("quarantined") or "reviewed" in record
    return bool(lasting) or record.get("settings") == settings


def version_key(version_id: str) -> str:
    """Return the sort key of a version's record."""
    return f"version#{version_id}"


def order_of(sequencer: str) -> str:
    """Return a text that sorts as the sequencer does among those of the same key.

    "Event message structure" in the Amazon S3 user guide: right-pad the shorter of two
    sequencers with zeros, then compare them as texts. Dropping the zeros at the right end
    gives the same order for any lengths, and a database can compare the outcome.
    """
    return sequencer.lower().rstrip("0")


@dataclass(frozen=True)
class Records:
    """The results table, through a DynamoDB client.

    record_seconds: how long an item is kept, None for ever. kind: what the objects are, `image`
    or `video`.
    """

    client: Any
    table: str
    record_seconds: int | None
    kind: Literal["image", "video"] = "image"

    def claim(
        self, version: ObjectVersion, owner: str, settings: str, now: float, lease: float
    ) -> Claim:
        """Take the version for `lease` seconds from `now`, if it is free.

        Free is what has no record, an ended lease, or a result of other settings that did not
        quarantine it and that no person has decided about: only a person lifts a quarantine, and
        what a person decided stands. owner: unique to this attempt.
        """
        lasting = self._lasting(now)
        taken = self._update(
            _key(version.uri, version_key(version.version_id)),
            {
                "kind": self.kind,
                **_known(version),
                "status": IN_PROGRESS,
                "owner": owner,
                "lease_until": math.ceil(now + lease),
                **lasting,
            },
            remove=() if lasting else ("expires_at",),
            count="attempts",
            condition=_FREE,
            given={
                "in_progress": IN_PROGRESS,
                "done": DONE,
                "now": now,
                "now_settings": settings,
                "no": False,
            },
        )
        if taken.done:
            return Claim("mine", taken.record)
        return _standing(taken.record, owner)

    def renew(self, record: Fields, owner: str, until: float) -> bool:
        """Hold on to the version until a time in epoch seconds; False if another has it."""
        lease: Fields = {"lease_until": math.ceil(until)}
        return self._update(_key_of(record), lease, _MINE, _mine(owner)).done

    def keep(self, record: Fields, owner: str, found: Fields) -> None:
        """Keep the answers of some analyses for the next try.

        Does nothing if the lease has passed to another, or if the record would grow too large:
        the next try then pays for them again.
        """
        if size_of({**record, "partial": found}) <= MOST_BYTES:
            self._update(_key_of(record), {"partial": found}, _MINE, _mine(owner))

    def plan(self, record: Fields, owner: str, verdict: Fields) -> None:
        """Note a verdict that is about to quarantine the version.

        Raises Busy if the lease has passed to another, RecordTooLarge.
        """
        # The verdict holds what the answers of earlier tries came to.
        _check_size({**record, "partial": None, "pending": verdict})
        noted: Fields = {"pending": verdict}
        result = self._update(_key_of(record), noted, _MINE, _mine(owner), remove=("partial",))
        if not result.done:
            raise Busy(0)

    def complete(self, record: Fields, owner: str, verdict: Fields) -> Fields:
        """Write the verdict, end the lease; return the record as it is then.

        Raises Busy if the lease has passed to another, whose work stands; RecordTooLarge.
        """
        gone = ("owner", "lease_until", "pending", "partial")
        waiting = {"review": WAITING} if verdict["decision"] == "review" else {}
        fields = {**verdict, **waiting, "status": DONE, "announced": False}
        gone += tuple(name for name in _PASSING if name not in fields)
        _check_size({name: each for name, each in record.items() if name not in gone} | fields)
        result = self._update(_key_of(record), fields, _MINE, _mine(owner), remove=gone)
        # An answer that got lost makes the client try again and find its own work.
        if result.done or _is_same(result.record, fields):
            return result.record
        raise Busy(0)

    def release(self, version: ObjectVersion, owner: str) -> None:
        """End this attempt's lease, so that the next need not wait for it."""
        key = _key(version.uri, version_key(version.version_id))
        self._update(key, {"lease_until": 0}, _MINE, _mine(owner))

    def advance(self, record: Fields) -> bool:
        """Point `current` to the record's version; False if it knows a newer one."""
        names = ("version_id", "sequencer", "decision", "analysed_at")
        fields = {name: record[name] for name in names} | _expiry(record)
        order = order_of(record["sequencer"])
        result = self._update(
            _key(record["pk"], CURRENT),
            {**fields, "order": order},
            condition=_NEWER,
            given={"new_order": order, "same_version": record["version_id"]},
            remove=() if "expires_at" in fields else ("expires_at",),
        )
        return result.done

    def mark_announced(self, record: Fields) -> None:
        """Note that the record's event is on the bus.

        Does nothing if the version has been taken up again since: that attempt announces its
        own result.
        """
        self._update(
            _key_of(record),
            {"announced": True},
            condition="#status = :done AND #settings = :same_settings",
            given={"done": DONE, "same_settings": record["settings"]},
        )

    def _lasting(self, now: float) -> Fields:
        if self.record_seconds is None:
            return {}
        return {"expires_at": math.ceil(now + self.record_seconds)}

    def _update(
        self,
        key: Fields,
        fields: Fields,
        condition: str,
        given: Mapping[str, object],
        remove: Sequence[str] = (),
        count: str | None = None,
    ) -> Written:
        return update(
            self.client, self.table, key, fields, condition, given, remove=remove, count=count
        )


def _known(version: ObjectVersion) -> Fields:
    """What the event tells of the version; what it leaves out is not overwritten."""
    fields: Fields = {
        "bucket": version.bucket,
        "key": version.key,
        "version_id": version.version_id,
        "sequencer": version.sequencer,
        "etag": version.etag,
        "size": version.size,
        "created_at": version.created_at,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _standing(record: Fields, owner: str) -> Claim:
    if record.get("status") == DONE:
        return Claim("done", record)
    # An answer that got lost makes the client try again and meet its own lease.
    return Claim("mine" if record.get("owner") == owner else "busy", record)


def _is_same(record: Fields, fields: Fields) -> bool:
    names = ("status", "settings", "decision", "analysed_at")
    return all(record.get(name) == fields.get(name) for name in names)


def _mine(owner: str) -> Fields:
    return {"me": owner, "in_progress": IN_PROGRESS}


def _key(pk: str, sk: str) -> Fields:
    return {"pk": pk, "sk": sk}


def _key_of(record: Fields) -> Fields:
    return _key(record["pk"], record["sk"])


def _expiry(record: Fields) -> Fields:
    return {"expires_at": record["expires_at"]} if "expires_at" in record else {}


def _check_size(record: Fields) -> None:
    size = size_of(record)
    if size > MOST_BYTES:
        raise RecordTooLarge(
            f"the record would take about {size:,} bytes of at most {MOST_BYTES:,}: "
            "raise minimum_confidence, or keep less of each label"
        )
