"""Checkpoints of a training: whole files or none, and none of another training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEPT = 2


@dataclass
class Progress:
    """How far a training is: each round's metrics, by name.

    watched: name of the metric by which a round is the best, the lower the better.
    """

    watched: str
    course: list[dict[str, float]] = field(default_factory=list[dict[str, float]])

    @property
    def rounds(self) -> int:
        """Give the number of rounds done."""
        return len(self.course)

    @property
    def best(self) -> int:
        """Give the round (from 0) with the lowest watched metric, the first of equals."""
        return min(range(self.rounds), key=lambda number: self.course[number][self.watched])

    def stale(self, patience: int) -> bool:
        """Say whether `patience` rounds have passed since the best one; never for 0."""
        return bool(patience and self.rounds) and self.rounds - 1 - self.best >= patience


@dataclass(frozen=True)
class Checkpoints:
    """A folder of checkpoints, which SageMaker copies to S3 and back after an interruption.

    Each is one JSON file with the model, each round's metrics and the training's identity (its
    parameters and data), so that a folder left by another training is not taken for this one's.

    model: the model's name, which the files begin with.
    """

    folder: Path
    model: str

    @property
    def prefix(self) -> str:
        """Give what the files' names begin with."""
        return f"{self.model}-checkpoint."

    def save(self, booster: Any, progress: Progress, identity: str) -> None:
        """Write a checkpoint beside its place and move it there; keep the newest two."""
        self.folder.mkdir(parents=True, exist_ok=True)
        model = json.loads(bytes(booster.save_raw("json")))
        document = {"identity": identity, "course": progress.course, "model": model}
        place = self.folder / f"{self.prefix}{progress.rounds}.json"
        # One name, so that a killed job leaves one at most.
        draft = self.folder / f"{self.prefix}part"
        draft.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
        draft.replace(place)
        for old in self._newest()[KEPT:]:
            old.unlink(missing_ok=True)

    def load(
        self, identity: str, emit: Callable[[str], None]
    ) -> tuple[bytes, list[dict[str, float]]] | None:
        """Find the newest checkpoint of this training that is whole.

        Returns:
            The model as XGBoost's JSON and the course so far; None where there is none. A
            checkpoint that is damaged or another training's is named to `emit` and passed over.
        """
        for path in self._newest():
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
                found, course, model = (document[key] for key in ("identity", "course", "model"))
            except (OSError, ValueError, KeyError, TypeError) as error:
                emit(f"passed over {path}: not a whole checkpoint ({type(error).__name__})")
                continue
            if found != identity:
                emit(f"passed over {path}: made from other data or with other hyperparameters")
                continue
            return json.dumps(model, separators=(",", ":")).encode(), course
        return None

    def _newest(self) -> list[Path]:
        def rounds(path: Path) -> int:
            number = path.name.removeprefix(self.prefix).removesuffix(".json")
            return int(number) if number.isdigit() else -1

        found = [path for path in self.folder.glob(f"{self.prefix}*.json") if rounds(path) >= 0]
        return sorted(found, key=rounds, reverse=True)
