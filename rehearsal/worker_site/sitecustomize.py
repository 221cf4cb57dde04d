"""Runs first in every Lambda worker: makes the process behave as Lambda's Python runtime does.

It stands alone (a worker sees neither the rehearsal nor the project) and imports little, since a
cold start pays for it.

* Log records go to stderr in Lambda's own layouts, which the embedded AWS forwards to CloudWatch
  Logs ("Log and monitor Python Lambda functions", AWS Lambda Developer Guide).
* A worker whose server is gone ends itself, even in the middle of a handler.
* Variables of the embedded AWS itself are hidden from the handler.
* A mark on stderr says where the lines of one invocation end.
"""

import json
import logging
import os
import sys
import threading
import time
from typing import Any

END_OF_INVOCATION = "\x1eend of invocation\x1e"
_PARENT_POLL_SECONDS = 0.25
_current = {"request_id": "-"}


def _watch_server(server: int) -> None:
    while os.getppid() == server:
        time.sleep(_PARENT_POLL_SECONDS)
    os._exit(1)  # not sys.exit: the handler's thread must not be waited for


class _Requests:
    """Stands before stdin: remembers the id of the request that the worker's loop reads."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readline(self) -> str:
        line: str = self._stream.readline()
        # The envelope names the id after the event, so the last one is the right one.
        start = line.rfind('"request_id": "')
        if start >= 0:
            _current["request_id"] = line[start + 15 : line.index('"', start + 15)]
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Answers:
    """Stands before stdout: marks the end of an invocation's log lines before the answer."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if not text.startswith('{"status": "ready"'):  # the end of the start is no invocation's
            sys.stderr.write(END_OF_INVOCATION + "\n")
            sys.stderr.flush()
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Text(logging.Formatter):
    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        record.aws_request_id = _current["request_id"]
        return super().format(record)


class _Json(_Text):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": _current["request_id"],
        }
        if record.exc_info:
            entry["stackTrace"] = self.formatException(record.exc_info).splitlines()
        return json.dumps(entry)


def _configure_logging() -> None:
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(_Json())
    else:
        handler.setFormatter(
            _Text(
                "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
                "%Y-%m-%dT%H:%M:%S",
            )
        )
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    if level:
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))


def _start(server: int) -> None:
    for name in filter(None, os.environ.pop("REHEARSAL_HIDDEN", "").split(",")):
        os.environ.pop(name, None)
    threading.Thread(target=_watch_server, args=(server,), daemon=True).start()
    _configure_logging()
    sys.stdin = _Requests(sys.stdin)  # type: ignore[assignment]
    sys.stdout = _Answers(sys.stdout)  # type: ignore[assignment]


# Only a worker has both variables: they are taken out here, so no child of a handler's has them.
if "REHEARSAL_SERVER_PID" in os.environ:
    _start(int(os.environ.pop("REHEARSAL_SERVER_PID")))
