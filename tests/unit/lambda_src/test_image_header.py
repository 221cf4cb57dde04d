import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_analysis.image_header import NOT_AN_IMAGE, read
from tests.unit.lambda_src.images import jpeg, png, segment

SIDES = st.integers(1, 65_535)


@given(SIDES, SIDES)
def test_sizes_of_both_formats(width: int, height: int):
    for data, name in ((png(width, height), "png"), (jpeg(width, height), "jpeg")):
        header = read(data)
        assert (header.format, header.width, header.height) == (name, width, height)


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCF])
def test_every_kind_of_frame(frame: int):
    assert read(jpeg(7, 9, frame=frame)).width == 7


def test_frame_after_metadata_tables_and_fill_bytes():
    before = segment(0xE1, b"\xff\xc0" * 30_000) + segment(0xC4, b"\0" * 20) + b"\xff\xff\xff"
    header = read(jpeg(7, 9, before=before))
    assert (header.width, header.height) == (7, 9)


def test_frame_beyond_what_was_read_is_unknown():
    data = jpeg(7, 9, before=segment(0xE2, b"\0" * 65_000) * 2)[:65_536]
    assert read(data) == read(b"\xff\xd8\xff")
    assert read(data).format == "jpeg" and read(data).width is None


def test_jpeg_height_that_follows_the_scan_is_unknown():
    assert read(jpeg(7, 0)).height is None


@given(st.binary(max_size=300))
def test_broken_files_never_raise(tail: bytes):
    for head in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x20ftyp", b"RIFF", b"BM"):
        read(head + tail)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a" + b"\0" * 9, "GIF"),
        (b"GIF87a", "GIF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"RIFF\x24\0\0\0WAVEfmt ", NOT_AN_IMAGE),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0miafavif", "AVIF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", NOT_AN_IMAGE),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0", "BMP"),
        (b"BM, said the text, is no bitmap", NOT_AN_IMAGE),
        (b"%PDF-1.7", "PDF"),
        (b"just a text, named .jpg", NOT_AN_IMAGE),
        (b"", NOT_AN_IMAGE),
    ],
)
def test_other_formats_are_named(data: bytes, name: str):
    header = read(data)
    assert (header.format, header.name) == (None, name)
