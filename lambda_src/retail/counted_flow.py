"""One decided shelf picture: counted or wanted again; and its reading, once it is whole.

    read the record → count → put in its place → [whole: keep the event → bus → announced]

Each step is conditional or harmless to repeat, so a message that comes twice, or after a crash,
goes on where the first one stopped. What is not accepted, by the policy or by a person, never
counts: a blurred picture is not an empty shelf.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from retail import contract, counting, pictures
from retail.counting import Rules
from retail.pictures import ShelfPicture
from retail.shelves import Readings, slot_name
from shared import events
from shared.clock import Clock
from shared.dynamodb import Fields, from_item, to_item
from shared.records import order_of
from shared.s3_events import Malformed

Outcome = Literal["counted", "waits", "wanted", "repeated", "late"]
COUNTED, WANTED = "counted", "wanted"


class NotTaken(Exception):
    """The bus did not take an event; the message comes back."""


@dataclass(frozen=True)
class CountedFlow:
    """Takes the results of shelf pictures to counts; safe to share between threads.

    results: name of the table of the vision records. prefix: folder of the shelf pictures.
    bus: name of the event bus.
    """

    dynamodb: Any
    events: Any
    readings: Readings
    results: str
    prefix: str
    bus: str
    rules: Rules
    clock: Clock

    def run(self, body: str) -> Outcome:
        """Work on one message, an event of the vision flow; return what came of it.

        Raises Malformed for what is no such event or no shelf picture's.
        """
        detail = _detail(body)
        record = self._record(detail["record"])
        key = detail["object"]["key"]
        picture = pictures.parse(key, self.prefix, (record or {}).get("created_at"))
        if record is None or record.get("status") != "done":
            return "repeated"  # it is judged anew, and will be told of again; or it was erased
        slot = self._slot(record, picture)
        written = self.readings.place(picture, slot, self.clock.time())
        reading = written.record
        if not written.done:
            return self._standing(picture, reading, slot)
        if slot["state"] == WANTED:
            self._put(contract.WANTED, _wanted(picture, slot))
            return "wanted"
        return self._finish(picture, reading)

    def _record(self, place: Mapping[str, str]) -> Fields | None:
        if place["table"] != self.results:
            raise Malformed(f"the record is in the table {place['table']}, not in {self.results}")
        answer = self.dynamodb.get_item(
            TableName=self.results,
            Key=to_item({"pk": place["pk"], "sk": place["sk"]}),
            ConsistentRead=True,
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def _slot(self, record: Fields, picture: ShelfPicture) -> Fields:
        # What a person decided holds, and is noted before it is told.
        decision = (record.get("reviewed") or record)["decision"]
        slot: Fields = {
            "bucket": record["bucket"],
            "key": record["key"],
            "version_id": record["version_id"],
            "order": order_of(str(record["sequencer"])),
            "analysed_at": record["analysed_at"],
            "decision": decision,
        }
        if decision != "accept":
            return {**slot, "state": WANTED, "codes": _codes(record)}
        boxes = counting.boxes_of(record["analyses"])
        tally = counting.tally(boxes, self.rules, picture.number)
        return {**slot, "state": COUNTED, "tally": tally}

    def _standing(self, picture: ShelfPicture, reading: Fields, slot: Fields) -> Outcome:
        """What follows where the picture was not put in its place."""
        if int(reading["pictures"]) != picture.pictures:
            raise Malformed(
                f"the key says {picture.number}-of-{picture.pictures}, but the reading has "
                f"{reading['pictures']} pictures"
            )
        there: Fields = reading.get(slot_name(picture.number)) or {}
        if "event" in reading and not reading["announced"]:
            self._announce(picture, json.loads(reading["event"]))
            return "counted"
        return (
            "repeated"
            if "event" not in reading or there.get("version_id") == slot["version_id"]
            else "late"
        )

    def _finish(self, picture: ShelfPicture, reading: Fields) -> Outcome:
        slots = {
            number: reading.get(slot_name(number)) for number in range(1, picture.pictures + 1)
        }
        there = {number: slot for number, slot in slots.items() if slot}
        if len(there) < len(slots) or any(slot["state"] != COUNTED for slot in there.values()):
            return "waits"
        detail = self._detail(picture, there)
        closed = self.readings.close(picture, reading, detail)
        if not closed.done and closed.record.get("event") != json.dumps(detail):
            return "repeated"  # another message closed it, or a newer picture came between
        self._announce(picture, detail)
        return "counted"

    def _detail(self, picture: ShelfPicture, slots: Mapping[int, Fields]) -> dict[str, Any]:
        rules = self.rules.fingerprint()
        shelf = (picture.store, picture.aisle, picture.reading)
        names = ("bucket", "key", "version_id")
        tallies = {number: slot["tally"] for number, slot in slots.items()}
        detail = {
            "schema": contract.SCHEMA,
            "id": contract.event_id(contract.COUNTED, *shelf, rules),
            "store": picture.store,
            "aisle": picture.aisle,
            "reading": picture.reading,
            "read_at": picture.read_at,
            # Of the pictures, not of now: whoever closes the reading says the same.
            "counted_at": max(str(slot["analysed_at"]) for slot in slots.values()),
            "rules": rules,
            "products": counting.combine(tallies, self.rules),
            "pictures": [
                {"number": number, **{name: slot[name] for name in names}}
                for number, slot in slots.items()
            ],
        }
        contract.validate(detail)
        return detail

    def _announce(self, picture: ShelfPicture, detail: Mapping[str, Any]) -> None:
        self._put(contract.COUNTED, detail)
        self.readings.mark_announced(picture)

    def _put(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        answer = self.events.put_events(Entries=[contract.entry(detail_type, detail, self.bus)])
        # PutEvents answers 200 even when it took no entry ("PutEvents", EventBridge API reference).
        if answer.get("FailedEntryCount"):
            raise NotTaken(str(answer["Entries"][0].get("ErrorCode")))


def _detail(body: str) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
        events.validate(event["detail"], event["detail-type"])
    # RecursionError: a body of nested brackets only.
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"the message is no event of the image analysis: {error}") from error
    return event["detail"]


def _codes(record: Fields) -> list[str]:
    """Why a picture does not count: codes and, where there is some, advice on a better one."""
    found = [
        str(each.get("advice") or each.get("code") or f"{each['analysis']}:{each['rule']}")
        for each in record["reasons"]
    ]
    return list(dict.fromkeys(found)) or ["a person rejected it"]


def _wanted(picture: ShelfPicture, slot: Fields) -> dict[str, Any]:
    identity = (slot["bucket"], slot["key"], slot["version_id"], slot["decision"])
    return {
        "schema": contract.SCHEMA,
        "id": contract.event_id(contract.WANTED, *identity),
        "store": picture.store,
        "aisle": picture.aisle,
        "reading": picture.reading,
        "picture": picture.number,
        "key": slot["key"],
        "version_id": slot["version_id"],
        # A person may still accept what waits for review; either way a new upload replaces it.
        "decision": slot["decision"],
        "reasons": slot["codes"],
    }
