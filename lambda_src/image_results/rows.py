"""From a record to a row: one JSON object on one line, its fields the columns of the table.

Pure: no AWS, no clock. What a record does not keep (of faces, say) a row does not have either.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared import events, results
from shared.dynamodb import Fields, plain_number

# Beside each other in the data bucket: large results, and these.
PREFIX = "results/images/"
# Lists in an analysis's fields that hold findings with name and confidence.
_LISTS = ("labels", "celebrities")
_MEASURES = ("sharpness", "brightness", "contrast")
_COPIED = (
    "bucket",
    "version_id",
    "etag",
    "size",
    "format",
    "width",
    "height",
    "decision",
    "settings",
    "analysed_at",
    "created_at",
)


def key_of(record: Fields) -> str:
    """Return where a record's row lies: by the day of its analysis, then the object's hash.

    The name tells nothing of the object's key, which may be personal, and is the same each time:
    writing a row again replaces it.
    """
    name = f"{results.name_of(record['pk'])}-{results.file_of(record['version_id'])}"
    return f"{PREFIX}day={record['analysed_at'][:10]}/{name}.json"


def row_of(record: Fields, analyses: Mapping[str, Fields]) -> Fields:
    """Return a record's row.

    analyses: what they found: the record's own, or those that lie elsewhere for their size.
    """
    findings = [each for name in sorted(analyses) for each in _findings(name, analyses[name])]
    reviewed: Fields = record.get("reviewed") or {}
    text: Fields = analyses.get("text") or {}
    quality: Fields = analyses.get("image_quality") or {}
    return {
        **{name: record.get(name) for name in _COPIED},
        "object_key": record["key"],
        "codes": events.codes_of(record["reasons"]),
        "quarantined": bool(record.get("quarantined")),
        "reviewed_at": reviewed.get("at"),
        "policy_decision": reviewed.get("previous", record["decision"]),
        "calls_saved": record.get("calls_saved", 0),
        "labels": list(dict.fromkeys(each["name"] for each in findings)),
        "findings": findings,
        "text_lines": [each["text"] for each in text.get("lines") or ()],
        "face_count": (analyses.get("faces") or {}).get("count"),
        **{name: quality.get(name) for name in _MEASURES},
        "analyses": json.dumps(analyses, default=plain_number, sort_keys=True),
    }


def line_of(row: Fields) -> bytes:
    """Return a row as the one line that the table's format wants."""
    return json.dumps(row, default=plain_number, sort_keys=True).encode() + b"\n"


def _findings(name: str, fields: Fields) -> Iterator[Fields]:
    """Whatever an analysis found that has a name and a confidence; of models, each one's."""
    holders: Sequence[Fields] = (fields, *(fields.get("models") or ()))
    for holder in holders:
        for found in (each for list_name in _LISTS for each in holder.get(list_name) or ()):
            parents = found.get("parents") or ([found["parent"]] if found.get("parent") else [])
            yield {
                "analysis": name,
                "name": found["name"],
                "confidence": found["confidence"],
                "parents": list(parents),
            }


def is_same(one: Fields | None, other: Fields) -> bool:
    """Whether a record still says what its row was made of."""
    names: tuple[Any, ...] = ("analysed_at", "decision", "quarantined", "reviewed")
    return one is not None and all(one.get(name) == other.get(name) for name in names)
