"""What the models' encoders have in common: how features are made of raw data, as a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

ENCODER = "encoder.json"


class EncoderError(ValueError):
    """An encoder's document cannot be used; the text says why."""


class Encoder(Protocol):
    """A fitted encoding; it lies beside the model, so that serving encodes as training did."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the features in their order."""
        ...

    def document(self) -> dict[str, Any]:
        """Give the encoder as a document for JSON."""
        ...


def save(encoder: Encoder, path: Path) -> None:
    """Write an encoder as JSON."""
    path.write_text(json.dumps(encoder.document(), indent=1) + "\n", encoding="utf-8")


def parsed(text: str | bytes, version: int) -> dict[str, Any]:
    """Read an encoder's document; raises `EncoderError` for no JSON, or another version."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise EncoderError(str(error)) from error
    given = document.get("version") if isinstance(document, dict) else document
    if given != version:
        raise EncoderError(f"the encoder has version {given!r}, this code reads {version}")
    return document
