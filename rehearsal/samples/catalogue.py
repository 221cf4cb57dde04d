"""The sample files of a scenario, what the stand-in answers for each and what is expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rehearsal.answers import SUFFIX

FOLDER = Path(__file__).parent
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".mp4": "video/mp4",
    ".png": "image/png",
}


@dataclass(frozen=True)
class Sample:
    """One sample file.

    `answers` is what the stand-in for Rekognition answers, by operation; empty for a file that
    never gets that far. `decision` is what is expected (None: nothing is), `code` the expected
    reason of an unusable file. `alt` says in words what the picture shows.
    """

    path: Path
    key: str
    title: str
    alt: str = ""
    decision: str | None = None
    code: str | None = None
    note: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self.path.read_bytes()

    @property
    def media_type(self) -> str:
        """The media type that the name suggests; what the bytes are may differ."""
        return MEDIA_TYPES.get(self.path.suffix.lower(), "application/octet-stream")


def load(group: str, folder: Path = FOLDER) -> list[Sample]:
    """Return the samples of a group in the order of its expected.json, then any others.

    A picture with an answer file beside it joins without being listed: it is uploaded and shown,
    and nothing is expected of it.

    Args:
        group: the sub-folder, named after its scenario.
        folder: the folder that holds the groups.

    Raises:
        ValueError: a file is listed that is not there, or a JSON file cannot be read.
    """
    home = folder / group
    listed = [_listed(home, entry) for entry in _read_json(home / "expected.json")]
    names = {sample.path.name for sample in listed}
    others = [
        Sample(path, f"incoming/{path.name}", path.stem, answers=_answers(path))
        for path in sorted(home.iterdir())
        if path.name not in names and _answer_file(path).exists()
    ]
    return [*listed, *others]


def _listed(home: Path, entry: Mapping[str, str]) -> Sample:
    path = home / entry["file"]
    if not path.is_file():
        raise ValueError(f"{home.name}/expected.json lists {entry['file']}, which is not there")
    return Sample(
        path=path,
        key=entry["key"],
        title=entry["title"],
        alt=entry.get("alt", ""),
        decision=entry.get("decision"),
        code=entry.get("code"),
        note=entry.get("note", ""),
        answers=_answers(path),
    )


def _answer_file(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def _answers(path: Path) -> Mapping[str, Any]:
    answer_file = _answer_file(path)
    return cast(Mapping[str, Any], _read_json(answer_file)) if answer_file.exists() else {}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
