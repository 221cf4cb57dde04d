"""What the first bytes of a video file tell: its container and, often, its codec.

MP4 and MOV are made of boxes, each with its length and type ("ISO base media file format", ISO/IEC
14496-12; "QuickTime File Format", Apple). The codec stands in moov → trak → mdia → minf → stbl →
stsd. Where `moov` comes at the end of the file, as cameras write it, the codec is not known here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MOV_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
_TO_CODEC = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
# "hdlr" of a track: version and flags, pre_defined, then the kind of its media.
_KIND_AT = 8
# "stsd": version and flags, number of entries, then the first entry's length.
_ENTRY_AT = 8
_FEWEST = 8  # bytes of a box: its length and its type


@dataclass(frozen=True)
class Header:
    """A container (`mp4`, `mov`, `avi`, or None for what is none of these) and the video codec's
    four characters, None where the first bytes do not tell."""

    container: str | None
    codec: str | None


def read(start: bytes) -> Header:
    """Return what the first bytes of a file say."""
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return Header("avi", None)
    if start[4:8] not in _MOV_BOXES:
        return Header(None, None)
    is_mov = start[4:8] != b"ftyp" or start[8:12] == b"qt  "
    return Header("mov" if is_mov else "mp4", _codec(start))


def _codec(start: bytes) -> str | None:
    for moov in _boxes(start, b"moov"):
        for track in _boxes(moov, b"trak"):
            for media in _boxes(track, b"mdia"):
                if any(_is_video(each) for each in _boxes(media, b"hdlr")):
                    return next(_entries(media), None)
    return None


def _is_video(handler: bytes) -> bool:
    return handler[_KIND_AT : _KIND_AT + 4] == b"vide"


def _entries(media: bytes) -> Iterator[str]:
    """The codecs of a track's media, of which the first is the one that matters."""
    inner = [media]
    for name in _TO_CODEC[_TO_CODEC.index(b"minf") :]:
        inner = [content for each in inner for content in _boxes(each, name)]
    for content in inner:
        code = content[_ENTRY_AT + 4 : _ENTRY_AT + 8]
        if len(code) == 4 and code.isascii():
            yield code.decode("ascii")


def _boxes(content: bytes, wanted: bytes) -> Iterator[bytes]:
    """The contents of the boxes of one type; the last one may be cut off."""
    place = 0
    while place + _FEWEST <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        header = _FEWEST
        if length == 1 and place + 16 <= len(content):  # a length of 64 bits follows
            (length,) = struct.unpack_from(">Q", content, place + _FEWEST)
            header = 16
        end = len(content) if length == 0 else place + length  # 0: to the end of the file
        if end < place + header:
            return  # no box has such a length
        if name == wanted:
            yield content[place + header : end]
        place = end
