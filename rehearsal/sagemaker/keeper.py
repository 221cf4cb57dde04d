"""Runs one job's first process, as a container's init would, and leaves nothing behind.

Started by processes.py with standard input as the line to the engine: a byte `T` asks for SIGTERM
to the job's first process; the end of input (the engine, or the whole server, is gone, however it
ended) kills everything at once. Once the first process has ended, whatever it has left behind is
killed, as with a container. Small on purpose: its start-up is part of every job's time.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

from rehearsal.supervisor import kill_descendants

NOT_FOUND = 127  # as a shell reports it
KILLED = 128 + signal.SIGKILL
# Linux's prctl: options 36 and 1.
PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG = 36, 1


def _prctl() -> "Callable[[int, int], int] | None":
    """Linux's prctl, by which orphans come back to us and children die with us; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return lambda option, value: int(library.prctl(option, value, 0, 0, 0))


def _listen(child: "subprocess.Popen[bytes]") -> None:
    while True:
        word = os.read(0, 1)
        if word == b"T":
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
        elif not word:
            kill_descendants(os.getpid())
            os._exit(KILLED)


def main(command: list[str]) -> int:
    """Run a command to its end and return its exit status (128 + number after a signal)."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the engine ends us
    prctl = _prctl()
    if prctl is not None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)

    def prepare() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    try:
        # One thread so far, so that code between fork and exec is safe.
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return NOT_FOUND
    threading.Thread(target=_listen, args=(child,), daemon=True).start()
    status = child.wait()
    kill_descendants(os.getpid())
    return status if status >= 0 else 128 - status
