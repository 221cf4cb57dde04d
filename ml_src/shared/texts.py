"""What a file that should be a CSV table really is, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ml_src.shared.failure import JobError

KINDS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"{": "JSON",
    b"[": "JSON",
    b"<": "XML or HTML",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_is_csv(file: Path, needed: Sequence[str]) -> list[str]:
    """Look at a file's beginning: text, a header, the needed columns, each once.

    Returns:
        The names in the header.

    Raises:
        JobError: saying what the file is, or which columns it lacks and which it has.
    """
    with file.open("rb") as opened:
        start = opened.read(1 << 16).removeprefix(BYTE_ORDER_MARK)
    if not start.strip():
        raise JobError(f"{file}: the file is empty; a CSV table with a header is needed")
    for beginning, kind in KINDS.items():
        if start.lstrip().startswith(beginning):
            raise JobError(f"{file}: not CSV but {kind}")
    if b"\0" in start:
        raise JobError(f"{file}: not CSV: byte 0 at position {start.index(0)}, so it is no text")
    header = start.splitlines()[0].decode("utf-8", errors="replace")
    names = [name.strip('"') for name in header.split(",")]
    lacking = [name for name in needed if name not in names]
    if lacking:
        raise JobError(
            f"{file}, line 1: missing column{'s' * (len(lacking) > 1)} "
            f"{', '.join(map(repr, lacking))}; the header has "
            f"{', '.join(map(repr, names[:30]))[:400]}"
        )
    twice = [name for name, count in Counter(names).items() if count > 1 and name in needed]
    if twice:
        raise JobError(f"{file}, line 1: column {twice[0]!r} stands there more than once")
    return names


def undecodable(file: Path) -> str | None:
    """Find the first line that is not UTF-8, in words; None when all are."""
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return (
                    f"{file}, line {number}: byte 0x{line[error.start]:02x} at position "
                    f"{error.start} is not UTF-8; save the table as UTF-8"
                )
    return None
