"""The rehearsal as a process: start, stop, reset, attach. Everything else goes through here."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rehearsal import run_folder, server_child
from rehearsal.control_client import ControlClient, RekognitionControl
from rehearsal.environment import child_environment, client_variables
from rehearsal.errors import RehearsalError, is_loopback, require_loopback
from rehearsal.sagemaker_control import SageMakerControl

if TYPE_CHECKING:
    from rehearsal.local_session import LocalSession

PROJECT = Path(__file__).resolve().parent.parent
SAMPLES = Path(__file__).with_name("samples")
STATE_FILE = PROJECT / "build" / "rehearsal.json"


class Rehearsal:
    """A running embedded AWS. Make one with start() or attach(), not by hand.

    Attributes:
        endpoint: http://localhost:<port>.
        region: the Region it stands for.
        pid: of the server process.
        folder: its run folder, gone when it has stopped.
        rekognition: scripts, faults, latency, quota and counts of its Rekognition.
        sagemaker: faults, interruptions, delays and counts of its SageMaker.
    """

    def __init__(
        self,
        pid: int,
        port: int,
        region: str,
        folder: Path,
        child: "subprocess.Popen[bytes] | None",
    ) -> None:
        self.pid = pid
        self.port = port
        self.region = region
        self.folder = folder
        self.endpoint = f"http://localhost:{port}"
        self.control = ControlClient(self.endpoint)
        self.rekognition = RekognitionControl(self.control)
        self.sagemaker = SageMakerControl(self.control)
        self._child = child
        self._state_file: Path | None = None
        self._clients: dict[str, Any] = {}

    @classmethod
    def start(
        cls,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        region: str = "us-east-1",
        samples: Sequence[Path] = (SAMPLES,),
        detach: bool = False,
        state_file: Path = STATE_FILE,
        log: Path | None = None,
    ) -> "Rehearsal":
        """Start a server and wait until it answers.

        Args:
            port: on the loopback address; 0 for any free one.
            host: 127.0.0.1 or localhost; anything else is refused.
            region: the Region to stand for.
            samples: folders with images and their answer files.
            detach: let it live on after this process; stop it through its state file.
            state_file: where a detached server is noted down.
            log: where the server writes; a file in its run folder by default.

        Raises:
            RehearsalError: it is not to be on this machine, the port is taken, a detached one runs
                already, or the server did not start (with the end of its log).
        """
        if not is_loopback(host):
            raise RehearsalError(
                f"the rehearsal only ever listens on this machine: host given is {host!r}, "
                "allowed is 127.0.0.1"
            )
        run_folder.sweep()
        if detach and (running := cls.find(state_file)) is not None:
            raise RehearsalError(
                f"a rehearsal runs already at {running.endpoint} (process {running.pid}); "
                "stop it first with `python -m rehearsal down`"
            )
        folder, lock = run_folder.create()
        log = log or folder / "server.log"
        try:
            child = server_child.spawn(folder, lock, port, region, samples, detach, log)
        finally:
            os.close(lock)
        try:
            note = server_child.wait_until_ready(child, folder, log)
        except BaseException:
            server_child.end(child.pid, child)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        aws = cls(note["pid"], note["port"], region, folder, child)
        if detach:
            aws._note_down(state_file)
        return aws

    @classmethod
    def find(cls, state_file: Path = STATE_FILE) -> "Rehearsal | None":
        """The detached server of a state file, or None if none runs (a stale file is removed)."""
        try:
            note = json.loads(state_file.read_text(encoding="utf-8"))
            folder = Path(note["folder"])
            aws = cls(note["pid"], note["port"], note["region"], folder, None)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise RehearsalError(
                f"{state_file} is not a state file ({error}); remove it"
            ) from error
        if not run_folder.is_alive(folder):
            state_file.unlink(missing_ok=True)
            return None
        aws._state_file = state_file
        return aws

    @classmethod
    def attach(
        cls,
        endpoint: str | None = None,
        *,
        region: str = "us-east-1",
        state_file: Path = STATE_FILE,
    ) -> "Rehearsal":
        """Join a server that runs already: the one at an endpoint, or the detached one.

        Raises:
            RehearsalError: the endpoint is not on this machine, or no rehearsal answers there.
        """
        if endpoint is None:
            found = cls.find(state_file)
            if found is None:
                raise RehearsalError("no rehearsal is up; start one with `python -m rehearsal up`")
            return found
        status = ControlClient(require_loopback(endpoint)).call("GET", "status")
        port = int(endpoint.rstrip("/").rpartition(":")[2])
        return cls(status["pid"], port, region, Path(status["folder"]), None)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a child process: ours (or `base`) without AWS variables, plus
        those that lead here."""
        return child_environment(self.endpoint, self.region, base)

    def variables(self) -> dict[str, str]:
        """Only the variables that lead a client here, to print them for a user."""
        return client_variables(self.endpoint, self.region)

    def session(
        self, role_arn: str | None = None, session_name: str = "rehearsal"
    ) -> "LocalSession":
        """A boto3 session of the account's root user, or of a role that it assumes."""
        from rehearsal.local_session import LocalSession

        if role_arn is None:
            return LocalSession(self.endpoint, self.region)
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
        keys = answer["Credentials"]
        credentials = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return LocalSession(self.endpoint, self.region, credentials)

    @cached_property
    def _root(self) -> "LocalSession":
        return self.session()

    def client(self, service: str, **kwargs: Any) -> Any:
        """A boto3 client of the root user; one without further arguments is made only once."""
        if kwargs:
            return self._root.client(service, **kwargs)
        if service not in self._clients:
            self._clients[service] = self._root.client(service)
        return self._clients[service]

    def status(self) -> dict[str, Any]:
        """Process, versions, `recorded_only` resources and answer files that cannot be used."""
        return self.control.call("GET", "status")

    def reset(self) -> None:
        """Forget all state of every service, stacks included, and end the Lambda workers."""
        self.control.call("POST", "reset")

    def scale_waits(self, scale: float) -> None:
        """Let state machines wait (and wait to try again) so many times as long as they say.

        Args:
            scale: 0 to 1; 1, as it is at first, after each reset too.
        """
        self.control.call("POST", "states/waits", {"value": scale})

    def scale_periods(self, scale: float) -> None:
        """Let alarms look at periods so many times as long as they say.

        Args:
            scale: above 0, up to 1; 1, as it is at first, after each reset too.
        """
        self.control.call("POST", "alarms/periods", {"value": scale})

    def fire_schedules(self, within: float) -> None:
        """Let the schedules of EventBridge Scheduler fire now that are due soon.

        Args:
            within: so many seconds from now, 0 to 86,400.
        """
        self.control.call("POST", "schedules/fire", {"value": within})

    def is_alive(self) -> bool:
        """Whether the server process still lives."""
        return run_folder.is_alive(self.folder)

    def stop(self) -> None:
        """End the server and all that it started; harmless if it has ended already."""
        if self._child is not None or self.is_alive():
            server_child.end(self.pid, self._child, self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._state_file is not None:
            self._state_file.unlink(missing_ok=True)

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _note_down(self, state_file: Path) -> None:
        state_file.parent.mkdir(parents=True, exist_ok=True)
        note = {
            "pid": self.pid,
            "port": self.port,
            "region": self.region,
            "endpoint": self.endpoint,
            "folder": str(self.folder),
        }
        state_file.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        self._state_file = state_file
