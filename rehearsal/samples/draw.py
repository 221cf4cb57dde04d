"""Draw the sample pictures of the rehearsal: `python -m rehearsal.samples.draw`.

The pictures are illustrations of our own, drawn with Pillow from fixed seeds, so nothing in
this repository shows a real person or place. Their scripted answers (`*.rekognition.json`)
are written by hand and are not touched by this script.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from PIL import Image

from rehearsal.samples.drawing import casino, market, outdoors, sensitive, shelves, tables
from rehearsal.samples.drawing.canvas import Canvas, resized

HOME = Path(__file__).parent
FOLDER = HOME / "moderation"

PICTURES: dict[str, Callable[[], Canvas]] = {
    "beach.jpg": outdoors.beach,
    "skyline.png": outdoors.skyline,
    "birthday.jpg": tables.birthday,
    "fireworks.jpg": outdoors.fireworks,
    "cafe.jpg": tables.cafe,
    "cigarette.jpg": sensitive.cigarette,
    "casino.jpg": casino.casino,
    "pistol.jpg": sensitive.pistol,
}

VISION: dict[str, Callable[[], Canvas]] = {
    "market.jpg": market.market,
    "notice.png": market.notice,
    "shaken.jpg": market.blurred,
}

RETAIL: dict[str, Callable[[], Canvas]] = {
    "drinks-left.jpg": shelves.left,
    "drinks-right.jpg": shelves.right,
    "snacks-shaken.jpg": shelves.blurred,
}

SHOPPING_LIST = "Shopping list\n\n- bread\n- two lemons\n- film for the camera\n"


def draw(folder: Path = FOLDER, only: Collection[str] = ()) -> list[Path]:
    """Draw samples into a folder and return the files written.

    Args:
        folder: where to write; made if it is missing.
        only: names of the pictures to draw; every one when empty.
    """
    return [*draw_pictures(folder, PICTURES, only), *_unusable(folder)]


def draw_pictures(
    folder: Path, scenes: Mapping[str, Callable[[], Canvas]], only: Collection[str] = ()
) -> list[Path]:
    """Draw scenes into a folder and return the files written.

    Args:
        folder: where to write; made if it is missing.
        scenes: by file name.
        only: names of the pictures to draw; every one when empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in only or scenes:
        path = folder / name
        _save(scenes[name]().finish(), path)
        written.append(path)
    return written


def _save(picture: Image.Image, path: Path) -> None:
    if path.suffix == ".png":
        picture.save(path, optimize=True)
    else:
        # One progressive file among the baseline ones: both are common in uploads.
        picture.save(path, quality=88, optimize=True, progressive=path.stem == "fireworks")


def _unusable(folder: Path) -> list[Path]:
    """Write the files that look like images and cannot be analysed."""
    text = folder / "shopping-list.jpg"
    text.write_text(SHOPPING_LIST, encoding="utf-8")
    small = folder / "thumbnail.png"
    resized(outdoors.beach().finish().crop((542, 0, 942, 400)), (50, 50)).save(small, optimize=True)
    moving = folder / "blinking.gif"
    frames = [_dot(radius) for radius in (40, 52, 64, 52)]
    frames[0].save(moving, save_all=True, append_images=frames[1:], duration=180, loop=0)
    return [text, small, moving]


def _dot(radius: int) -> Image.Image:
    canvas = Canvas(200, 200)
    canvas.rectangle((0, 0, 200, 200), "#fdf3dc")
    canvas.circle((100, 100), radius, "#e2574c")
    return canvas.finish().quantize(16)


def main() -> None:
    """Draw the samples from the command line and say what was written."""
    parser = argparse.ArgumentParser(description="Draw the sample pictures of the rehearsal.")
    parser.add_argument("--output", type=Path, default=HOME, help="folder of the groups")
    output = parser.parse_args().output
    written = [
        *draw(output / "moderation"),
        *draw_pictures(output / "vision", VISION),
        *draw_pictures(output / "retail", RETAIL),
    ]
    for path in written:
        print(f"{path}  {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
