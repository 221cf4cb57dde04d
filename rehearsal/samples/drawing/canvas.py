"""A small painter's kit over Pillow: everything is drawn large and scaled down once.

Pillow draws hard edges. A canvas therefore works at three times the size of the picture and
reduces it at the end, which smooths every edge at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

from rehearsal.samples.drawing.geometry import Box, Point, around

Stops = Sequence[tuple[float, str]]

SCALE = 3


@dataclass
class Canvas:
    """A picture being painted, in coordinates of the finished picture (pixels, origin top left).

    Colours are "#rrggbb" or "#rrggbbaa"; the last pair is the opacity.
    """

    width: int = 960
    height: int = 640
    seed: int = 1
    image: Image.Image = field(init=False)
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Start with a white sheet and a random source of its own, so that runs agree."""
        self.image = Image.new("RGB", (self.width * SCALE, self.height * SCALE), "white")
        self.random = random.Random(self.seed)

    def finish(self) -> Image.Image:
        """Return the finished picture at its real size."""
        return resized(self.image, (self.width, self.height), Image.Resampling.LANCZOS)

    # Plain shapes

    def polygon(self, points: Sequence[Point], colour: str) -> None:
        """Fill a polygon."""
        self.pen().polygon(_scaled(points), fill=_rgba(colour))

    def ellipse(self, box: Box, colour: str) -> None:
        """Fill the ellipse inside a box."""
        self.pen().ellipse(_scaled_box(box), fill=_rgba(colour))

    def circle(self, centre: Point, radius: float, colour: str) -> None:
        """Fill a circle."""
        self.ellipse(around(centre, radius), colour)

    def ring(self, box: Box, width: float, colour: str) -> None:
        """Draw the outline of the ellipse inside a box."""
        self.pen().ellipse(_scaled_box(box), outline=_rgba(colour), width=round(width * SCALE))

    def rectangle(self, box: Box, colour: str, radius: float = 0) -> None:
        """Fill a rectangle, with rounded corners where a radius is given."""
        self.pen().rounded_rectangle(_scaled_box(box), radius * SCALE, fill=_rgba(colour))

    def line(self, points: Sequence[Point], colour: str, width: float = 1) -> None:
        """Draw a line of even width with round joints."""
        pen, rgba, thick = self.pen(), _rgba(colour), max(1, round(width * SCALE))
        pen.line(_scaled(points), fill=rgba, width=thick, joint="curve")

    def pie(self, box: Box, start: float, end: float, colour: str) -> None:
        """Fill a slice of an ellipse between two angles in degrees, clockwise from the right."""
        self.pen().pieslice(_scaled_box(box), start, end, fill=_rgba(colour))

    # Shapes with colour gradients

    def shade(self, points: Sequence[Point], stops: Stops, across: bool = False) -> None:
        """Fill a polygon with a gradient from top to bottom, or left to right.

        Args:
            points: the corners.
            stops: (position 0 to 1, colour) pairs in ascending order.
            across: run the gradient from left to right.
        """
        box = _bounds(points)
        mask = Image.new("L", _size(box), 0)
        shifted = [(x * SCALE - box[0], y * SCALE - box[1]) for x, y in points]
        ImageDraw.Draw(mask).polygon(shifted, fill=255)
        self._paste_gradient(box, mask, stops, across)

    def shade_box(self, box: Box, stops: Stops, across: bool = False, radius: float = 0) -> None:
        """Fill a rectangle with a gradient; see `shade`."""
        area = _bounds([(box[0], box[1]), (box[2], box[3])])
        mask = Image.new("L", _size(area), 0)
        width, height = mask.size
        corners = (0, 0, width - 1, height - 1)
        ImageDraw.Draw(mask).rounded_rectangle(corners, radius * SCALE, fill=255)
        self._paste_gradient(area, mask, stops, across)

    def shade_ellipse(self, box: Box, stops: Stops, across: bool = False) -> None:
        """Fill the ellipse inside a box with a gradient; see `shade`."""
        area = _bounds([(box[0], box[1]), (box[2], box[3])])
        mask = Image.new("L", _size(area), 0)
        ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
        self._paste_gradient(area, mask, stops, across)

    # Light

    def glow(self, centre: Point, radius: float, colour: str, strength: float = 1.0) -> None:
        """Lay a soft disc of light that fades to nothing at its edge."""
        side = max(2, round(radius * 2 * SCALE))
        # radial_gradient is 0 in the middle; squaring its opposite gives a gentler fall.
        disc = _map(
            Image.radial_gradient("L"),
            [round(strength * 255 * max(0.0, 1 - level / 180) ** 2) for level in range(256)],
        )
        mask = resized(disc, (side, side), Image.Resampling.BILINEAR)
        corner = (round(centre[0] * SCALE - side / 2), round(centre[1] * SCALE - side / 2))
        self.image.paste(_rgba(colour)[:3], (*corner, corner[0] + side, corner[1] + side), mask)

    def soften(self, points: Sequence[Point], colour: str, blur: float) -> None:
        """Fill a polygon with blurred edges: shadows, haze, light pools (blur in pixels)."""
        self._paste_blurred(lambda pen: pen.polygon(list(points), 255), colour, blur)

    def soften_line(self, points: Sequence[Point], colour: str, width: float, blur: float) -> None:
        """Draw a blurred line: smoke, reflections."""
        thick = max(1, round(width))
        self._paste_blurred(
            lambda pen: pen.line(list(points), 255, thick, joint="curve"), colour, blur
        )

    def vignette(self, colour: str = "#000000", strength: float = 0.35) -> None:
        """Darken the corners a little."""
        edge = resized(Image.radial_gradient("L"), self.image.size)
        mask = _map(edge, [round(strength * max(0, level - 110) * 1.76) for level in range(256)])
        self.image.paste(_rgba(colour)[:3], (0, 0, *self.image.size), mask)

    def defocus(self, radius: float) -> None:
        """Blur everything painted so far, as a lens does to a background (radius in pixels)."""
        small = resized(self.image, (self.width, self.height), Image.Resampling.BOX)
        blurred = small.filter(ImageFilter.GaussianBlur(radius))
        self.image = resized(blurred, self.image.size, Image.Resampling.BICUBIC)

    def pen(self) -> ImageDraw.ImageDraw:
        """Return Pillow's own pen, in pixels of the large picture (`SCALE` times as many)."""
        return ImageDraw.Draw(self.image, "RGBA")

    # Inside

    def _paste_gradient(
        self, box: tuple[int, int, int, int], mask: Image.Image, stops: Stops, across: bool
    ) -> None:
        length = mask.width if across else mask.height
        strip = Image.new("RGBA", (length, 1))
        for step in range(length):
            strip.putpixel((step, 0), _between(stops, step / max(1, length - 1)))
        if not across:
            strip = strip.transpose(Image.Transpose.ROTATE_270)
        paint = resized(strip, mask.size)
        mask = ImageChops.multiply(mask, paint.getchannel("A"))
        self.image.paste(paint.convert("RGB"), (box[0], box[1]), mask)

    def _paste_blurred(
        self, shape: Callable[[ImageDraw.ImageDraw], None], colour: str, blur: float
    ) -> None:
        # A blurred edge needs no more than the finished size.
        mask = Image.new("L", (self.width, self.height), 0)
        shape(ImageDraw.Draw(mask))
        red, green, blue, opacity = _rgba(colour)
        mask = mask.filter(ImageFilter.GaussianBlur(blur))
        mask = _map(mask, [round(level * opacity / 255) for level in range(256)])
        mask = resized(mask, self.image.size, Image.Resampling.BICUBIC)
        self.image.paste((red, green, blue), (0, 0, *self.image.size), mask)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def _scaled_box(box: Box) -> Box:
    left, top, right, bottom = box
    return (left * SCALE, top * SCALE, right * SCALE, bottom * SCALE)


