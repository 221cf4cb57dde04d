"""A casino table, which a moderation policy may care about as well."""

from __future__ import annotations

from rehearsal.samples.drawing.canvas import Canvas
from rehearsal.samples.drawing.geometry import Point, arc, around, curve, laid, moved, on_circle


def casino() -> Canvas:
    """A casino table: a roulette wheel, stacks of chips, two cards and a pair of dice."""
    canvas = Canvas(seed=41)
    canvas.shade_box((0, 0, 960, 640), [(0, "#14563c"), (1, "#0d3f2d")])
    canvas.glow((520, 230), 560, "#2f8f62", 0.75)
    _betting_grid(canvas)
    _roulette(canvas, (238, 300), 214)
    _playing_cards(canvas)
    for x, foot, count, colour in (
        (584, 520, 9, "#c0392f"),
        (676, 548, 6, "#2f5fa8"),
        (768, 512, 11, "#23242a"),
        (858, 548, 4, "#d09a2e"),
    ):
        _chips(canvas, x, foot, count, colour)
    _die(canvas, (420, 556), -12, 5)
    _die(canvas, (492, 578), 18, 3)
    canvas.vignette("#03140d", 0.5)
    return canvas


def _betting_grid(canvas: Canvas) -> None:
    for row in range(4):
        y = 40 + row * 62
        canvas.line([(500, y), (980, y)], "#e9dfb8a0", 2)
    for column in range(8):
        x = 500 + column * 66
        canvas.line([(x, 40), (x, 226)], "#e9dfb8a0", 2)
        for row in range(3):
            colour = "#b8322c" if (row + column) % 2 else "#17181c"
            canvas.ellipse(around((x + 33, 71 + row * 62), 19, 21), colour)


def _roulette(canvas: Canvas, centre: Point, radius: float) -> None:
    canvas.soften(arc(around((centre[0] + 12, centre[1] + 18), radius), 0, 360), "#00100ae0", 14)
    canvas.shade_ellipse(around(centre, radius), [(0, "#a9683a"), (0.5, "#6f3d1f"), (1, "#4a2713")])
    canvas.ring(around(centre, radius * 0.985), 3, "#d9a86a90")
    canvas.shade_ellipse(around(centre, radius * 0.86), [(0, "#5a3018"), (1, "#8c5730")])
    slots = 37
    for index in range(slots):
        start = -90 + index * 360 / slots
        colour = "#1f8a4c" if index == 0 else ("#c0322b" if index % 2 else "#15161a")
        canvas.pie(around(centre, radius * 0.8), start, start + 360 / slots, colour)
    for index in range(slots):
        angle = -90 + index * 360 / slots
        canvas.line(
            [on_circle(centre, radius * 0.5, angle), on_circle(centre, radius * 0.8, angle)],
            "#e5c98a",
            1.8,
        )
    canvas.ring(around(centre, radius * 0.8), 3, "#e5c98a")
    canvas.ring(around(centre, radius * 0.66), 2, "#e5c98a")
    canvas.shade_ellipse(around(centre, radius * 0.52), [(0, "#b5763f"), (1, "#6f3d1f")])
    canvas.ring(around(centre, radius * 0.52), 3, "#e5c98a")
    for angle in (45, 135, 225, 315):
        end = on_circle(centre, radius * 0.3, angle)
        canvas.line([centre, end], "#d9b25f", 8)
        canvas.circle(end, 9, "#f3dc9a")
    canvas.shade_ellipse(around(centre, radius * 0.13), [(0, "#fff0c4"), (1, "#a8782c")])
    ball = on_circle(centre, radius * 0.73, -38)
    canvas.soften(arc(around((ball[0] + 4, ball[1] + 5), 9), 0, 360), "#000000b0", 2.5)
    canvas.shade_ellipse(around(ball, 9.5), [(0, "#ffffff"), (1, "#c9ccd2")])


