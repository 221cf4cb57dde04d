"""A picture with its faces blurred. Pure: bytes in, bytes out.

"Bounding boxes" and "Image orientation" in the Amazon Rekognition developer guide: boxes are shares
of the picture as it is shown once a JPEG is turned as its EXIF data say; those of a PNG are not
turned. So a JPEG is turned before its faces are blurred, a PNG afterwards.
"""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageFile, ImageOps

Box = Mapping[str, Any]

# DetectFaces finds the 100 largest faces: where there are as many there may be more.
MOST_FACES = 100
# A face is larger than its box: hair, ears and chin go beyond it by so many of its sides.
MARGIN = 0.15
# So few dots are left of a box's longer side, averaged: nothing of a face can be got back.
DOTS = 6
MOST_PIXELS = 10_000 * 10_000
QUALITY = 85
ORIENTATION = 0x0112

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Rekognition reads images that end too soon, and so do people's browsers.
ImageFile.LOAD_TRUNCATED_IMAGES = True


class NotAPicture(Exception):
    """Pillow cannot read the bytes."""


def blurred(data: bytes, boxes: Sequence[Box], longest_side: int) -> bytes:
    """Return a JPEG of the picture with what lies in `boxes` blurred beyond recognition.

    boxes: left, top, width and height as shares of the picture; they may reach beyond it.
    longest_side: pixels that the copy has at most. Nothing but dots is taken over: no EXIF data,
    place, comment, preview or colour profile (colours are converted to sRGB).

    Raises NotAPicture.
    """
    try:
        image, turn = _opened(data, longest_side)
    except Image.DecompressionBombError as error:
        raise NotAPicture("more pixels than Amazon Rekognition takes") from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files
        raise NotAPicture(type(error).__name__) from error
    everywhere = {"left": 0, "top": 0, "width": 1, "height": 1}
    for box in boxes if len(boxes) < MOST_FACES else (everywhere,):
        _blur(image, box)
    return _jpeg(_turned(image, turn))


def _opened(data: bytes, longest_side: int) -> tuple[Image.Image, int]:
    """The picture as its boxes see it, and how it is still to be turned (an EXIF orientation)."""
    with Image.open(BytesIO(data)) as file:
        turn = int(file.getexif().get(ORIENTATION, 1))
        # A JPEG can be read smaller than it is, which saves time and memory.
        file.draft(None, (longest_side, longest_side))
        image = _plain(file)
        is_turned_first = file.format == "JPEG"
    image.thumbnail((longest_side, longest_side))
    return (_turned(image, turn), 1) if is_turned_first else (image, turn)


def _plain(file: Image.Image) -> Image.Image:
    """The dots alone, in sRGB, transparency on white."""
    profile: bytes | None = file.info.get("icc_profile")
    image: Image.Image = file
    if file.mode in ("RGBA", "LA", "PA", "P") or "transparency" in file.info:
        image = Image.new("RGBA", file.size, "white")
        image.alpha_composite(file.convert("RGBA"))
        image = image.convert("RGB")
    elif file.mode.startswith("I"):  # 16 bits
        image = Image.eval(file.convert("F"), lambda value: value / 256).convert("L")
    if profile:
        image = _in_srgb(image, profile)
    plain = Image.new("RGB", image.size)
    plain.paste(image.convert("RGB"))
    return plain


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    cms: Any = ImageCms
    try:
        source = cms.ImageCmsProfile(BytesIO(profile))
        srgb = cms.createProfile("sRGB")
        return cms.profileToProfile(image, source, srgb, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile: colours a little off


def _turned(image: Image.Image, turn: int) -> Image.Image:
    if turn == 1:
        return image
    image.getexif()[ORIENTATION] = turn
    return ImageOps.exif_transpose(image)


def _blur(image: Image.Image, box: Box) -> None:
    area = _area(image.size, box)
    if area is None:
        return
    part = image.crop(area)
    scale = DOTS / max(part.size)
    dots = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    few = part.resize(dots, Image.Resampling.BOX)
    image.paste(few.resize(part.size, Image.Resampling.BILINEAR), area[:2])


def _area(size: tuple[int, int], box: Box) -> tuple[int, int, int, int] | None:
    """The pixels of a box with its margin, whole ones, inside the picture; None outside of it."""
    wide, high = size
    left, top, width, height = (float(box[name]) for name in ("left", "top", "width", "height"))
    area = (
        max(0, math.floor((left - MARGIN * width) * wide)),
        max(0, math.floor((top - MARGIN * height) * high)),
        min(wide, math.ceil((left + (1 + MARGIN) * width) * wide)),
        min(high, math.ceil((top + (1 + MARGIN) * height) * high)),
    )
    return area if area[0] < area[2] and area[1] < area[3] else None


def _jpeg(image: Image.Image) -> bytes:
    # Saving writes what `info` still holds; a picture made anew holds nothing.
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    content = BytesIO()
    clean.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()
