"""Input channels of a training job."""

from __future__ import annotations

from dataclasses import dataclass

CSV = "text/csv"
LIBSVM = "text/libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
PLAIN = "text/plain"


@dataclass(frozen=True)
class Channel:
    """One channel.

    Attributes:
        name: As the job's input is called.
        required: Whether a job needs it.
        content_types: What it reads, the best choice first; empty: whatever the script reads.
        replicated: Whether each instance must get all of it (``FullyReplicated``).
    """

    name: str
    required: bool = False
    content_types: tuple[str, ...] = ()
    replicated: bool = False
