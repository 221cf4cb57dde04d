"""What the key of a shelf picture says.

    shelves/<store>/<aisle>/<reading>/<number>-of-<pictures>.jpg
    shelves/3/drinks/20261123T073000Z/1-of-2.jpg

A reading is one look at one shelf, named by its time in UTC; its pictures are numbered from left
to right. So each picture says by itself when its reading is whole, and nothing has to wait for a
clock to find out.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.s3_events import Malformed

MOST_PICTURES = 20
# A camera whose clock runs ahead would make every later reading of its shelf look old.
MOST_AHEAD = timedelta(hours=1)
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_KEY = re.compile(
    rf"(?P<store>{_NAME})/(?P<aisle>{_NAME})/(?P<reading>[0-9]{{8}}T[0-9]{{6}}Z)/"
    r"(?P<number>[1-9][0-9]?)-of-(?P<pictures>[1-9][0-9]?)\.(?:jpe?g|png)",
    re.IGNORECASE,
)
_FORM = "<store>/<aisle>/<YYYYMMDDThhmmssZ>/<number>-of-<pictures>.jpg"


@dataclass(frozen=True)
class ShelfPicture:
    """Which picture of which reading of which shelf; `number` counts from 1 on the left."""

    store: str
    aisle: str
    reading: str
    number: int
    pictures: int

    @property
    def read_at(self) -> str:
        """The reading's time in ISO 8601."""
        return read_at(self.reading)


def parse(key: str, prefix: str, arrived_at: str | None = None) -> ShelfPicture:
    """Return what a key says.

    arrived_at: when the picture arrived, ISO 8601. Raises Malformed for another form, a time that
    there is not, one that lies more than an hour ahead, and a number above that of the pictures.
    """
    found = _KEY.fullmatch(key.removeprefix(prefix)) if key.startswith(prefix) else None
    if found is None:
        raise Malformed(f"the key is not of the form {prefix}{_FORM}")
    number, pictures = int(found["number"]), int(found["pictures"])
    if number > pictures or pictures > MOST_PICTURES:
        raise Malformed(
            f"the key says {number}-of-{pictures}; allowed are 1 to {MOST_PICTURES} pictures, "
            "numbered from 1"
        )
    moment = _moment(found["reading"])
    if arrived_at and moment > datetime.fromisoformat(arrived_at) + MOST_AHEAD:
        raise Malformed(
            f"the reading {found['reading']} lies ahead of its picture, which came at "
            f"{arrived_at}: is the camera's clock right, and its time UTC?"
        )
    return ShelfPicture(found["store"], found["aisle"], found["reading"], number, pictures)


def read_at(reading: str) -> str:
    """Return a reading's time in ISO 8601. Raises Malformed for a time that there is not."""
    return _moment(reading).isoformat().replace("+00:00", "Z")


def _moment(reading: str) -> datetime:
    try:
        return datetime.strptime(reading, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"the reading {reading!r} is no time (YYYYMMDDThhmmssZ)") from error
