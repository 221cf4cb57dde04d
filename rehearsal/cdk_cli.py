"""The unmodified CDK CLI as a child process that can reach this machine only."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rehearsal.errors import RehearsalError

PROJECT = Path(__file__).resolve().parent.parent
CDK = PROJECT / "node_modules" / ".bin" / "cdk"
SUPERVISOR = Path(__file__).with_name("supervisor.py")
TAIL_LINES = 25

# Nothing here needs the network: no notices, no telemetry, no look for a newer version.
QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "true",
    "CDK_VALIDATION": "false",  # `make judge` validates the templates, and more thoroughly
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
    "NO_COLOR": "1",
}
FLAGS = ("--no-notices", "--no-version-reporting", "--no-color", "--ci", "--progress", "events")

# "stack | 12/48 | 9:41:45 PM | CREATE_COMPLETE | AWS::S3::Bucket | ImagesBucket (…)"
_EVENT = re.compile(r"^(?P<stack>\S+) \|\s*(?P<count>\d+(/\d+)?) \|[^|]*\|[^|]*\| (?P<kind>\S+)")


class CdkCli:
    """Runs commands of the CDK CLI.

    Args:
        environment: the variables of the embedded AWS, as a whole environment.
        folder: where the CLI may keep its own files.
        log: file that receives everything that the CLI prints.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        if not CDK.exists():
            raise RehearsalError("node_modules/.bin/cdk is missing: run `make setup` first")
        self.log = log
        self._environment = cli_environment(environment, folder)
        self._running: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        arguments: Sequence[str],
        say: Callable[[str], None],
        cwd: Path = PROJECT,
    ) -> None:
        """Run one command to its end.

        Args:
            arguments: of the `cdk` command.
            say: is told what the command is doing.
            cwd: where it runs.

        Raises:
            RehearsalError: the command failed; with the end of its output.
        """
        command = [str(CDK), *arguments, *FLAGS]
        lines = [f"$ cdk {' '.join(arguments)}"]
        child = self._start(command, cwd)
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line.rstrip())
            if text := describe(line):
                say(text)
        status = child.wait()
        _let_go(child)
        self._write(lines)
        if status != 0:
            raise RehearsalError(self._failure(arguments[0], status, lines))

    def stop(self) -> None:
        """End every command that still runs, and start none any more."""
        with self._lock:
            self._stopped = True
            running = [child for child in self._running if child.poll() is None]
        for child in running:
            _let_go(child)
        for child in running:
            child.wait()

    def _start(self, command: Sequence[str], cwd: Path) -> subprocess.Popen[str]:
        # The supervisor ends the command with all that it has started once it is let go of:
        # by stop(), or because this process is gone, however that came. It needs nothing of
        # the environment (-I) nor of the installed packages (-S).
        supervised = [sys.executable, "-I", "-S", str(SUPERVISOR), *command]
        with self._lock:
            if self._stopped:
                raise RehearsalError("stopped before the command could start")
            child = subprocess.Popen(
                supervised,
                cwd=cwd,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                # A session of its own: Ctrl-C is for whoever started it.
                start_new_session=True,
            )
            self._running.append(child)
            return child

    def _write(self, lines: Sequence[str]) -> None:
        with self._lock, self.log.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n\n")

    def _failure(self, name: str, status: int, lines: Sequence[str]) -> str:
        tail = "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])
        return f"`cdk {name}` ended with status {status}. The end of {self.log}:\n{tail}"


def _let_go(child: subprocess.Popen[str]) -> None:
    """Close the pipe that keeps a supervised command alive."""
    assert child.stdin is not None
    with contextlib.suppress(OSError):
        child.stdin.close()


def cli_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the CLI's environment: the one given, without the user's own CDK settings."""
    kept = {name: value for name, value in environment.items() if not name.startswith("CDK_")}
    # node lies beside python in the virtual environment.
    path = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    return {**kept, **QUIET, "PATH": path, "CDK_HOME": str(folder / "cdk-home")}


def describe(line: str) -> str:
    """Return a line of the CLI's output in a few words, or nothing where it tells nothing."""
    event = _EVENT.match(line)
    if event:
        return f"{event['stack']}: {event['count'].replace('/', ' of ')}, {event['kind']}"
    text = line.strip()
    told = text[:1].isalnum() and text[-1] not in ":|" and not text.startswith("arn:")
    return text if told and " = " not in text else ""
