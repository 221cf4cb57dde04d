"""A folder that is copied to S3 while a job writes to it: checkpoints, and continuous outputs.

("Checkpoints in Amazon SageMaker AI"; S3UploadMode Continuous, "ProcessingS3Output".) No event
tells portably that a file has changed, so the folder is looked through a few times a second. A file
goes when two looks have found it the same; what is deleted stays in S3.
"""

import threading
from pathlib import Path
from typing import Any

from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.transfers import UploadError, put

SECONDS = 0.2
Look = dict[Path, tuple[int, int]]  # size, time of the last change in nanoseconds


class Mirror:
    """Copies a folder until it is closed.

    Args:
        s3: a client of the job's role.
        folder: to copy; it need not be there yet.
        target: the prefix.
        key: of AWS KMS, or None.

    Attributes:
        error: the first refusal of S3, or None.
    """

    def __init__(self, s3: Any, folder: Path, target: Location, key: str | None = None) -> None:
        self.error: UploadError | None = None
        self._s3 = s3
        self._folder = folder
        self._target = target
        self._key = key
        self._sent: Look = _look(folder)  # what lies there at the start came from S3
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Copy what is left and end."""
        self._end.set()
        self._thread.join()
        self._send(_look(self._folder))

    def abandon(self) -> None:
        """End without another copy."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        before: Look = {}
        while not self._end.wait(SECONDS):
            look = _look(self._folder)
            self._send({path: mark for path, mark in look.items() if before.get(path) == mark})
            before = look

    def _send(self, look: Look) -> None:
        for path, mark in look.items():
            if self._sent.get(path) == mark or self.error is not None:
                continue
            name = path.relative_to(self._folder).as_posix()
            try:
                put(self._s3, path, self._target.below(name), self._key)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except UploadError as error:
                self.error = error
                return
            self._sent[path] = mark


def _look(folder: Path) -> Look:
    found: Look = {}
    for path in folder.rglob("*") if folder.is_dir() else ():
        try:
            status = path.stat()
        except OSError:
            continue
        if path.is_file():
            found[path] = (status.st_size, status.st_mtime_ns)
    return found
