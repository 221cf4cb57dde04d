"""The events that the platform puts on its bus about images and videos; contract version 1.

An `Image Analysed` event refers to its record and carries no labels, so that whoever may read
the bus need not be allowed to read the findings:

    source       sagelens.vision
    detail-type  Image Analysed
    detail
      schema       "1"; a field added later keeps it, a field changed or removed raises it
      id           32 hex digits, the same for the same version analysed with the same settings:
                   events arrive at least once, and consumers drop those whose id they know
      object       bucket, key, version_id, etag (or null), size in bytes (or null)
      decision     accept | review | reject | unusable
      codes        why: `<analysis>:<policy rule>` for review and reject, a code for unusable
      analyses     names of the analyses that ran
      settings     16 hex digits, the fingerprint of analyses and policy
      record       table, pk, sk: where the record is
      analysed_at  ISO 8601, UTC

`Video Analysed` tells the same of a video. When a person decides on an image or a video that
waited, or takes back a rejection, `Image Reviewed` or `Video Reviewed` follows
from the same source, with the fields schema, id, object and record as above and

      decision     accept | reject: what holds from now on
      previous     review | reject: what the policy had decided
      reviewed_at  ISO 8601, UTC

Who decided, and why, is in the record.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

SCHEMA = "1"
SOURCE = "sagelens.vision"
DETAIL_TYPE = "Image Analysed"
VIDEO_TYPE = "Video Analysed"
DECISIONS = ("accept", "review", "reject", "unusable")
REVIEWED_TYPES = ("Image Reviewed", "Video Reviewed")

_OBJECT: dict[str, tuple[type, ...]] = {
    "bucket": (str,),
    "key": (str,),
    "version_id": (str,),
    "etag": (str, type(None)),
    "size": (int, type(None)),
}
_RECORD: dict[str, tuple[type, ...]] = {"table": (str,), "pk": (str,), "sk": (str,)}
_DETAIL: dict[str, tuple[type, ...]] = {
    "schema": (str,),
    "id": (str,),
    "object": (dict,),
    "decision": (str,),
    "codes": (list,),
    "analyses": (list,),
    "settings": (str,),
    "record": (dict,),
    "analysed_at": (str,),
}
_REVIEWED: dict[str, tuple[type, ...]] = {
    "schema": (str,),
    "id": (str,),
    "object": (dict,),
    "decision": (str,),
    "previous": (str,),
    "record": (dict,),
    "reviewed_at": (str,),
}


def event_id(pk: str, version_id: str, settings: str) -> str:
    """Return the event's id: 32 hex digits of a hash, nothing of chance or time in it."""
    # A JSON list, so that no two triples run together into one text.
    text = json.dumps([SCHEMA, pk, version_id, settings])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def build(record: Mapping[str, Any], table: str) -> dict[str, Any]:
    """Return the detail of the event for a finished `record` of `table`.

    Everything comes from the record, so that announcing it again gives the same event.
    """
    thing = {name: record.get(name) for name in _OBJECT}
    return {
        "schema": SCHEMA,
        "id": event_id(record["pk"], record["version_id"], record["settings"]),
        "object": thing,
        "decision": record["decision"],
        "codes": codes_of(record["reasons"]),
        "analyses": sorted(record["analyses"]),
        "settings": record["settings"],
        "record": {"table": table, "pk": record["pk"], "sk": record["sk"]},
        "analysed_at": record["analysed_at"],
    }


def analysed_type(kind: str) -> str:
    """Return the detail type that tells of a record of this kind, `image` or `video`."""
    return {"image": DETAIL_TYPE, "video": VIDEO_TYPE}[kind]


def entry(detail: Mapping[str, Any], bus: str, detail_type: str = DETAIL_TYPE) -> dict[str, Any]:
    """Return the PutEvents entry that carries `detail` to the bus named `bus`."""
    text = json.dumps(detail, ensure_ascii=False)
    return {"EventBusName": bus, "Source": SOURCE, "DetailType": detail_type, "Detail": text}


def validate(detail: object, detail_type: str = DETAIL_TYPE) -> None:
    """Check a detail against its type's contract; unknown fields are tolerated.

    Raises ValueError that lists every field which is missing or wrong.
    """
    fields = _REVIEWED if detail_type in REVIEWED_TYPES else _DETAIL
    problems = _problems(detail, fields, "detail")
    if not problems:
        known = cast("Mapping[str, Any]", detail)
        problems = _problems(known["object"], _OBJECT, "object")
        problems += _problems(known["record"], _RECORD, "record")
        problems += _value_problems(known)
    if problems:
        raise ValueError(f"not an {detail_type!r} event of schema {SCHEMA}: " + "; ".join(problems))


def codes_of(reasons: list[Mapping[str, Any]]) -> list[str]:
    """Return the codes of a record's reasons, each once."""
    codes = [
        each["code"] if "code" in each else f"{each['analysis']}:{each['rule']}" for each in reasons
    ]
    return list(dict.fromkeys(codes))


def _problems(value: object, fields: Mapping[str, tuple[type, ...]], where: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{where} is no object"]
    known = cast("Mapping[str, object]", value)
    missing = [f"{where}.{name} is missing" for name in fields if name not in known]
    wrong = [
        f"{where}.{name} is of type {type(known[name]).__name__}"
        for name, kinds in fields.items()
        if name in known and not isinstance(known[name], kinds)
    ]
    return missing + wrong


def _value_problems(detail: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    if detail["schema"] != SCHEMA:
        problems.append(f"schema is {detail['schema']!r}, this code reads {SCHEMA!r}")
    if detail["decision"] not in DECISIONS:
        problems.append(f"decision is {detail['decision']!r}, not one of {', '.join(DECISIONS)}")
    return problems
