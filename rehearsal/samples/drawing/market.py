"""Scenes for all analyses at once: a market stall with two drawn figures, a notice on a wall."""

from __future__ import annotations

from PIL import ImageFont

from rehearsal.samples.drawing.canvas import SCALE, Canvas
from rehearsal.samples.drawing.geometry import Point, around

WOOD = [(0.0, "#b07a45"), (1.0, "#8a5a30")]


def market() -> Canvas:
    """A market stall with lemons, a sign, and two figures behind the counter."""
    canvas = Canvas(seed=21)
    canvas.shade_box((0, 0, 960, 640), [(0, "#9fd0ea"), (0.7, "#e8f3f5"), (1, "#d8d3c4")])
    canvas.rectangle((0, 470, 960, 640), "#c9bfa8")
    canvas.rectangle((96, 90, 112, 560), "#7a5230")
    canvas.rectangle((848, 90, 864, 560), "#7a5230")
    _awning(canvas)
    _sign(canvas, (330, 150, 630, 206), "FRESH LEMONS", 30)
    _figure(canvas, (330, 318), hair="#4a2f20", shirt="#2f6f8f", smiling=True)
    _figure(canvas, (612, 326), hair="#c98a3a", shirt="#7a3f6a", smiling=False)
    canvas.shade_box((80, 430, 880, 560), WOOD, radius=8)
    for crate in range(4):
        _crate(canvas, 110 + crate * 190)
    canvas.vignette("#2a1a08", 0.25)
    return canvas


def blurred() -> Canvas:
    """The same stall, photographed by a shaking hand."""
    canvas = market()
    canvas.defocus(9)
    return canvas


def notice() -> Canvas:
    """A notice about a lost umbrella on a brick wall, with a telephone number."""
    canvas = Canvas(seed=22)
    canvas.rectangle((0, 0, 960, 640), "#b9b0a4")
    for row in range(16):
        for brick in range(-1, 12):
            left = brick * 92 + (46 if row % 2 else 0)
            shade = canvas.random.choice(["#a9553f", "#a24f3a", "#b05c45", "#9c4a37"])
            canvas.rectangle((left, row * 42, left + 88, row * 42 + 38), shade, 2)
    canvas.soften([(296, 96), (676, 96), (676, 566), (296, 566)], "#00000070", 14)
    canvas.rectangle((288, 84, 672, 556), "#fbf7ea", 4)
    canvas.circle((480, 104), 9, "#c0392b")
    _text(canvas, (480, 150), "LOST UMBRELLA", 40, "#2b2b2b")
    canvas.pie((390, 200, 570, 380), 180, 360, "#3b5f9a")
    for rib in range(3):
        canvas.pie((390 + rib * 60, 275, 450 + rib * 60, 305), 180, 360, "#fbf7ea")
    canvas.line([(480, 290), (480, 392)], "#5a4632", 6)
    canvas.line([(480, 392), (470, 404), (456, 398)], "#5a4632", 6)
    _text(canvas, (480, 450), "PLEASE CALL", 30, "#2b2b2b")
    _text(canvas, (480, 500), "555-0100", 42, "#2b2b2b")
    return canvas


def _awning(canvas: Canvas) -> None:
    for stripe in range(10):
        left, colour = 80 + stripe * 80, "#d9573f" if stripe % 2 == 0 else "#f7efe0"
        canvas.rectangle((left, 50, left + 80, 116), colour)
        canvas.pie((left, 92, left + 80, 142), 0, 180, colour)


def _sign(canvas: Canvas, box: tuple[int, int, int, int], words: str, size: int) -> None:
    left, top, right, bottom = box
    canvas.rectangle(box, "#3d5a3a", 6)
    _text(canvas, ((left + right) / 2, (top + bottom) / 2), words, size, "#f6f1d8")


def _text(canvas: Canvas, centre: Point, words: str, size: int, colour: str) -> None:
    font = ImageFont.load_default(size * SCALE)
    place = (centre[0] * SCALE, centre[1] * SCALE)
    canvas.pen().text(place, words, fill=colour, font=font, anchor="mm")


def _figure(canvas: Canvas, centre: Point, *, hair: str, shirt: str, smiling: bool) -> None:
    """A flat figure without a likeness: a disc with eyes and a mouth."""
    x, y = centre
    canvas.rectangle((x - 74, y + 62, x + 74, y + 190), shirt, 34)
    canvas.circle((x, y - 10), 62, hair)
    canvas.ellipse(around((x, y), 52, 60), "#e8b88f")
    for side in (-20, 20):
        canvas.ellipse(around((x + side, y - 8), 7, 9), "#ffffff")
        canvas.circle((x + side, y - 7), 4, "#2b2b2b")
        canvas.line([(x + side - 10, y - 24), (x + side + 10, y - 25)], hair, 4)
    canvas.line([(x, y - 2), (x + 4, y + 14), (x - 3, y + 15)], "#c98f66", 3)
    if smiling:
        canvas.pie((x - 22, y + 10, x + 22, y + 46), 10, 170, "#a23b3b")
    else:
        canvas.line([(x - 15, y + 33), (x + 15, y + 33)], "#a23b3b", 4)


def _crate(canvas: Canvas, left: float) -> None:
    canvas.rectangle((left, 452, left + 160, 536), "#6d4524", 4)
    for row in range(3):
        for column in range(5):
            x = left + 18 + column * 31 + canvas.random.uniform(-3, 3)
            y = 466 + row * 20 + canvas.random.uniform(-3, 3)
            canvas.ellipse(around((x, y), 16, 13), "#f3d33b")
            canvas.ellipse(around((x - 4, y - 4), 5, 4), "#fbeb8f")
    canvas.rectangle((left, 512, left + 160, 536), "#8a5a30", 3)
