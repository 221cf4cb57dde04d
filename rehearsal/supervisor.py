"""Runs one command and ends it, with all that it has started, once its own parent is gone.

Used as a program, by its path, with standard input as the sign of life: a pipe whose other end the
parent holds. The kernel closes that end however the parent ends, also after SIGKILL, and the same
way works on Linux and macOS. To kill the process group would not be enough: the CDK CLI and the
application may put what they start into other groups.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

PROC = Path("/proc")
ROUNDS = 50  # enough for a tree that grows while it is being stopped


def parents() -> dict[int, int]:
    """The parent of every process, by process id: from /proc, or from ps where there is none."""
    if (PROC / "self" / "stat").exists():
        return _parents_from_proc()
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return {int(child): int(parent) for child, parent in pairs}


def _parents_from_proc() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # "pid (name) state ppid …"; the name may contain anything.
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                found[int(folder.name)] = int(fields[1])
    return found


def descendants(root: int) -> set[int]:
    """Every process below `root`, in whatever group or session it is."""
    parent_of = parents()
    found: set[int] = set()
    newest = {root}
    while newest:
        newest = {pid for pid, parent in parent_of.items() if parent in newest} - found
        found |= newest
    return found


def kill_descendants(root: int) -> None:
    """Kill every process below `root`.

    Each is stopped first: one that is killed while its children go on would leave them to the
    init process, where nobody finds them any more.
    """
    stopped: set[int] = set()
    for _ in range(ROUNDS):
        fresh = descendants(root) - stopped
        if not fresh:
            break
        _signal(fresh, signal.SIGSTOP)
        stopped |= fresh
    _signal(stopped, signal.SIGKILL)


def _signal(processes: set[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _watch(ending: threading.Event) -> None:
    """Wait for the end of standard input, then leave nothing."""
    while os.read(0, 1024):
        pass
    ending.set()
    kill_descendants(os.getpid())
    if os.getpgrp() == os.getpid():  # our own group: what of it has lost its parent before
        os.killpg(0, signal.SIGKILL)
    os._exit(128 + signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run a command to its end and return its exit status (128 + number after a signal)."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    ending = threading.Event()
    watcher = threading.Thread(target=_watch, args=(ending,), daemon=True)
    watcher.start()
    status = child.wait()
    if ending.is_set():  # it was killed, and others are being killed still
        watcher.join()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
