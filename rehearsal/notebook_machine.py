"""A notebook instance's machine, as far as its life-cycle scripts know it: the real scripts in a
real shell, in a folder that stands for its file system, beside a Jupyter that answers over HTTP.

There is no systemd and no AWS command line here. In their place stand two short programs: one runs
the service that the script has installed, the other calls the embedded AWS as the instance's role.
A third one is the clock, which can be turned forward.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECONDS = 60
PROGRAM = "usr/local/sbin/sagelens-idle-stop"
SETTINGS = "etc/sagelens/idle-stop.conf"
# Of nobody: without jobs of one's own on this machine, there are none.
NOBODY = "54321"

_CLOCK = """#!/bin/bash
# As date [-u] +FORMAT, ahead of the real time by the seconds in a file.
printf -v now '%(%s)T' -1
read -r ahead < {offset!r}
[ "$1" = -u ] && export TZ=UTC && shift
printf "%(${{1#+}})T\\n" $((now + ahead))
"""
# The unit that a timer starts runs with the variables of its file.
_SYSTEMCTL = """#!/bin/bash
echo "systemctl $*" >> {log!r}
[ "$1" = start ] || exit 0
set -a; . {settings!r}; set +a
exec {program!r}
"""
_AWS = """#!{python}
import sys
sys.path.insert(0, {project!r})
from rehearsal.aws_command import main
sys.exit(main(sys.argv[1:]))
"""


class Jupyter:
    """A Jupyter server's REST API: its kernels and terminals, and nothing else.

    Attributes:
        kernels, terminals: what it answers, as Jupyter does.
        broken: the status that it answers with in place of them; None: it works.
        url: where it listens, on this machine only.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.kernels: list[dict[str, Any]] = []
        self.terminals: list[dict[str, Any]] | None = []
        self.broken: int | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        # Looks every so many seconds whether to end.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Jupyter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, Any]:
        """Status and content of an answer."""
        if self.broken is not None:
            return self.broken, {"message": "no"}
        lists = {"/api/kernels": self.kernels, "/api/terminals": self.terminals}
        found = lists.get(path)
        return (404, {"message": "Not Found"}) if found is None else (200, found)


def _handler(jupyter: Jupyter) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = jupyter.answer(self.path)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def kernel(state: str, used: datetime, name: str = "python3") -> dict[str, Any]:
    """A kernel as Jupyter lists it."""
    return {
        "id": "1f6cc1d2-9f4c-4e3f-8a55-2f1de5d0c0aa",
        "name": name,
        "last_activity": moment(used),
        "execution_state": state,
        "connections": 1,
    }


def moment(time: datetime) -> str:
    """A time as Jupyter writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class NotebookMachine:
    """The machine of one notebook instance.

    Args:
        root: a folder that stands for its file system.
        name: of the instance.
        arn: its ARN.
        jupyter: address of its Jupyter.
        variables: how its programs reach AWS: endpoint and credentials.
        user: whose programs are its jobs, by number.
    """

    def __init__(
        self,
        root: Path,
        *,
        name: str,
        arn: str,
        jupyter: str,
        variables: Mapping[str, str],
        user: str = NOBODY,
    ) -> None:
        self.root = root
        self.log = root / "var/log/jupyter.log"
        self.units = root / "systemctl.log"
        self._offset = root / "clock"
        metadata = root / "opt/ml/metadata/resource-metadata.json"
        self._variables = {
            **variables,
            "ROOT": str(root),
            "METADATA": str(metadata),
            "STATE": str(root / "run/sagelens/idle-stop"),
            "LOG": str(self.log),
            "JUPYTER_URL": jupyter,
            "NOTEBOOK_USER": user,
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(root),
        }
        for folder in (metadata.parent, self.log.parent, root / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        metadata.write_text(json.dumps({"ResourceArn": arn, "ResourceName": name}))
        self._offset.write_text("0\n")
        self._programs()

    def _programs(self) -> None:
        project = str(Path(__file__).parents[1])
        files = {
            "date": _CLOCK.format(offset=str(self._offset)),
            "systemctl": _SYSTEMCTL.format(
                log=str(self.units),
                settings=str(self.root / SETTINGS),
                program=str(self.root / PROGRAM),
            ),
            "aws": _AWS.format(python=sys.executable, project=project),
        }
        for name, text in files.items():
            path = self.root / "bin" / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)

    def later(self, minutes: float) -> None:
        """Turn the machine's clock forward."""
        before = int(self._offset.read_text())
        self._offset.write_text(f"{before + int(minutes * 60)}\n")

    def start(self, on_start: str) -> subprocess.CompletedProcess[str]:
        """Start the instance: run the script that SageMaker runs then."""
        script = self.root / "on-start.sh"
        script.write_text(on_start, encoding="utf-8")
        return self._run(["bash", str(script)])

    def look(self) -> subprocess.CompletedProcess[str]:
        """Let the timer fire once, as systemd does."""
        return self._run(["systemctl", "start", "sagelens-idle-stop.service"])

    def last_words(self) -> str:
        """The last line of the log."""
        return self.log.read_text(encoding="utf-8").splitlines()[-1]

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self._variables,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            start_new_session=True,
        )
