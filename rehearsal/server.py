"""The server process: the embedded AWS with our additions, on one loopback port.

Started by rehearsal.process with a clean environment; never by hand. It ends on SIGTERM, and by
itself when the process that started it is gone (unless it was detached).
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
GRACE_SECONDS = 3.0
PARENT_POLL_SECONDS = 0.2
logger = logging.getLogger("rehearsal")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rehearsal.server")
    parser.add_argument("--run-folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lock", type=int, required=True, help="descriptor of the held lock")
    parser.add_argument("--parent", type=int, default=0, help="0: detached")
    parser.add_argument("--samples", type=Path, action="append", default=[])
    return parser.parse_args()


def _listen(port: int) -> socket.socket:
    """Bind before anything is imported, so that the port is known and nobody else can take it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(256)
    return listener


def _worker_variables() -> None:
    """What Lambda workers inherit from this process, beyond what they are given by name."""
    hidden = [
        name
        for name in os.environ
        if name in {"AUTH", "DOCKER_HOST", "GATEWAY_PORT", "BIND_HOST", "LOG_LEVEL", "STATE_DIR"}
        or name.startswith(("MINISTACK_", "IOT_", "SFTP_", "PERSIST_", "S3_", "LAMBDA_EXECUTOR"))
    ]
    os.environ["REHEARSAL_HIDDEN"] = ",".join([*hidden, "PYTHONPATH"])
    os.environ["REHEARSAL_SERVER_PID"] = str(os.getpid())
    # The worker sees this one folder, and nothing of the project.
    os.environ["PYTHONPATH"] = str(Path(__file__).with_name("worker_site"))


def _watch_parent(parent: int, end: Callable[[], None]) -> None:
    """Call `end` once the parent process is gone. Polling getppid also works on macOS."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    end()


class _Ending:
    """Ends the process: kindly within GRACE_SECONDS, else at once."""

    def __init__(self, run_folder: Path) -> None:
        self._run_folder = run_folder
        self._wanted = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()

    async def wait(self) -> None:
        await self._wanted.wait()

    def ask(self) -> None:
        """Ask for the end; may be called from any thread or from a signal handler."""
        threading.Timer(GRACE_SECONDS, self.now).start()
        self._loop.call_soon_threadsafe(self._wanted.set)

    def now(self) -> None:
        """Kill the Lambda workers, remove the run folder and leave. Never returns."""
        with self._lock:  # whoever comes second waits here until the process is gone
            with contextlib.suppress(ValueError):  # not the main thread: asyncio takes the signal
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if os.getpgrp() == os.getpid():  # our own group: workers, and what they have started
                os.killpg(0, signal.SIGTERM)
                time.sleep(0.02)
            from rehearsal import ministack_adapter

            ministack_adapter.kill_workers()
            shutil.rmtree(self._run_folder, ignore_errors=True)
            os._exit(0)


async def _serve(listener: socket.socket, arguments: argparse.Namespace) -> None:
    import hypercorn.asyncio
    from hypercorn.config import Config

    from rehearsal.application import build

    ending = _Ending(arguments.run_folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.ask)
    if arguments.parent:
        watcher = threading.Thread(
            target=_watch_parent, args=(arguments.parent, ending.ask), daemon=True
        )
        watcher.start()

    port = listener.getsockname()[1]

    def ready() -> None:
        note = arguments.run_folder / "ready.json.part"
        note.write_text(json.dumps({"pid": os.getpid(), "port": port}), encoding="utf-8")
        note.rename(arguments.run_folder / "ready.json")

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.3
    config.loglevel = "WARNING"
    config.backlog = 256
    application: Any = build(arguments.samples, ready)
    serve: Any = vars(hypercorn.asyncio)["serve"]
    await serve(application, config, shutdown_trigger=ending.wait)
    ending.now()


def main() -> None:
    """Serve until told to end."""
    arguments = _arguments()
    os.set_inheritable(arguments.lock, False)
    listener = _listen(arguments.port)
    os.environ["GATEWAY_PORT"] = str(listener.getsockname()[1])
    os.chdir(arguments.run_folder)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s [%(name)s] %(message)s")
    logging.getLogger("rehearsal").setLevel(logging.INFO)
    _worker_variables()
    try:
        asyncio.run(_serve(listener, arguments))
    except Exception:
        logger.exception("the server could not go on")
        sys.exit(1)


if __name__ == "__main__":
    main()
