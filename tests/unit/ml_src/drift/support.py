"""Captured requests as SageMaker writes them, made from generated customers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ml_src.churn import generate
from ml_src.churn.schema import INPUTS, LABEL

Cells = list[str]


def customers(rows: int, seed: int, **options: float) -> Iterator[tuple[Cells, str]]:
    """Generate customers: the cells of INPUTS, and the label."""
    for batch in generate.blocks(rows, seed=seed, **options):
        names = batch.schema.names
        columns = [batch.column(names.index(name)).to_pylist() for name in (*INPUTS, LABEL)]
        for cells in zip(*columns, strict=True):
            yield list(cells[:-1]), cells[-1]


def side(data: str, encoding: str = "CSV", kind: str | None = "text/csv") -> dict[str, Any]:
    """One side of a capture record, without its mode."""
    return {"observedContentType": kind, "data": data, "encoding": encoding}


def record(
    asked: dict[str, Any] | None, answered: dict[str, Any] | None, event: str, **about: Any
) -> str:
    """One line of a capture file."""
    data: dict[str, Any] = {}
    if asked is not None:
        data["endpointInput"] = {**asked, "mode": "INPUT"}
    if answered is not None:
        data["endpointOutput"] = {**answered, "mode": "OUTPUT"}
    metadata = {"eventId": event, "inferenceTime": "2026-01-31T17:25:49Z", **about}
    return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})


def requests(rows: Sequence[Cells], predictions: Sequence[float] | None = None) -> Iterator[str]:
    """One record a row: CSV in, CSV out."""
    for number, cells in enumerate(rows):
        answer = None if predictions is None else side(f"{predictions[number]:.9g}\n")
        yield record(side(",".join(cells)), answer, f"event-{number}")


def write(folder: Path, lines: Iterable[str], name: str = "17/25-49-000.jsonl") -> Path:
    """Write a capture file where SageMaker would; returns the folder that holds all of them."""
    place = folder / "churn/live/2026/01/31" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return folder
