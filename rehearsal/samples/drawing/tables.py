"""Scenes on a table: a café evening, a birthday cake."""

from __future__ import annotations

from rehearsal.samples.drawing.canvas import Canvas
from rehearsal.samples.drawing.geometry import Point, arc, around, curve


def cafe() -> Canvas:
    """A street café in the evening, with a bottle and two glasses of red wine."""
    canvas = Canvas(seed=7)
    canvas.shade_box((0, 0, 960, 640), [(0, "#14233a"), (0.6, "#38405a"), (1, "#5c4a4f")])
    _shop_front(canvas)
    for _ in range(34):
        centre = (960 * canvas.random.random(), 120 + 300 * canvas.random.random())
        colour = canvas.random.choice(["#ffc46b", "#ff9a5c", "#ffe2a8", "#7fb7d6"])
        canvas.circle(centre, 8 + 18 * canvas.random.random(), colour + "30")
    canvas.defocus(3.2)
    _awning(canvas)
    _string_of_lights(canvas)
    _round_table(canvas)
    _candle(canvas, 488, 500)
    _wine_bottle(canvas, 646, 512)
    _wine_glass(canvas, 330, 540, 1.0)
    _wine_glass(canvas, 816, 566, 1.0)
    canvas.vignette("#0a0f1c", 0.4)
    return canvas


def _shop_front(canvas: Canvas) -> None:
    for left, right in ((60, 300), (360, 600), (660, 900)):
        canvas.shade_box((left, 150, right, 440), [(0, "#ffd48a"), (1, "#c97a45")], radius=6)
        for pane in range(1, 3):
            x = left + (right - left) * pane / 3
            canvas.rectangle((x - 3, 150, x + 3, 440), "#2a2a38")
        canvas.rectangle((left, 240, right, 246), "#2a2a38")
    for x in (150, 470, 770):
        canvas.circle((x, 330), 24, "#5a3a34")
        canvas.rectangle((x - 34, 350, x + 34, 440), "#5a3a34", 24)


def _awning(canvas: Canvas) -> None:
    width = 960 / 16
    for stripe in range(16):
        colour = "#b8433f" if stripe % 2 == 0 else "#f4e9d8"
        left = stripe * width
        canvas.polygon([(left, 0), (left + width, 0), (left + width, 74), (left, 74)], colour)
        canvas.pie((left, 46, left + width, 102), 0, 180, colour)
    canvas.shade_box((0, 0, 960, 104), [(0, "#00000060"), (0.6, "#00000018"), (1, "#00000000")])


def _string_of_lights(canvas: Canvas) -> None:
    rope = curve(
        [(-20, 128), (160, 178), (330, 160), (500, 186), (680, 158), (840, 182), (980, 140)]
    )
    canvas.line(rope, "#15151c", 2.4)
    for point in rope[10::16]:
        canvas.glow((point[0], point[1] + 12), 44, "#ffce7a", 0.85)
        canvas.rectangle((point[0] - 3, point[1], point[0] + 3, point[1] + 6), "#15151c")
        canvas.circle((point[0], point[1] + 12), 7.5, "#fff3d0")


def _round_table(canvas: Canvas) -> None:
    canvas.shade_ellipse((-60, 452, 1020, 760), [(0, "#4a2c20"), (1, "#2b1813")])
    canvas.shade_ellipse((-60, 440, 1020, 744), [(0, "#a8683f"), (0.5, "#8a4f31"), (1, "#5f3524")])
    canvas.ring((-60, 440, 1020, 744), 3, "#c98a5a80")
    for ring in range(7):
        box = around((480, 600), 470 - ring * 62, 134 - ring * 18)
        canvas.ring(box, 1.6, "#5a311f50")
    canvas.glow((488, 520), 250, "#ffbf73", 0.5)