def _playing_cards(canvas: Canvas) -> None:
    for centre, angle, suit in (((560, 338), -14.0, "spade"), ((650, 330), 9.0, "heart")):
        card = laid(_rounded_card(), centre, angle)
        canvas.soften(moved(card, 5, 9), "#00100ac0", 7)
        canvas.polygon(card, "#fdfbf4")
        _suit(canvas, centre, angle, suit, 1.0)
        for corner in ((-34, -58), (34, 58)):
            spot = laid([corner], centre, angle)[0]
            _suit(canvas, spot, angle, suit, 0.34)


def _rounded_card() -> list[Point]:
    corners = ((42, 68, 0), (-42, 68, 90), (-42, -68, 180), (42, -68, 270))
    return [
        point for x, y, start in corners for point in arc(around((x, y), 9), start, start + 90, 8)
    ]


def _suit(canvas: Canvas, centre: Point, angle: float, suit: str, size: float) -> None:
    half = curve([(0, 31), (22, 10), (31, -8), (27, -22), (14, -26), (3, -20), (0, -13)])
    whole = [*half, *[(-x, y) for x, y in reversed(half)]]
    shape = [(x * size, y * size) for x, y in whole]
    if suit == "heart":
        canvas.polygon(laid(shape, centre, angle), "#c0322b")
        return
    canvas.polygon(laid([(x, -y) for x, y in shape], centre, angle), "#17181c")
    stalk = [(0, 6 * size), (11 * size, 36 * size), (-11 * size, 36 * size)]
    canvas.polygon(laid(stalk, centre, angle), "#17181c")


def _chips(canvas: Canvas, x: float, foot: float, count: int, colour: str) -> None:
    canvas.soften(arc(around((x + 12, foot + 8), 48, 20), 0, 360), "#00100ad0", 7)
    for level in range(count):
        shift = canvas.random.uniform(-2.5, 2.5)
        y = foot - level * 13
        side = [
            *arc(around((x + shift, y), 42, 17), 0, 180),
            *arc(around((x + shift, y - 11), 42, 17), 180, 0),
        ]
        canvas.shade(side, [(0, "#00000000"), (1, "#00000000")])
        canvas.polygon(side, colour)
        for stripe in (28, 74, 118, 160):
            start = stripe + canvas.random.uniform(-10, 10)
            band = [*arc(around((x + shift, y), 42, 17), start, start + 14, 4)]
            canvas.polygon([*band, *[(px, py - 11) for px, py in reversed(band)]], "#f6efdf")
        canvas.line(arc(around((x + shift, y), 42, 17), 0, 180), "#00000070", 1.4)
        canvas.ellipse(around((x + shift, y - 11), 42, 17), colour)
    top = (x, foot - (count - 1) * 13 - 11)
    for start in range(0, 360, 60):
        band = [
            *arc(around(top, 42, 17), start, start + 22, 6),
            *arc(around(top, 31, 12.5), start + 22, start, 6),
        ]
        canvas.polygon(band, "#f6efdf")
    canvas.ring(around(top, 28, 11), 1.6, "#f6efdfc0")
    canvas.soften(arc(around((top[0] - 12, top[1] - 5), 14, 4), 0, 360), "#ffffff60", 3)


def _die(canvas: Canvas, centre: Point, angle: float, dots: int) -> None:
    half = 26.0
    face = [
        point
        for x, y, start in ((18, 18, 0), (-18, 18, 90), (-18, -18, 180), (18, -18, 270))
        for point in arc(around((x, y), half - 18), start, start + 90, 8)
    ]
    canvas.soften(moved(laid(face, centre, angle), 7, 12), "#00100ad0", 6)
    canvas.polygon(moved(laid(face, centre, angle), 3, 7), "#8f1f1f")
    canvas.shade(laid(face, centre, angle), [(0, "#e5534a"), (1, "#b8322c")])
    middle: list[Point] = [(0, 0)] if dots % 2 else []
    corners: list[Point] = [(-13, -13), (13, 13), (13, -13), (-13, 13)]
    for dot in [*middle, *corners[: dots - len(middle)]]:
        canvas.circle(laid([dot], centre, angle)[0], 4.6, "#fff6ea")
