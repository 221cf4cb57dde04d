"""Starts the process of an MLflow app, talks to it, ends it."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 60.0  # the first answer waits for imports and for the tables
END_SECONDS = 5.0
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class MlflowProcess:
    """One MLflow server with a database of its own, on a socket in a folder closed to others.

    Args:
        folder: for its database, socket and log; made if absent.
        artifacts: S3 URL where artifacts belong.
        variables: for its calls to AWS: endpoint, Region, credentials of the app's role.
    """

    def __init__(self, folder: Path, artifacts: str, variables: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        # Relative, since a socket's path may have about a hundred characters only.
        self._socket = os.path.relpath(folder / "s")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self._socket)
        listener.listen(128)
        try:
            with (folder / "mlflow.log").open("ab") as log:
                self._child = self._start(listener.fileno(), artifacts, variables, log)
        finally:
            # Only the process holds it now: once it is gone, connecting is refused.
            listener.close()
        (folder / "pid").write_text(str(self._child.pid))

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "mlflow.db"

    def _start(
        self, descriptor: int, artifacts: str, variables: dict[str, str], log: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        program = [sys.executable, "-m", "rehearsal.sagemaker.mlflow_program"]
        environment = {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            **variables,
            "HOME": str(self.folder),
            "PYTHONPATH": str(PROJECT),
            # Nothing leaves this machine.
            "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        return subprocess.Popen(
            [*program, str(self.database), artifacts, str(descriptor)],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
        )

    def request(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send one request; it waits while the process starts. OSError if the process is gone."""
        connection = _Connection(self._socket)
        try:
            headers = {"Content-Type": "application/json", "Host": "localhost"}
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            kind = response.getheader("Content-Type") or "application/json"
            return response.status, {"Content-Type": kind}, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"the MLflow process has ended: {error!r}") from error
        finally:
            connection.close()

    def stop(self) -> None:
        """End the process and remove its folder."""
        if self._child.stdin:
            self._child.stdin.close()
        self._child.terminate()
        try:
            self._child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(self._path)
