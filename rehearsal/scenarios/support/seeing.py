"""What each analysis says of a picture, in words. Pure, no AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]


def rows_of(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return for each analysis of a record its name and what it found, in a sentence."""
    return [
        (name, _TELL[name](fields) if name in _TELL else "recorded")
        for name, fields in sorted(record["analyses"].items())
    ]


def reason_of(record: Mapping[str, Any]) -> str:
    """Return in a sentence why a record says what it says."""
    reasons: Sequence[Fields] = record.get("reasons") or []
    if not reasons:
        return "Nothing in it asks for a closer look."
    first = reasons[0]
    if first.get("advice"):
        return f"{first['label']}: {first['advice']}."
    if "code" in first:
        return str(first["message"])
    sure, start = float(first["confidence"]), float(first["band"][0])
    return f"{first['label']} at {sure:.1f} % ({first['analysis']}); a rule begins at {start:g} %."


def _labels(fields: Fields) -> str:
    return _list(f"{each['name']} {_percent(each)}" for each in fields["labels"])


def _moderation(fields: Fields) -> str:
    kinds = [each["name"].lower() for each in fields["content_types"]]
    return _list(f"{each['name']} {_percent(each)}" for each in fields["labels"]) + (
        f" (content: {', '.join(kinds)})" if kinds else ""
    )


def _quality(fields: Fields) -> str:
    names = ("sharpness", "brightness", "contrast")
    return ", ".join(f"{name} {float(fields[name]):.0f}" for name in names) + " of 100"


def _text(fields: Fields) -> str:
    if "lines" not in fields:
        return f"{fields['line_count']} lines, {fields['word_count']} words"
    return _list(f"“{each['text']}”" for each in fields["lines"])


def _faces(fields: Fields) -> str:
    if "count" not in fields:
        return "nothing is kept"
    faces = [_face(each) for each in fields.get("faces", ())]
    return f"{fields['count']}" + (f": {'; '.join(faces)}" if faces else "")


def _face(face: Fields) -> str:
    parts: list[str] = []
    if "age_range" in face:
        low, high = face["age_range"]
        parts.append(f"{low} to {high} years")
    if face.get("emotions"):
        parts.append(f"looks {face['emotions'][0]['name'].lower()}")
    if "smile" in face:
        parts.append("smiles" if face["smile"]["value"] else "does not smile")
    return ", ".join(parts) or "no attributes"


def _celebrities(fields: Fields) -> str:
    known = _list(f"{each['name']} {_percent(each)}" for each in fields["celebrities"])
    return f"{known}; {fields['unrecognised']} not recognised"


def _custom(fields: Fields) -> str:
    return _list(
        f"{label['name']} {_percent(label)}"
        for model in fields["models"]
        for label in model["labels"]
    )


_TELL: Mapping[str, Callable[[Fields], str]] = {
    "celebrities": _celebrities,
    "custom_labels": _custom,
    "faces": _faces,
    "image_quality": _quality,
    "labels": _labels,
    "moderation": _moderation,
    "text": _text,
}


def _percent(found: Fields) -> str:
    return f"{float(found['confidence']):.1f} %"


def _list(texts: Any) -> str:
    return ", ".join(texts) or "none"