def _candle(canvas: Canvas, x: float, foot: float) -> None:
    canvas.soften(arc(around((x, foot + 8), 56, 13), 0, 360), "#1a0e0ab0", 6)
    canvas.shade_box(
        (x - 36, foot - 70, x + 36, foot + 10), [(0, "#fff0c8b0"), (1, "#ff9d4ad0")], radius=12
    )
    canvas.shade_box(
        (x - 24, foot - 40, x + 24, foot + 4), [(0, "#fff6dd"), (1, "#ffc98a")], radius=6
    )
    canvas.line([(x, foot - 40), (x, foot - 48)], "#4a2c20", 2)
    canvas.glow((x, foot - 58), 110, "#ffd98a", 0.9)
    flame = curve(
        [(x, foot - 80), (x + 8, foot - 58), (x, foot - 46), (x - 8, foot - 58)], closed=True
    )
    canvas.polygon(flame, "#fff4c4")
    canvas.rectangle((x - 30, foot - 66, x - 25, foot), "#ffffff70", 2)


def _wine_bottle(canvas: Canvas, x: float, foot: float) -> None:
    canvas.soften(arc(around((x + 8, foot + 4), 70, 17), 0, 360), "#120a08d0", 7)
    right = [(14, -330), (14, -262), (22, -236), (46, -206), (50, -176), (50, -90), (50, -5)]
    side = curve([(x + dx, foot + dy) for dx, dy in right])
    outline = [*side, *[(2 * x - px, py) for px, py in reversed(side)]]
    glass = [(0, "#0d2018"), (0.3, "#2f5a3c"), (0.5, "#173524"), (1, "#081410")]
    canvas.shade_ellipse(around((x, foot - 5), 50, 11), glass, across=True)
    canvas.shade(outline, glass, across=True)
    canvas.shade_box(
        (x - 16, foot - 340, x + 16, foot - 272),
        [(0, "#6d1f2a"), (0.35, "#b3404a"), (1, "#4d141d")],
        across=True,
        radius=4,
    )
    canvas.shade_box(
        (x - 50, foot - 156, x + 50, foot - 54),
        [(0, "#cbb994"), (0.35, "#f6ecd2"), (1, "#b8a57e")],
        across=True,
    )
    canvas.line([(x - 34, foot - 138), (x + 34, foot - 138)], "#8a2f38", 2)
    canvas.line([(x - 34, foot - 72), (x + 34, foot - 72)], "#8a2f38", 2)
    for dx, dy in ((-12, 0), (0, 0), (12, 0), (-6, 10), (6, 10), (0, 20)):
        canvas.circle((x + dx, foot - 114 + dy), 6.4, "#6a2a4a")
    canvas.line([(x, foot - 120), (x + 6, foot - 130)], "#5f7a3c", 2.4)
    canvas.soften_line([(x - 34, foot - 190), (x - 34, foot - 20)], "#ffffff58", 5, 2)


def _wine_glass(canvas: Canvas, x: float, foot: float, size: float) -> None:
    def at(dx: float, dy: float) -> Point:
        return (x + dx * size, foot + dy * size)

    canvas.soften(arc(around(at(10, 4), 66 * size, 15 * size), 0, 360), "#120a0890", 7)
    canvas.soften(arc(around(at(20, 10), 34 * size, 7 * size), 0, 360), "#c9303c70", 6)
    canvas.shade_ellipse(
        around(at(0, 0), 48 * size, 12 * size), [(0, "#ffffff50"), (1, "#ffffff18")]
    )
    canvas.ring(around(at(0, 0), 48 * size, 12 * size), 1.6, "#ffffff90")
    stem = [at(-4, -112), at(4, -112), at(5, -14), at(12, -2), at(-12, -2), at(-5, -14)]
    canvas.shade(stem, [(0, "#ffffffa0"), (0.5, "#ffffff30"), (1, "#ffffff80")], across=True)
    side = [(46, -262), (56, -218), (58, -178), (44, -138), (14, -114), (0, -110)]
    right = curve([at(dx, dy) for dx, dy in side])
    bowl = [*right, *[(2 * x - px, py) for px, py in reversed(right)]]
    canvas.shade(bowl, [(0, "#ffffff48"), (0.3, "#ffffff14"), (1, "#ffffff38")], across=True)
    level = foot - 186 * size
    wine = [point for point in bowl if point[1] >= level]
    canvas.shade(wine, [(0, "#6e0f1e"), (0.4, "#a31d30"), (1, "#4a0913")], across=True)
    canvas.shade_ellipse(around((x, level), 57 * size, 11 * size), [(0, "#8a1c2c"), (1, "#c23a48")])
    canvas.line(bowl, "#ffffff70", 1.6)
    canvas.ring(around(at(0, -262), 46 * size, 9 * size), 1.8, "#ffffffb0")
    canvas.soften_line(curve([at(-40, -244), at(-48, -200), at(-42, -156)]), "#ffffff90", 4, 1.2)
    canvas.soften_line(curve([at(38, -170), at(34, -150)]), "#ffb0a080", 4, 1.5)


