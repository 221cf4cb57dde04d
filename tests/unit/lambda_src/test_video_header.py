import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.samples.catalogue import load
from shared.errors import Unusable
from tests.unit.lambda_src.videos import box, mp4
from video_analysis import gate, video_header
from video_analysis.gate import Video
from video_analysis.video_header import Header


@pytest.mark.parametrize(
    ("start", "header"),
    [
        (mp4(), Header("mp4", "avc1")),
        (mp4(b"hvc1"), Header("mp4", "hvc1")),
        (mp4(b"apcn", b"qt  "), Header("mov", "apcn")),
        (mp4(early=False), Header("mp4", "avc1")),
        (mp4(early=False)[:100], Header("mp4", None)),  # `moov` lies beyond what was read
        (box(b"wide") + mp4()[16:], Header("mov", "avc1")),
        (b"RIFF\x00\x00\x00\x00AVI LIST", Header("avi", None)),
        (b"\x1a\x45\xdf\xa3 matroska", Header(None, None)),
        (b"", Header(None, None)),
    ],
)
def test_headers(start: bytes, header: Header):
    found = video_header.read(start)
    assert (found.container, found.codec) == (header.container, header.codec)


def test_real_files():
    codecs = [video_header.read(sample.content[:65_536]).codec for sample in load("video")]
    assert codecs == ["avc1", "avc1", "mp4v"]


@given(st.binary(max_size=300), st.integers(0, 400))
def test_nothing_that_arrives_breaks_it(noise: bytes, place: int):
    whole = mp4()
    video_header.read(whole[:place] + noise + whole[place:])
    video_header.read(noise)


def test_the_gate_lets_pass_what_it_does_not_know():
    for codec in ("avc1", "avc3", "encv", None):
        gate.check(Video(1, "e", Header("mp4", codec)))


@pytest.mark.parametrize(
    ("video", "code"),
    [
        (Video(1, "e", Header(None, None)), "unsupported_format"),
        (Video(10 * 1024**3 + 1, "e", Header("mp4", "avc1")), "too_large"),
        (Video(1, "e", Header("mp4", "hvc1")), "unsupported_codec"),
    ],
)
def test_the_gate_says_why_not(video: Video, code: str):
    with pytest.raises(Unusable) as raised:
        gate.check(video)
    assert raised.value.code == code
