"""What was found in a picture, drawn onto it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, ImageFont

# A colour for each analysis, and where its captions stand so that they do not cover each other.
COLOURS = {
    "labels": "#0b6bcb",
    "text": "#2e7d32",
    "faces": "#b3261e",
    "celebrities": "#7b3fa0",
    "custom_labels": "#8a5a00",
}
BELOW = ("celebrities", "custom_labels")


@dataclass(frozen=True)
class Found:
    """Something found at a place: `box` holds left, top, width and height as shares (0 to 1)."""

    analysis: str
    caption: str
    box: Mapping[str, Any]


def found_in(record: Mapping[str, Any]) -> list[Found]:
    """Return everything in a record that has a place, by analysis."""
    analyses: Mapping[str, Any] = record.get("analyses") or {}
    found = [
        Found("labels", label["name"], instance["box"])
        for label in _items(analyses, "labels", "labels")
        for instance in label["instances"]
        if instance["box"]
    ]
    found += [
        Found("text", line["text"], line["box"]) for line in _items(analyses, "text", "lines")
    ]
    found += [
        Found("faces", _face(face), face["box"]) for face in _items(analyses, "faces", "faces")
    ]
    found += [
        Found("celebrities", each["name"], each["box"])
        for each in _items(analyses, "celebrities", "celebrities")
        if each["box"]
    ]
    found += [
        Found("custom_labels", label["name"], label["box"])
        for model in _items(analyses, "custom_labels", "models")
        for label in model["labels"]
        if label["box"]
    ]
    return found


def annotated(picture: bytes, found: Sequence[Found]) -> bytes:
    """Return the picture as a JPEG with a box and a caption for each thing found.

    Args:
        picture: any format that Pillow reads.
        found: what to draw, the first below the others.
    """
    with Image.open(BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    pen = ImageDraw.Draw(image)
    size = max(12, round(image.height / 40))
    font = ImageFont.load_default(size)
    for each in found:
        _draw(pen, image.size, each, font)
    content = BytesIO()
    image.save(content, "JPEG", quality=85)
    return content.getvalue()


def _draw(pen: ImageDraw.ImageDraw, size: tuple[int, int], found: Found, font: Any) -> None:
    width, height = size
    left, top = float(found.box["left"]) * width, float(found.box["top"]) * height
    right = left + float(found.box["width"]) * width
    bottom = top + float(found.box["height"]) * height
    colour = COLOURS[found.analysis]
    pen.rectangle((left, top, right, bottom), outline=colour, width=max(2, width // 320))
    anchor, at = ("la", bottom) if found.analysis in BELOW else ("ld", top)
    place = (max(2.0, left), min(max(at, 14.0), height - 2.0))
    pen.rectangle(pen.textbbox(place, found.caption, font=font, anchor=anchor), fill=colour)
    pen.text(place, found.caption, fill="white", font=font, anchor=anchor)


def _face(face: Mapping[str, Any]) -> str:
    emotions: Sequence[Mapping[str, Any]] = face.get("emotions") or ()
    return f"face, looks {emotions[0]['name'].lower()}" if emotions else "face"


def _items(analyses: Mapping[str, Any], name: str, list_name: str) -> list[Mapping[str, Any]]:
    """The items of an analysis's list; none if it did not run or did not keep them."""
    fields: Mapping[str, Any] = analyses.get(name) or {}
    return fields.get(list_name) or []