def birthday() -> Canvas:
    """A birthday cake with candles, and two flutes that may hold anything that sparkles."""
    canvas = Canvas(seed=3)
    canvas.shade_box((0, 0, 960, 640), [(0, "#fde8e4"), (1, "#f9d3cc")])
    canvas.glow((480, 220), 420, "#fffdf4", 0.9)
    _bunting(canvas)
    for _ in range(90):
        centre = (960 * canvas.random.random(), 480 * canvas.random.random())
        colour = canvas.random.choice(["#f2a65a", "#7cc6b8", "#e8788a", "#8fa8e0"])
        canvas.circle(centre, 2 + 3 * canvas.random.random(), colour + "90")
    canvas.shade_box((0, 500, 960, 640), [(0, "#8fb9c9"), (1, "#6f9db2")])
    canvas.shade_box((0, 500, 960, 508), [(0, "#ffffff80"), (1, "#ffffff00")])
    _cake_stand(canvas)
    _tier(canvas, (300, 352, 660, 506), "#f6b7b0", "#e8938f", "#fff6ea")
    _tier(canvas, (366, 232, 594, 362), "#fbe3c6", "#eec79a", "#e8788a")
    for index in range(5):
        _birthday_candle(
            canvas, 400 + index * 40, 236, ("#7cc6b8", "#f2a65a", "#8fa8e0")[index % 3]
        )
    for x in (156, 800):
        _flute(canvas, x, 560)
    return canvas


def _bunting(canvas: Canvas) -> None:
    rope = curve([(-20, 28), (220, 104), (480, 60), (740, 108), (980, 24)])
    canvas.line(rope, "#b08a86", 2.4)
    colours = ("#e8788a", "#f2a65a", "#7cc6b8", "#8fa8e0", "#f4d06f")
    for index, start in enumerate(range(3, len(rope) - 6, 7)):
        (left, top), (right, low) = rope[start], rope[start + 5]
        tip = ((left + right) / 2 - (low - top) * 0.3, (top + low) / 2 + 46)
        canvas.polygon([(left, top), (right, low), tip], colours[index % 5])


def _cake_stand(canvas: Canvas) -> None:
    canvas.soften(arc(around((480, 596), 150, 18), 0, 360), "#27485a90", 9)
    canvas.shade(
        [(452, 520), (508, 520), (524, 586), (436, 586)],
        [(0, "#d9e2e6"), (0.4, "#ffffff"), (1, "#b9c8cf")],
        across=True,
    )
    canvas.shade_ellipse(around((480, 588), 92, 14), [(0, "#ffffff"), (1, "#c3d0d6")])
    canvas.shade_ellipse(around((480, 514), 250, 26), [(0, "#c3d0d6"), (1, "#a9bac2")])
    canvas.shade_ellipse(around((480, 506), 250, 26), [(0, "#f4f8f9"), (1, "#dfe8ec")])
    canvas.soften(arc(around((480, 508), 186, 16), 0, 360), "#4a6a7880", 5)


