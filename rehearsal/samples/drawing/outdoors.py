"""Scenes under the open sky: a beach, a skyline at dusk, fireworks over a bay."""

from __future__ import annotations

from rehearsal.samples.drawing.canvas import Canvas
from rehearsal.samples.drawing.geometry import Point, arc, around, curve, moved, on_circle


def beach() -> Canvas:
    """A quiet beach: sun, sea, a sailing boat, a parasol, a ball."""
    canvas = Canvas(seed=11)
    canvas.shade_box((0, 0, 960, 300), [(0, "#69b9e6"), (0.65, "#bfe4f2"), (1, "#fdf3dc")])
    canvas.glow((742, 118), 230, "#fff6cf", 0.95)
    canvas.circle((742, 118), 46, "#fffbe8")
    for x, y, size in ((130, 96, 1.0), (330, 62, 0.6), (560, 150, 0.75)):
        _cloud(canvas, x, y, size)
    _sea(canvas)
    _sailing_boat(canvas, 268, 300)
    _sand(canvas)
    _parasol(canvas)
    _beach_ball(canvas, (322, 540), 40)
    return canvas


def _cloud(canvas: Canvas, x: float, y: float, size: float) -> None:
    for right, down, radius in ((-52, 8, 24), (-22, -8, 34), (18, -16, 40), (54, 4, 27)):
        canvas.circle((x + right * size, y + down * size), radius * size, "#f6fbfe")
    canvas.rectangle(
        (x - 76 * size, y + 4 * size, x + 81 * size, y + 32 * size), "#f6fbfe", 14 * size
    )


def _sea(canvas: Canvas) -> None:
    far = [(560, 304), (620, 276), (690, 262), (760, 238), (850, 226), (960, 232)]
    canvas.shade([*curve(far), (960, 306), (560, 306)], [(0, "#7fb0a4"), (1, "#9cc6b8")])
    near = [(700, 304), (760, 282), (830, 276), (900, 258), (960, 254)]
    canvas.shade([*curve(near), (960, 306), (700, 306)], [(0, "#4f8f80"), (1, "#76ad9c")])
    canvas.shade_box((0, 300, 960, 520), [(0, "#1f86ac"), (0.5, "#3fb0c0"), (1, "#a9e3d8")])
    for _ in range(150):
        y = 306 + 150 * canvas.random.random() ** 1.5
        width = 6 + (y - 300) * 0.34 * canvas.random.random()
        # Denser under the sun, so that its light lies on the water.
        x = (
            canvas.random.gauss(742, 70)
            if canvas.random.random() < 0.6
            else 960 * canvas.random.random()
        )
        canvas.line([(x - width, y), (x + width, y)], "#ffffff66", 1.6)


def _sailing_boat(canvas: Canvas, x: float, y: float) -> None:
    canvas.soften(
        [(x - 42, y + 34), (x + 46, y + 34), (x + 16, y + 70), (x - 14, y + 70)], "#0d5d7c55", 6
    )
    canvas.polygon(
        [(x - 46, y + 16), (x + 52, y + 16), (x + 36, y + 36), (x - 34, y + 36)], "#b5423a"
    )
    canvas.polygon(
        [(x - 46, y + 16), (x + 52, y + 16), (x + 48, y + 21), (x - 43, y + 21)], "#ffffff"
    )
    canvas.line([(x, y + 16), (x, y - 92)], "#5c4334", 3)
    main = [(x + 4, y - 90), (x + 26, y - 40), (x + 46, y + 8)]
    canvas.shade([*curve(main), (x + 4, y + 8)], [(0, "#ffffff"), (1, "#e9dfce")], across=True)
    fore = [(x - 4, y - 80), (x - 20, y - 34), (x - 36, y + 8)]
    canvas.shade([*curve(fore), (x - 4, y + 8)], [(0, "#f2b24c"), (1, "#f7cd7a")], across=True)


def _sand(canvas: Canvas) -> None:
    shore = curve([(-20, 452), (150, 430), (330, 452), (520, 430), (720, 462), (980, 424)])
    canvas.soften_line(moved(shore, 0, -14), "#ffffff90", 7, 2)
    canvas.shade(
        [*moved(shore, 0, -4), (980, 660), (-20, 660)],
        [(0, "#d9bf8d"), (0.2, "#ead3a2"), (1, "#f2deb2")],
    )
    canvas.line(moved(shore, 0, -4), "#ffffff", 5)
    wet = [*moved(shore, 0, 0), *reversed(moved(shore, 0, 22))]
    canvas.polygon(wet, "#c3a26b55")
    for _ in range(420):
        x, y = 960 * canvas.random.random(), 478 + 162 * canvas.random.random()
        canvas.circle(
            (x, y), 0.9 + canvas.random.random(), canvas.random.choice(["#c9a86a80", "#fff4d680"])
        )


