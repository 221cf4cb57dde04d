"""Format and size in pixels, read from the first bytes of a file.

Only headers are read, so a file may still turn out broken later. EXIF orientation is of no
interest here: turning an image swaps its sides, and the limits are the same for both.
"""

from dataclasses import dataclass

NOT_AN_IMAGE = "not an image"

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_MAGIC = (
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"%PDF-", "PDF"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_HEIF_BRANDS = (b"mif1", b"msf1", b"mif2")

# Start-of-frame markers: C0 to CF but for C4 (tables), C8 (reserved) and CC (conditioning).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers that stand alone, with no length behind them: TEM, RST0 to RST7, SOI.
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN_OR_END = frozenset({0xD9, 0xDA})


@dataclass(frozen=True)
class Header:
    """What the first bytes say.

    format: "jpeg", "png" or None for anything else. name: the format's name for people, or
    "not an image". width, height: pixels, None where these bytes do not say.
    """

    format: str | None
    name: str
    width: int | None = None
    height: int | None = None


def read(head: bytes) -> Header:
    """Return what `head`, the first bytes of a file (65,536 are plenty), says of it."""
    if head.startswith(_JPEG):
        return Header("jpeg", "JPEG", *_jpeg_size(head))
    if head.startswith(_PNG):
        return Header("png", "PNG", *_png_size(head))
    return Header(None, _other(head))


def _png_size(head: bytes) -> tuple[int | None, int | None]:
    # "PNG specification", 11.2.2: IHDR comes first, width and height in 4 bytes each.
    if head[12:16] != b"IHDR" or len(head) < 24:
        return None, None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _jpeg_size(head: bytes) -> tuple[int | None, int | None]:
    # ITU T.81, B.1.1: segments of marker, two bytes of length (these two counted), data.
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _FRAMES:
            return _frame_size(head, at)
        if marker in _SCAN_OR_END:
            break
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None, None


def _frame_size(head: bytes, at: int) -> tuple[int | None, int | None]:
    height = int.from_bytes(head[at + 5 : at + 7], "big")
    width = int.from_bytes(head[at + 7 : at + 9], "big")
    # A height of 0 means that it follows the first scan (ITU T.81, B.2.5): not known here.
    return width or None, height or None


def _other(head: bytes) -> str:
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    # Two letters are a weak mark: four reserved bytes of zero must follow the file's size.
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "BMP"
    if head[4:8] == b"ftyp":
        return _heif(head)
    return NOT_AN_IMAGE


def _heif(head: bytes) -> str:
    # ISO/IEC 14496-12, 4.3: major brand, version, then compatible brands up to the box's end.
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    if any(each in _AVIF_BRANDS for each in brands):
        return "AVIF"
    if any(each in _HEIC_BRANDS or each in _HEIF_BRANDS for each in brands):
        return "HEIC"
    return NOT_AN_IMAGE