def _tier(
    canvas: Canvas, box: tuple[float, float, float, float], light: str, deep: str, icing: str
) -> None:
    left, top, right, foot = box
    middle, half = (left + right) / 2, (right - left) / 2
    depth = half * 0.1
    body = [*arc(around((middle, foot - depth), half, depth), 180, 0), (right, top), (left, top)]
    canvas.shade(body, [(0, deep), (0.3, light), (0.55, light), (1, deep)], across=True)
    for index in range(13):
        angle_share = index / 12
        x = left + 8 + (right - left - 16) * angle_share
        bow = depth * (1 - (2 * angle_share - 1) ** 2) ** 0.5
        canvas.circle((x, foot - depth + bow - 4), 8, icing)
    drips = 9
    for index in range(drips):
        share = (index + 0.5) / drips
        x = left + (right - left) * share
        bow = depth * (1 - (2 * share - 1) ** 2) ** 0.5
        long = 26 + 34 * canvas.random.random()
        half_wide = (right - left) / drips * 0.34
        canvas.rectangle((x - half_wide, top, x + half_wide, top + bow + long), icing, half_wide)
    lid = around((middle, top), half, depth)
    rim = [*arc(lid, 180, 0), (right, top + 12)]
    canvas.polygon(
        [
            (left, top),
            *rim[1:-1],
            (right, top),
            *arc(around((middle, top + 14), half, depth), 0, 180),
        ],
        icing,
    )
    canvas.shade_ellipse(lid, [(0, "#ffffff"), (1, icing)])
    canvas.ring(lid, 1.2, "#00000014")


def _birthday_candle(canvas: Canvas, x: float, foot: float, colour: str) -> None:
    canvas.rectangle((x - 5, foot - 66, x + 5, foot), "#ffffff", 3)
    for stripe in range(4):
        y = foot - 60 + stripe * 15
        canvas.polygon([(x - 5, y + 7), (x + 5, y), (x + 5, y + 6), (x - 5, y + 13)], colour)
    canvas.line([(x, foot - 66), (x, foot - 73)], "#5a4a48", 1.6)
    canvas.glow((x, foot - 82), 46, "#ffd76b", 0.95)
    flame = curve(
        [(x, foot - 99), (x + 6, foot - 80), (x, foot - 71), (x - 6, foot - 80)], closed=True
    )
    canvas.polygon(flame, "#ffb347")
    inner = curve(
        [(x, foot - 90), (x + 3, foot - 79), (x, foot - 73), (x - 3, foot - 79)], closed=True
    )
    canvas.polygon(inner, "#fff6cf")


def _flute(canvas: Canvas, x: float, foot: float) -> None:
    canvas.soften(arc(around((x + 6, foot + 6), 50, 11), 0, 360), "#27485a80", 6)
    canvas.shade_ellipse(around((x, foot), 40, 9), [(0, "#ffffffc0"), (1, "#ffffff60")])
    canvas.ring(around((x, foot), 40, 9), 1.4, "#ffffff")
    canvas.shade(
        [(x - 3, foot - 110), (x + 3, foot - 110), (x + 6, foot - 4), (x - 6, foot - 4)],
        [(0, "#ffffff"), (0.5, "#ffffff90"), (1, "#ffffff")],
        across=True,
    )
    side = curve(
        [(x + 30, foot - 300), (x + 33, foot - 220), (x + 24, foot - 140), (x, foot - 104)]
    )
    bowl = [*side, *[(2 * x - px, py) for px, py in reversed(side)]]
    canvas.shade(bowl, [(0, "#ffffffa0"), (0.4, "#ffffff40"), (1, "#ffffff90")], across=True)
    drink = [point for point in bowl if point[1] > foot - 262]
    canvas.shade(drink, [(0, "#f2c55cd0"), (1, "#e8a63ce0")])
    canvas.ellipse(around((x, foot - 262), 31.5, 6), "#fbe3a0")
    for _ in range(26):
        y = foot - 252 + 130 * canvas.random.random()
        canvas.circle(
            (x + canvas.random.uniform(-15, 15), y), 1.2 + canvas.random.random() * 1.4, "#fffbe8d0"
        )
    canvas.line(bowl, "#ffffffd0", 1.6)
    canvas.ring(around((x, foot - 300), 30, 5.5), 1.6, "#ffffff")
    canvas.soften_line([(x - 22, foot - 284), (x - 24, foot - 190)], "#ffffffd0", 4, 1)
