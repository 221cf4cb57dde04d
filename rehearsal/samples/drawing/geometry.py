"""Points for the scenes: curves, arcs and turned shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def around(centre: Point, across: float, down: float | None = None) -> Box:
    """Return the box around a centre with the given half-widths."""
    half = across if down is None else down
    return (centre[0] - across, centre[1] - half, centre[0] + across, centre[1] + half)


def curve(points: Sequence[Point], closed: bool = False, steps: int = 24) -> list[Point]:
    """Return a smooth line through all the points (a Catmull-Rom spline).

    Args:
        points: at least two points.
        closed: join the last point to the first.
        steps: points between two neighbours.
    """
    if closed:
        nodes = [points[-1], *points, points[0], points[1]]
    else:
        nodes = [points[0], *points, points[-1]]
    line: list[Point] = []
    for a, b, c, d in zip(nodes, nodes[1:], nodes[2:], nodes[3:], strict=False):
        for step in range(steps):
            t = step / steps
            line.append((_spline(a[0], b[0], c[0], d[0], t), _spline(a[1], b[1], c[1], d[1], t)))
    if not closed:
        line.append(points[-1])
    return line


def arc(box: Box, start: float, end: float, steps: int = 48) -> list[Point]:
    """Return points on the ellipse inside a box, angles in degrees clockwise from the right."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    across, down = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(middle[0] + across * math.cos(a), middle[1] + down * math.sin(a)) for a in angles]


def turned(points: Sequence[Point], centre: Point, degrees: float) -> list[Point]:
    """Return the points turned clockwise round a centre."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    shifted = [(x - centre[0], y - centre[1]) for x, y in points]
    return [
        (centre[0] + x * cosine - y * sine, centre[1] + x * sine + y * cosine) for x, y in shifted
    ]


def moved(points: Sequence[Point], right: float, down: float) -> list[Point]:
    """Return the points moved by an offset in pixels."""
    return [(x + right, y + down) for x, y in points]


def laid(points: Sequence[Point], centre: Point, degrees: float) -> list[Point]:
    """Return a shape drawn around the origin, laid down at a centre and turned clockwise."""
    return turned(moved(points, *centre), centre, degrees)


def on_circle(centre: Point, radius: float, degrees: float) -> Point:
    """Return the point of a circle at an angle clockwise from the right."""
    angle = math.radians(degrees)
    return (centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle))


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    straight, bend, twist = c - a, 2 * a - 5 * b + 4 * c - d, 3 * b - a - 3 * c + d
    return b + 0.5 * t * (straight + t * (bend + t * twist))
