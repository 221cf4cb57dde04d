"""The shelf items of the retail table, every write conditional.

Items of one shelf share the partition `shelf#<store>#<aisle>`:

    reading#<reading>  what each picture of a reading came to; with `review` while it waits
    plan#<label>       a product that belongs there, and the rules of its orders
    order#<reading>    what was ordered after a reading, or that it came too late
    current            the newest reading that was ordered after, and what is on its way
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retail.pictures import ShelfPicture
from shared.conditional import Written, update
from shared.dynamodb import Fields

WAITING = "waiting"
COUNTED = "counted"
_FREE = (
    "attribute_not_exists(#event) AND (attribute_not_exists(#pictures) OR #pictures = :of)"
    " AND (attribute_not_exists(#{slot}) OR #{slot}.#order < :order"
    " OR #{slot}.#version_id = :version)"
)


def shelf_key(store: str, aisle: str) -> str:
    """Return the partition key of a shelf."""
    return f"shelf#{store}#{aisle}"


def slot_name(number: int) -> str:
    """Return the attribute that holds what a picture came to."""
    return f"picture_{number}"


@dataclass(frozen=True)
class Readings:
    """The readings, through a DynamoDB client. record_seconds: how long one is kept, or None."""

    client: Any
    table: str
    record_seconds: int | None

    def place(self, picture: ShelfPicture, slot: Fields, now: float) -> Written:
        """Put what a picture came to in its place, if no newer version of it is there.

        slot: `state`, `order` (sorts versions), `version_id`, `analysed_at` and more. Not done
        where the reading is closed, has another number of pictures, or knows a newer version.
        """
        name = slot_name(picture.number)
        fields: Fields = {
            name: slot,
            "kind": "reading",
            "store": picture.store,
            "aisle": picture.aisle,
            "reading": picture.reading,
            "pictures": picture.pictures,
            "status": WAITING,
            # By these two the table's index lists what waits.
            "review": WAITING,
            "analysed_at": slot["analysed_at"],
        }
        if self.record_seconds is not None:
            fields["expires_at"] = round(now) + self.record_seconds
        given = {
            "of": picture.pictures,
            "order": slot["order"],
            "version": slot["version_id"],
        }
        return update(
            self.client,
            self.table,
            _key(picture),
            fields,
            _FREE.replace("{slot}", name),
            given,
        )

    def close(self, picture: ShelfPicture, reading: Fields, detail: Mapping[str, Any]) -> Written:
        """Keep the reading's event, once, if its pictures are still those that were counted.

        From then on no picture changes it.
        """
        names = [slot_name(number) for number in range(1, picture.pictures + 1)]
        same = [f"#{name}.#version_id = :v_{name}" for name in names]
        return update(
            self.client,
            self.table,
            _key(picture),
            {"event": json.dumps(detail), "status": COUNTED, "announced": False},
            " AND ".join(["attribute_not_exists(#event)", *same]),
            {f"v_{name}": reading[name]["version_id"] for name in names},
            remove=("review",),
        )

    def mark_announced(self, picture: ShelfPicture) -> None:
        """Note that the reading's event is on the bus."""
        fields = {"announced": True}
        update(self.client, self.table, _key(picture), fields, "attribute_exists(#event)", {})


def _key(picture: ShelfPicture) -> Fields:
    return {
        "pk": shelf_key(picture.store, picture.aisle),
        "sk": f"reading#{picture.reading}",
    }
