"""The server process as its parent sees it: started, waited for, ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rehearsal import run_folder
from rehearsal.environment import server_environment
from rehearsal.errors import RehearsalError

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 15.0  # then SIGKILL; a kind end takes less than a second on an idle machine
POLL_SECONDS = 0.02


def spawn(
    folder: Path,
    lock: int,
    port: int,
    region: str,
    samples: Sequence[Path],
    detach: bool,
    log: Path,
) -> "subprocess.Popen[bytes]":
    """Start a server in its run folder, with a clean environment and the lock of the folder."""
    command = [sys.executable, "-m", "rehearsal.server"]
    command += ["--run-folder", str(folder), "--port", str(port), "--lock", str(lock)]
    command += ["--parent", str(0 if detach else os.getpid())]
    for sample in samples:
        command += ["--samples", str(Path(sample).resolve())]
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=server_environment(folder, region, PROJECT),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            # A group of its own: Ctrl-C is for whoever started it, and all can be ended at once.
            start_new_session=True,
        )


def wait_until_ready(child: "subprocess.Popen[bytes]", folder: Path, log: Path) -> dict[str, int]:
    """Wait for ready.json and return it; RehearsalError with the end of the log if it fails."""
    deadline = time.monotonic() + START_SECONDS
    ready = folder / "ready.json"
    while time.monotonic() < deadline:
        if ready.exists():
            return json.loads(ready.read_text(encoding="utf-8"))
        if child.poll() is not None:
            break
        time.sleep(POLL_SECONDS)
    how = "did not answer in time" if child.poll() is None else f"ended with {child.returncode}"
    end = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
    raise RehearsalError(f"the embedded AWS {how}. The end of its log:\n{end}")


def end(pid: int, child: "subprocess.Popen[bytes] | None", folder: Path | None = None) -> None:
    """End a server: SIGTERM, a bounded wait, then SIGKILL for the server's whole process group."""
    if _gone(child, folder):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if _gone(child, folder):
            return
        time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if child is not None:
        child.wait(timeout=STOP_SECONDS)


def _gone(child: "subprocess.Popen[bytes] | None", folder: Path | None) -> bool:
    if child is not None:
        return child.poll() is not None
    return folder is None or not run_folder.is_alive(folder)
