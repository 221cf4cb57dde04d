"""Read what SageMaker's data capture wrote: JSON Lines below `<endpoint>/<variant>/yyyy/mm/dd/hh/`.

One line ("Data capture", "Capture data from real-time endpoint"):

    {"captureData": {
       "endpointInput":  {"observedContentType": "text/csv", "mode": "INPUT",
                          "data": "…", "encoding": "CSV"},
       "endpointOutput": {"observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT",
                          "data": "0.027", "encoding": "CSV"}},
     "eventMetadata": {"eventId": "…", "inferenceId": "…", "inferenceTime": "2026-01-31T17:25:49Z"},
     "eventVersion": "0"}

`encoding` is CSV, JSON or BASE64; either side may be absent, as the capture's options say;
`inferenceId` stands there only where the caller gave one, and then names the request to labels
("Ingest Ground Truth labels and merge them with predictions").

Nothing is lost silently: each line ends as rows, or is counted with a reason under `Seen`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ml_src.shared.drift.adapter import Adapter
from ml_src.shared.failure import JobError

SUFFIX = ".jsonl"
SHOWN = 5  # examples kept of each kind of problem

# What may be wrong with a line, in the report's words.
BAD_LINE, REFUSED, BAD_ANSWER = "bad lines", "refused requests", "unusable answers"


@dataclass
class Seen:
    """What the files held.

    lines: without empty ones. requests: lines that gave at least rows or predictions.
    problems, examples: by kind, how many and the first few in words, with file and line.
    outside: requests before or after the window asked for.
    first, last: the earliest and latest inference time of the requests used.
    """

    files: int = 0
    other_files: int = 0
    lines: int = 0
    requests: int = 0
    rows: int = 0
    outside: int = 0
    first: str = ""
    last: str = ""
    problems: dict[str, int] = field(default_factory=dict[str, int])
    examples: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def problem(self, kind: str, where: str, error: object, requests: int = 1) -> None:
        """Count a problem, and keep it in words while few of its kind are kept."""
        self.problems[kind] = self.problems.get(kind, 0) + requests
        kept = self.examples.setdefault(kind, [])
        if len(kept) < SHOWN:
            kept.append(f"{where}: {' '.join(str(error).split())[:300]}")

    def counted(self, kind: str) -> int:
        """Give the number of problems of a kind."""
        return self.problems.get(kind, 0)

    def time(self, text: str) -> None:
        """Widen the span of inference times; ISO 8601 in UTC sorts as text."""
        if text > self.last:
            self.last = text
        if text and (not self.first or text < self.first):
            self.first = text


@dataclass(frozen=True)
class Window:
    """The inference times to look at: from `since` on, before `until`; None for no end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, text: str) -> bool:
        """Say whether a time lies in the window; raises `ValueError` when it is no time."""
        if self.since is None and self.until is None:
            return True
        moment = instant(text)
        after = self.since is None or moment >= self.since
        return after and (self.until is None or moment < self.until)


def instant(text: str) -> datetime:
    """Read an ISO 8601 time; without a zone it is UTC. Raises `ValueError` when it is none."""
    moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in "Zz" else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)  # noqa: UP017 (3.10)


@dataclass(frozen=True)
class Request:
    """One captured request: its rows, None where the input was not captured, and predictions.

    A prediction is NaN for a row of which the model said that it foretells nothing.
    """

    where: str
    key: str
    time: str
    rows: Sequence[Any] | None
    predictions: Sequence[float] | None

    def __len__(self) -> int:
        return len(self.rows if self.rows is not None else self.predictions or ())


def requests(folder: Path, adapter: Adapter, seen: Seen, window: Window) -> Iterator[Request]:
    """Read all captured requests below a folder, in the order of the files' names.

    Raises:
        JobError: there is no such folder.
    """
    if not folder.is_dir():
        raise JobError(f"{folder}: no such folder; --captured takes the capture's files")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.suffix != SUFFIX:
            seen.other_files += 1
            continue
        seen.files += 1
        name = file.relative_to(folder)
        with file.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                if line.strip():
                    seen.lines += 1
                    request = _request(line, f"{name}, line {number}", adapter, seen, window)
                    if request is not None:
                        yield request


def _request(
    line: bytes, where: str, adapter: Adapter, seen: Seen, window: Window
) -> Request | None:
    try:
        record = json.loads(line)
        data, about = record["captureData"], record["eventMetadata"]
        key = about.get("inferenceId") or about["eventId"]
        time = about.get("inferenceTime") or ""
        asked, answered = _side(data, "endpointInput"), _side(data, "endpointOutput")
        if asked is None and answered is None:
            raise ValueError("neither endpointInput nor endpointOutput")
        if not isinstance(key, str) or not isinstance(time, str):
            raise ValueError("eventId, inferenceId and inferenceTime are texts")
        inside = window.holds(time)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        seen.problem(BAD_LINE, where, _told(error))
        return None
    if not inside:
        seen.outside += 1
        return None
    rows = predictions = None
    if asked is not None:
        try:
            rows = adapter.parse(*asked)
        except ValueError as error:
            seen.problem(REFUSED, where, error)
            return None
    if answered is not None:
        predictions = _predictions(answered, rows, where, adapter, seen)
    if not rows and not predictions:
        return None  # its answer alone was captured, and counted as unusable
    return Request(where, key, time, rows, predictions)


def _side(data: Mapping[str, Any], name: str) -> tuple[str | bytes, str | None] | None:
    """Give a side's body and content type, None where it was not captured."""
    side = data.get(name)
    if side is None:
        return None
    body, encoding, kind = side["data"], side.get("encoding"), side.get("observedContentType")
    if encoding == "BASE64":
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise ValueError(f"{name} is not base64: {error}") from error
    elif encoding == "JSON":
        body, kind = body if isinstance(body, str) else json.dumps(body), kind or "application/json"
    elif encoding == "CSV":
        kind = kind or "text/csv"
    else:
        raise ValueError(f"{name}'s encoding is {encoding!r}; known are CSV, JSON, BASE64")
    if not isinstance(body, str | bytes):
        raise ValueError(f"{name}'s data is no text")
    return body, kind


def _predictions(
    answered: tuple[str | bytes, str | None],
    rows: Sequence[Any] | None,
    where: str,
    adapter: Adapter,
    seen: Seen,
) -> Sequence[float] | None:
    try:
        found = adapter.predictions(*answered)
        if rows is not None and len(found) != len(rows):
            raise ValueError(f"{len(found)} predictions for {len(rows)} rows")
        if not all(value is None or math.isfinite(value) for value in found):
            raise ValueError("a prediction is not finite")
    except ValueError as error:
        seen.problem(BAD_ANSWER, where, error)
        return None
    return [math.nan if value is None else value for value in found]


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error.args[0]!r}: not a capture record"
    if isinstance(error, TypeError | AttributeError):
        return "not a capture record"
    return str(error)