def _parasol(canvas: Canvas) -> None:
    canvas.soften(arc(around((742, 586), 172, 24), 0, 360), "#8a6a3a90", 9)
    canvas.shade([(560, 566), (800, 560), (850, 604), (586, 612)], [(0, "#f6f1e7"), (1, "#e2d9c8")])
    for left in range(4):
        x = 584 + left * 62
        canvas.polygon([(x, 565), (x + 20, 565), (x + 34, 610), (x + 12, 611)], "#3a8fb7")
    canvas.line([(700, 588), (676, 306)], "#f7f2e8", 7)
    canvas.line([(702, 588), (678, 306)], "#c9bda6", 2.4)
    top: Point = (671, 262)
    rim = curve(
        [(474, 398), (548, 390), (612, 384), (680, 376), (744, 366), (812, 352), (868, 336)]
    )
    dome = curve(
        [(474, 398), (502, 330), (578, 276), (671, 262), (770, 254), (838, 284), (868, 336)]
    )
    canvas.polygon([*dome, *reversed(rim)], "#fbf4e6")
    ribs = [rim[0], rim[24], rim[48], rim[72], rim[96], rim[120], rim[144]]
    for index in range(0, 6, 2):
        bulge = 26 * (index - 2.5)
        left = curve([top, ((top[0] + ribs[index][0]) / 2 + bulge, 310), ribs[index]])
        right = curve(
            [top, ((top[0] + ribs[index + 1][0]) / 2 + bulge * 0.7, 306), ribs[index + 1]]
        )
        canvas.polygon([*left, *reversed(right)], "#e2574c")
    canvas.soften([(671, 262), (868, 336), (744, 366), (700, 372)], "#7a1f1f38", 10)
    canvas.circle((671, 258), 6, "#f7f2e8")


def _beach_ball(canvas: Canvas, centre: Point, radius: float) -> None:
    canvas.soften(
        arc(around((centre[0] + 8, centre[1] + radius), radius, 9), 0, 360), "#8a6a3aa0", 6
    )
    colours = ("#e2574c", "#fbf4e6", "#f2b24c", "#fbf4e6", "#3a8fb7", "#fbf4e6")
    for index, colour in enumerate(colours):
        canvas.pie(around(centre, radius), index * 60 - 20, index * 60 + 40, colour)
    canvas.circle((centre[0], centre[1]), 7, "#fbf4e6")
    canvas.glow((centre[0] - 14, centre[1] - 16), 26, "#ffffff", 0.7)
    canvas.soften(
        arc(around((centre[0] + 8, centre[1] + 14), radius * 0.7, radius * 0.55), 0, 180),
        "#40203038",
        7,
    )


def skyline() -> Canvas:
    """A city at dusk, with lit windows and its reflection in a river."""
    canvas = Canvas(seed=5)
    sky = [(0, "#2b2a5c"), (0.35, "#6d4a86"), (0.68, "#e0796b"), (1, "#fbcf86")]
    canvas.shade_box((0, 0, 960, 460), sky)
    canvas.glow((610, 400), 330, "#ffe2a0", 0.9)
    canvas.circle((610, 386), 52, "#fff0c4")
    for _ in range(46):
        centre = (960 * canvas.random.random(), 170 * canvas.random.random() ** 1.4)
        canvas.circle(centre, 0.8 + canvas.random.random() * 0.8, "#ffffffb0")
    _row_of_buildings(canvas, 60, (150, 230), "#8c5a82", "#a96f80", lit=0.0)
    _row_of_buildings(canvas, 74, (110, 270), "#4b3a6b", "#6b4a72", lit=0.22)
    _landmark(canvas)
    _row_of_buildings(canvas, 88, (50, 170), "#231f45", "#33284f", lit=0.42)
    _river(canvas)
    return canvas


def _row_of_buildings(
    canvas: Canvas, width: float, heights: tuple[float, float], top: str, foot: str, lit: float
) -> None:
    x = -20.0
    while x < 960:
        wide = width * canvas.random.uniform(0.6, 1.15)
        high = canvas.random.uniform(*heights)
        roof = 462 - high
        canvas.shade_box((x, roof, x + wide, 462), [(0, top), (1, foot)])
        if canvas.random.random() < 0.35:
            canvas.rectangle((x + wide * 0.3, roof - 12, x + wide * 0.7, roof), top)
            canvas.line([(x + wide * 0.5, roof - 12), (x + wide * 0.5, roof - 34)], top, 2)
        if lit:
            _windows(canvas, x, roof, wide, lit)
        x += wide + canvas.random.choice([0, 3, 9])