def _bounds(points: Sequence[Point]) -> tuple[int, int, int, int]:
    across, down = [x for x, _ in points], [y for _, y in points]
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    return (
        round(left * SCALE),
        round(top * SCALE),
        max(round(right * SCALE), round(left * SCALE) + 1),
        max(round(bottom * SCALE), round(top * SCALE) + 1),
    )


def _size(box: tuple[int, int, int, int]) -> tuple[int, int]:
    return (box[2] - box[0], box[3] - box[1])


def _rgba(colour: str) -> tuple[int, int, int, int]:
    red, green, blue, *rest = ImageColor.getrgb(colour)
    return (red, green, blue, rest[0] if rest else 255)


def _between(stops: Stops, position: float) -> tuple[int, int, int, int]:
    """The colour of a gradient at a position from 0 to 1."""
    before, after = stops[0], stops[-1]
    for left, right in pairwise(stops):
        if left[0] <= position <= right[0]:
            before, after = left, right
            break
    width = after[0] - before[0]
    share = min(1.0, max(0.0, (position - before[0]) / width)) if width else 1.0
    low, high = _rgba(before[1]), _rgba(after[1])
    mixed = [round(a + (b - a) * share) for a, b in zip(low, high, strict=True)]
    return (mixed[0], mixed[1], mixed[2], mixed[3])


def resized(
    image: Image.Image,
    size: tuple[int, int],
    how: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """Return an image at another size in pixels."""
    # Pillow's own types name numpy, which is not installed here.
    return image.resize(size, how)  # pyright: ignore[reportUnknownMemberType]


def _map(image: Image.Image, table: list[int]) -> Image.Image:
    """Replace each of the 256 levels of a grey image."""
    return image.point(table)  # pyright: ignore[reportUnknownMemberType]
