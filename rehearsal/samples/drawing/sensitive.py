"""Scenes that a moderation policy cares about: a pistol and a cigarette."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.samples.drawing.canvas import Canvas
from rehearsal.samples.drawing.geometry import Point, arc, around, curve, laid, moved, on_circle


def pistol() -> Canvas:
    """A pistol and three cartridges lying on a wooden table, seen from above."""
    canvas = Canvas(seed=17)
    _planks(canvas)
    canvas.glow((430, 260), 520, "#ffe2b0", 0.42)
    tilt = -9.0
    centre = (470.0, 320.0)
    outline = laid([*_SLIDE, *_GRIP], centre, tilt)
    canvas.soften(moved(outline, 12, 20), "#0a0503e0", 11)
    _pistol_body(canvas, centre, tilt)
    for x, y, angle in ((230, 500, 24), (292, 540, -38), (176, 556, 78)):
        _cartridge(canvas, (x, y), angle)
    canvas.vignette("#0c0603", 0.55)
    return canvas


_SLIDE: list[Point] = [(-250, -112), (232, -112), (246, -100), (250, -44), (-250, -44)]
_GRIP: list[Point] = [
    (250, -44),
    (262, -26),
    (236, -18),
    (262, 150),
    (134, 168),
    (96, 8),
    (-60, 4),
    (-86, -44),
]


def _planks(canvas: Canvas) -> None:
    for row in range(5):
        top = row * 128.0
        tone = canvas.random.choice(["#8a5a38", "#7d4f31", "#94623e", "#85553a"])
        canvas.shade_box((0, top, 960, top + 128), [(0, tone), (1, "#6f452b")])
        for _ in range(13):
            y = top + 8 + 112 * canvas.random.random()
            bend = [(x, y + canvas.random.uniform(-5, 5)) for x in range(-40, 1041, 120)]
            canvas.line(curve(bend, steps=10), "#4a2a1650", 1 + canvas.random.random() * 1.6)
        if row % 2:
            knot = (canvas.random.uniform(80, 880), top + 64)
            for ring in range(4):
                canvas.ring(around(knot, 22 - ring * 5, 11 - ring * 2.6), 1.6, "#3d2212a0")
        canvas.rectangle((0, top + 125, 960, top + 129), "#2a160bc0")


def _pistol_body(canvas: Canvas, centre: Point, tilt: float) -> None:
    def part(points: Sequence[Point], light: str, deep: str) -> None:
        canvas.shade(laid(points, centre, tilt), [(0, light), (1, deep)])

    guard = laid(arc((-40, -34, 104, 66), 0, 180), centre, tilt)
    canvas.line(guard, "#23262c", 13)
    canvas.line(moved(guard, 0, -3), "#4a4f58", 3)
    trigger = curve([(46, -40), (34, -6), (22, 20), (40, 6), (60, -40)])
    part(trigger, "#5a606b", "#2b2e35")
    part(_GRIP, "#43474f", "#1c1e23")
    _grip_panel(canvas, centre, tilt)
    part([(-244, -52), (-86, -52), (-60, 0), (-236, -2)], "#3a3e46", "#202329")
    part(_SLIDE, "#747b87", "#2e323a")
    canvas.line(laid([(-248, -106), (230, -106)], centre, tilt), "#b9c0cc90", 3)
    canvas.line(laid([(-250, -46), (250, -46)], centre, tilt), "#15171bd0", 3)
    for notch in range(9):
        x = 150 + notch * 10
        canvas.line(laid([(x, -98), (x - 5, -56)], centre, tilt), "#1a1c21", 4)
        canvas.line(laid([(x + 3, -98), (x - 2, -56)], centre, tilt), "#8a919d80", 1.2)
    part([(-40, -104), (74, -104), (74, -72), (-26, -72)], "#1d2026", "#3c414a")
    part([(-32, -100), (70, -100), (70, -92), (-30, -92)], "#c7a356", "#8a6a2c")
    part([(-238, -112), (-232, -126), (-216, -126), (-212, -112)], "#3a3e46", "#23262c")
    part([(206, -112), (210, -127), (234, -127), (236, -112)], "#3a3e46", "#23262c")
    canvas.polygon(
        laid([(-256, -94), (-249, -94), (-249, -66), (-256, -66)], centre, tilt), "#101215"
    )
    canvas.polygon(laid([(112, -36), (156, -36), (160, -26), (112, -26)], centre, tilt), "#6a717d")
    canvas.line(laid(curve([(252, -60), (268, -52), (276, -34)]), centre, tilt), "#3a3e46", 11)


def _grip_panel(canvas: Canvas, centre: Point, tilt: float) -> None:
    panel: list[Point] = [(124, 4), (222, -6), (244, 136), (150, 150)]
    canvas.shade(laid(panel, centre, tilt), [(0, "#7a4a2c"), (1, "#4a2918")])
    for line in range(11):
        share = line / 10
        for start, end in (
            ((124 + 98 * share, 4 - 10 * share), (150, 150)),
            ((222, -6), (150 + 94 * share, 150 - 14 * share)),
        ):
            canvas.line(laid([start, end], centre, tilt), "#2d170c70", 1.4)
    canvas.line(laid([*panel, panel[0]], centre, tilt), "#2d170c", 2.4)
    for screw in ((172, 20), (200, 124)):
        canvas.circle(laid([screw], centre, tilt)[0], 6, "#c9b48a")
        canvas.line(
            laid([(screw[0] - 4, screw[1]), (screw[0] + 4, screw[1])], centre, tilt), "#5a4a2a", 1.6
        )


def _cartridge(canvas: Canvas, centre: Point, angle: float) -> None:
    case: list[Point] = [(-44, -13), (22, -13), (22, 13), (-44, 13)]
    nose = curve([(22, -12), (40, -9), (52, 0), (40, 9), (22, 12)])
    canvas.soften(moved(laid([*case[:2], *nose, *case[2:]], centre, angle), 5, 9), "#0a0503c0", 5)
    canvas.polygon(laid(nose, centre, angle), "#b8693c")
    canvas.polygon(laid(case, centre, angle), "#c9a24c")
    canvas.polygon(laid([(-44, -8), (22, -8), (22, -2), (-44, -2)], centre, angle), "#f3dc9a")
    canvas.polygon(laid([(-44, 6), (22, 6), (22, 13), (-44, 13)], centre, angle), "#8f6c28")
    canvas.polygon(laid([(-52, -14), (-46, -14), (-46, 14), (-52, 14)], centre, angle), "#a8832f")
    canvas.polygon(laid([(26, -8), (44, -5), (44, -2), (26, -3)], centre, angle), "#e8a878")


def cigarette() -> Canvas:
    """A burning cigarette on a glass ashtray, its smoke curling up."""
    canvas = Canvas(seed=29)
    canvas.shade_box((0, 0, 960, 640), [(0, "#182a33"), (0.7, "#24444c"), (1, "#1c333b")])
    canvas.glow((520, 250), 430, "#3f7480", 0.6)
    canvas.shade_box((0, 440, 960, 640), [(0, "#3b2a2a"), (1, "#231718")])
    canvas.shade_box((0, 440, 960, 447), [(0, "#7a5650"), (1, "#3b2a2a")])
    _smoke(canvas)
    _ashtray(canvas)
    _lit_cigarette(canvas)
    _matchbox(canvas)
    canvas.vignette("#060b0d", 0.5)
    return canvas


def _smoke(canvas: Canvas) -> None:
    plumes = (
        ([(316, 398), (314, 330), (322, 270), (304, 200), (340, 130), (318, 60), (356, -30)], 20),
        (
            [
                (316, 398),
                (316, 330),
                (328, 262),
                (346, 206),
                (334, 150),
                (392, 96),
                (436, 20),
                (430, -30),
            ],
            12,
        ),
        ([(322, 262), (316, 214), (282, 168), (276, 110), (300, 62), (286, 0), (300, -30)], 9),
    )
    for points, width in plumes:
        line = curve(points)
        for start in range(0, len(line) - 12, 12):
            share = start / len(line)
            piece = line[start : start + 14]
            opacity = f"{int(120 * (1 - share) ** 0.8 + 16):02x}"
            canvas.soften_line(
                piece, "#dfeaec" + opacity, width * (0.35 + 1.5 * share), 2 + 9 * share
            )


def _ashtray(canvas: Canvas) -> None:
    canvas.soften(arc(around((494, 556), 268, 46), 0, 360), "#05080ad0", 12)
    foot = arc(around((480, 528), 218, 50), 0, 180)
    canvas.shade(
        [(224, 462), *reversed(foot), (736, 462)],
        [(0, "#5d98a8c0"), (0.5, "#b4dfe8a0"), (1, "#3f7785c8")],
        across=True,
    )
    for facet in range(-4, 5):
        top, low = 480 + facet * 55, 480 + facet * 46
        drop = 12 * (1 - (facet / 5) ** 2)
        canvas.polygon(
            [
                (top - 13, 496 + drop),
                (top + 13, 496 + drop),
                (low + 10, 548 + drop),
                (low - 10, 548 + drop),
            ],
            "#e6fbff2c",
        )
    canvas.shade_ellipse(around((480, 462), 258, 62), [(0, "#c8ecf2"), (1, "#6aa7b5")])
    canvas.shade_ellipse(around((480, 464), 218, 47), [(0, "#2c5660"), (1, "#4c8390")])
    canvas.shade_ellipse(around((480, 476), 178, 32), [(0, "#3a3f42"), (1, "#5e6466")])
    for _ in range(240):
        angle, distance = 360 * canvas.random.random(), canvas.random.random() ** 0.5
        x, y = on_circle((0, 0), distance, angle)
        tone = canvas.random.choice(["#8b9092", "#6b7072", "#a9adae", "#4c5052"])
        canvas.circle((480 + x * 160, 478 + y * 25), 1.2 + 1.8 * canvas.random.random(), tone)
    canvas.ring(around((480, 462), 256, 61), 2, "#f2fdff90")
    for x, y, angle in ((560, 474, 24), (436, 486, -14)):
        _stub(canvas, (x, y), angle)


def _stub(canvas: Canvas, centre: Point, angle: float) -> None:
    canvas.polygon(laid([(-26, -8), (20, -8), (20, 8), (-26, 8)], centre, angle), "#d98b45")
    canvas.polygon(laid([(-26, 2), (20, 2), (20, 8), (-26, 8)], centre, angle), "#b06a2e")
    canvas.polygon(laid([(20, -8), (38, -7), (42, 0), (38, 8), (20, 8)], centre, angle), "#e9e4da")
    canvas.circle(laid([(42, 1)], centre, angle)[0], 6, "#3a3634")


def _lit_cigarette(canvas: Canvas) -> None:
    centre, tilt = (500.0, 414.0), 4.0
    body: list[Point] = [(-180, -13), (200, -13), (200, 13), (-180, 13)]
    canvas.soften(moved(laid(body, centre, tilt), 6, 34), "#04080aa0", 8)
    canvas.shade(laid(body, centre, tilt), [(0, "#ffffff"), (0.45, "#f3eee4"), (1, "#b9b1a4")])
    canvas.shade(
        laid([(76, -13), (200, -13), (200, 13), (76, 13)], centre, tilt),
        [(0, "#efb068"), (0.5, "#d98b45"), (1, "#a86228")],
    )
    canvas.polygon(laid([(74, -13), (80, -13), (80, 13), (74, 13)], centre, tilt), "#c9a24c")
    for _ in range(40):
        spot = (canvas.random.uniform(86, 194), canvas.random.uniform(-10, 10))
        canvas.circle(laid([spot], centre, tilt)[0], 1.3, "#f6cf9a90")
    ash = [(-186, -10), (-160, -13), (-160, 13), (-186, 11), (-194, 2)]
    tip = laid([(-176, 0)], centre, tilt)[0]
    canvas.glow(tip, 70, "#ff7a2e", 0.75)
    canvas.shade(laid(ash, centre, tilt), [(0, "#c9c6c2"), (1, "#6e6a67")])
    ember = laid(
        [(-166, -13), (-154, -13), (-157, 0), (-153, 13), (-165, 13), (-169, 0)], centre, tilt
    )
    canvas.shade(ember, [(0, "#ffd27a"), (0.5, "#ff7a2e"), (1, "#b3311a")])


def _matchbox(canvas: Canvas) -> None:
    canvas.soften([(744, 606), (918, 596), (934, 620), (752, 628)], "#000000c0", 7)
    canvas.shade([(740, 548), (904, 538), (912, 600), (748, 612)], [(0, "#c94f43"), (1, "#9c332c")])
    canvas.polygon([(740, 548), (904, 538), (888, 522), (730, 531)], "#e0715f")
    canvas.polygon([(748, 598), (911, 587), (912, 600), (748, 612)], "#3a2420")
    canvas.ellipse((792, 552, 858, 592), "#f6e7c6")
    flame = curve([(826, 556), (838, 574), (826, 588), (814, 574)], closed=True)
    canvas.polygon(flame, "#e0862e")