def _windows(canvas: Canvas, x: float, roof: float, wide: float, lit: float) -> None:
    columns = int((wide - 12) // 10)
    start = x + (wide - columns * 10 + 4) / 2
    for row in range(int((462 - roof - 16) // 14)):
        for column in range(columns):
            if canvas.random.random() < lit:
                left, top = start + column * 10, roof + 10 + row * 14
                colour = canvas.random.choice(["#ffd98a", "#ffc56b", "#fff0c9", "#ffb45c"])
                canvas.rectangle((left, top, left + 6, top + 8), colour)


def _landmark(canvas: Canvas) -> None:
    steps = ((46, 180, 462), (34, 130, 200), (20, 96, 140), (8, 62, 100))
    for half, top, foot in steps:
        canvas.shade_box((300 - half, top, 300 + half, foot), [(0, "#3a2f5e"), (1, "#523c66")])
    canvas.line([(300, 62), (300, 20)], "#3a2f5e", 3)
    canvas.glow((300, 20), 20, "#ff7b6b", 0.9)
    for row in range(19):
        for column in range(-3, 4):
            if canvas.random.random() < 0.5:
                left, top = 297 + column * 12, 192 + row * 14
                canvas.rectangle((left, top, left + 6, top + 8), "#ffd98a")


def _river(canvas: Canvas) -> None:
    canvas.shade_box((0, 462, 960, 640), [(0, "#c46f6c"), (0.35, "#6b4677"), (1, "#221d42")])
    canvas.shade_box((0, 456, 960, 468), [(0, "#171433"), (1, "#231c42")])
    for x in range(30, 960, 62):
        canvas.glow((x, 456), 13, "#ffd98a", 0.9)
        canvas.soften_line([(x, 470), (x, 530)], "#ffd98a60", 3, 2.2)
    for _ in range(240):
        y = 472 + 160 * canvas.random.random()
        width = 4 + 26 * canvas.random.random() * (y - 440) / 200
        near_sun = canvas.random.random() < 0.45
        x = canvas.random.gauss(610, 46) if near_sun else 960 * canvas.random.random()
        canvas.line([(x - width, y), (x + width, y)], "#ffd49a88" if near_sun else "#12103050", 2)


def fireworks() -> Canvas:
    """Fireworks over a bay at night: what a detector may well take for an explosion."""
    canvas = Canvas(seed=23)
    canvas.shade_box((0, 0, 960, 470), [(0, "#0a0f2c"), (0.6, "#1b2050"), (1, "#3a2f63")])
    bursts = (
        ((300, 170), 150, "#ffcf6b", "#ff8a5c"),
        ((612, 128), 118, "#8fd8ff", "#5f8cff"),
        ((790, 236), 96, "#ff8fb8", "#e0559a"),
        ((476, 292), 74, "#b9ff9e", "#5fd08a"),
    )
    for centre, radius, light, deep in bursts:
        _burst(canvas, centre, radius, light, deep)
    hills = curve(
        [(-20, 430), (120, 388), (260, 420), (420, 376), (600, 424), (780, 372), (980, 420)]
    )
    canvas.shade([*hills, (980, 474), (-20, 474)], [(0, "#121433"), (1, "#0c0d26")])
    for _ in range(90):
        x = 960 * canvas.random.random()
        y = 432 + 34 * canvas.random.random()
        canvas.circle(
            (x, y),
            1.2 + canvas.random.random(),
            canvas.random.choice(["#ffdf9a", "#ffc46b", "#fff3d6"]),
        )
    canvas.shade_box((0, 468, 960, 640), [(0, "#232452"), (1, "#090b22")])
    for centre, radius, light, _ in bursts:
        for _ in range(70):
            x = canvas.random.gauss(centre[0], radius * 0.4)
            y = 474 + 150 * canvas.random.random() ** 1.2
            width = 4 + 18 * canvas.random.random()
            canvas.line([(x - width, y), (x + width, y)], light + "4c", 2)
    _rowing_boat(canvas)
    return canvas


def _burst(canvas: Canvas, centre: Point, radius: float, light: str, deep: str) -> None:
    canvas.glow(centre, radius * 1.7, deep, 0.5)
    for ray in range(64):
        angle = ray * 360 / 64 + canvas.random.uniform(-2, 2)
        length = radius * canvas.random.uniform(0.72, 1.05)
        for step in range(9):
            share = 0.2 + 0.8 * step / 8
            x, y = on_circle(centre, length * share, angle)
            y += 22 * share**3
            opacity = f"{int(60 + 190 * share):02x}"
            canvas.circle((x, y), 0.7 + 1.7 * share, (light if share > 0.6 else deep) + opacity)
        tip = on_circle(centre, length, angle)
        canvas.glow((tip[0], tip[1] + 22), 7, light, 0.9)
    canvas.glow(centre, radius * 0.42, "#ffffff", 0.8)


def _rowing_boat(canvas: Canvas) -> None:
    hull = curve([(150, 566), (186, 590), (260, 594), (330, 588), (372, 560)])
    canvas.soften(moved(hull, 0, 14), "#000000a0", 6)
    canvas.polygon(hull, "#05060f")
    for x, height in ((222, 44), (286, 38)):
        canvas.circle((x, 566 - height), 9, "#05060f")
        canvas.polygon(
            curve(
                [
                    (x - 15, 576),
                    (x - 12, 566 - height + 14),
                    (x, 566 - height + 8),
                    (x + 12, 566 - height + 14),
                    (x + 15, 576),
                ]
            ),
            "#05060f",
        )
