"""One OS process a job: started closed off, read line by line, ended surely."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

PROJECT = Path(__file__).resolve().parents[2]
# Without the environment's PYTHON* variables and without site-packages, for a quick start; the
# job's own environment is handed on as it is.
KEEPER = (
    f"import sys; sys.path.insert(0, {str(PROJECT)!r}); "
    "from rehearsal.sagemaker.keeper import main; sys.exit(main(sys.argv[1:]))"
)
CHUNK = 1 << 16
LONGEST_LINE = 200_000  # bytes; CloudWatch Logs takes events of up to 256 KiB
Lines = Callable[[list[str]], None]


class JobProcess:
    """A running process, and all that it starts.

    Args:
        command: program and arguments.
        environment: all that the process sees.
        folder: its working directory.
        on_lines: told its output, standard error included, in lines as they come; called from a
            thread of this object's own.
        on_end: called from that thread once all has ended and all output has been told.

    Attributes:
        status: its exit status (128 + number after a signal) once it has ended, before None.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        on_lines: Lines,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.status: int | None = None
        self._child = subprocess.Popen(
            [sys.executable, "-E", "-s", "-S", "-c", KEEPER, *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        self.pid = self._child.pid  # the keeper's
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._follow, args=(on_lines, on_end), daemon=True)
        self._reader.start()

    def terminate(self) -> None:
        """Send SIGTERM to the job's first process, and to that one only, as Docker does."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            cast("IO[bytes]", self._child.stdin).write(b"T")

    def kill(self) -> None:
        """End the job's processes, all of them, now."""
        with self._lock, contextlib.suppress(OSError):
            cast("IO[bytes]", self._child.stdin).close()

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for the end: the exit status, or None if time is up before."""
        self._reader.join(seconds)
        return self.status

    def _follow(self, on_lines: Lines, on_end: Callable[[], None]) -> None:
        try:
            self._read(on_lines)
        finally:
            status = self._child.wait()
            self.kill()  # our end of its line
            self.status = status if status >= 0 else 128 - status
            on_end()

    def _read(self, on_lines: Lines) -> None:
        output = cast("IO[bytes]", self._child.stdout)
        rest = b""
        while chunk := output.read(CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            lines = [part for line in whole for part in _cut(line)]
            if len(rest) >= LONGEST_LINE:
                *more, rest = _cut(rest)
                lines += more
            if lines:
                on_lines([_text(line) for line in lines])
        if rest:
            on_lines([_text(rest)])
        output.close()


def _cut(line: bytes) -> list[bytes]:
    """A line in parts that CloudWatch Logs takes."""
    return [line[at : at + LONGEST_LINE] for at in range(0, len(line), LONGEST_LINE)] or [line]


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="replace")
