"""What the framework containers have in common: they run a script of yours."""

from __future__ import annotations

from .algorithm import InputMode
from .channel import Channel

CHANNELS = (
    Channel("train", required=True),
    Channel("validation"),
    Channel("test"),
)
"""The usual channels. A script may have others, and reads each from SM_CHANNEL_<NAME>."""

INPUT_MODES: tuple[InputMode, ...] = ("File", "FastFile", "Pipe")
"""A folder of files, the same without waiting for the download, or a stream."""
