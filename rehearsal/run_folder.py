"""Run folders: one a server, locked while it lives, swept when it is gone.

The lock is an advisory lock (flock) on a file in the folder, held by the server process. The
kernel lets go of it however the process ends, so a folder whose lock can be taken is stale. A
folder is made under another name and gets its own once it is locked, so nobody who sweeps at that
moment takes it for stale.
"""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

from rehearsal.errors import RehearsalError

LOCK = "lock"
READY, UNREADY = "run-", "new-"
UNREADY_SECONDS = 600  # to make a folder takes milliseconds


def base_folder() -> Path:
    """The folder that holds all run folders of this user, made if absent, closed to other users."""
    base = Path(tempfile.gettempdir()) / f"sagelens-rehearsal-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    status = base.lstat()
    if base.is_symlink() or status.st_uid != os.getuid():
        raise RehearsalError(
            f"{base} belongs to another user or is a link; "
            "remove it or set TMPDIR to another folder"
        )
    return base


def create() -> tuple[Path, int]:
    """Make a run folder and lock it.

    Returns:
        the folder and the descriptor that holds the lock; hand it to the server, then close it.
    """
    unready = Path(tempfile.mkdtemp(prefix=UNREADY, dir=base_folder()))
    descriptor = os.open(unready / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for name in ("home", "tmp"):
        (unready / name).mkdir()
    return unready.rename(unready.with_name(READY + unready.name.removeprefix(UNREADY))), descriptor


def is_alive(folder: Path) -> bool:
    """Whether the server that owns this run folder still lives (its lock is held)."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def sweep() -> list[Path]:
    """Remove every run folder whose server is gone; return the folders removed."""
    removed: list[Path] = []
    # One without its lock file is a leftover too: of a removal that was cut short.
    stale = [folder for folder in base_folder().glob(f"{READY}*") if not is_alive(folder)]
    stale += [folder for folder in base_folder().glob(f"{UNREADY}*") if _old(folder)]
    for folder in stale:
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(folder)
    return removed


def _old(folder: Path, seconds: float = UNREADY_SECONDS) -> bool:
    try:
        return folder.stat().st_mtime < time.time() - seconds
    except OSError:
        return False
