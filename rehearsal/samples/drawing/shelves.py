"""Scenes of shop shelves, and where on them each product stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.samples.drawing.canvas import Canvas
from rehearsal.samples.drawing.geometry import Box

BOARDS = (300, 580)  # upper edges, in pixels
WIDTH, HEIGHT = 78, 190


@dataclass(frozen=True)
class Row:
    """Some of one product side by side, on a board (0 is the upper), from a place on (pixels)."""

    product: str
    board: int
    left: int
    count: int


LEFT = (Row("cola", 0, 80, 5), Row("sparkling-water", 1, 120, 3))
RIGHT = (Row("cola", 0, 60, 2), Row("orange-juice", 0, 420, 4), Row("oat-milk", 1, 200, 6))
SNACKS = (Row("potato-chips", 0, 150, 4), Row("dark-chocolate", 1, 260, 5))
COLOURS = {
    "cola": ("#5a1a14", "#c0392b"),
    "sparkling-water": ("#7fc4dd", "#2f6f8f"),
    "orange-juice": ("#f0a030", "#fbf7ea"),
    "oat-milk": ("#e8dcc0", "#8a6a3a"),
    "potato-chips": ("#e2c044", "#c0392b"),
    "dark-chocolate": ("#4a2f20", "#c9a25a"),
}


def places(rows: Sequence[Row]) -> list[tuple[str, Box]]:
    """Return each product with its box in pixels."""
    return [
        (row.product, (left, BOARDS[row.board] - HEIGHT, left + WIDTH, BOARDS[row.board]))
        for row in rows
        for left in range(row.left, row.left + row.count * (WIDTH + 14), WIDTH + 14)
    ]


def left() -> Canvas:
    """The left half of a shelf of drinks."""
    return _shelf(LEFT, 31)


def right() -> Canvas:
    """The right half of the same."""
    return _shelf(RIGHT, 32)


def blurred() -> Canvas:
    """A shelf of snacks, photographed by a shaking hand."""
    canvas = _shelf(SNACKS, 33)
    canvas.defocus(9)
    return canvas


def _shelf(rows: Sequence[Row], seed: int) -> Canvas:
    canvas = Canvas(seed=seed)
    canvas.shade_box((0, 0, 960, 640), [(0, "#e9ecec"), (1, "#b9c0c2")])
    for board in BOARDS:
        canvas.shade_box((0, board - 230, 960, board), [(0, "#8f999c"), (1, "#c7cdcf")])
        canvas.shade_box((0, board, 960, board + 26), [(0, "#f7f7f5"), (1, "#9aa2a4")])
    for product, box in places(rows):
        _bottle(canvas, box, *COLOURS[product])
    canvas.vignette("#101418", 0.2)
    return canvas


def _bottle(canvas: Canvas, box: Box, body: str, label: str) -> None:
    start, top, end, bottom = box
    middle = (start + end) / 2
    canvas.soften(
        [(start, bottom), (end, bottom), (end, bottom - 8), (start, bottom - 8)], "#000000a0", 6
    )
    canvas.rectangle((middle - 13, top, middle + 13, top + 14), label, 3)
    canvas.rectangle((middle - 11, top + 12, middle + 11, top + 60), body)
    canvas.rectangle((start + 3, top + 46, end - 3, bottom), body, 18)
    canvas.rectangle((start + 3, top + 92, end - 3, top + 146), label)
    canvas.line([(start + 15, top + 62), (start + 15, bottom - 16)], "#ffffff70", 5)
