"""Progress for people: a spinner with what is going on, or plain lines without a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

from rehearsal.report.model import Stage

Say = Callable[[str], None]
QUIET_SECONDS = 5.0  # between two lines of detail where there is no terminal


class Stages:
    """The stages of a run, shown while they last and kept with their times.

    Args:
        console: where to show them.
    """

    def __init__(self, console: Console) -> None:
        self.done: list[Stage] = []
        self._console = console
        self._lock = threading.Lock()
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TextColumn("[cyan]{task.fields[seconds]}"),
            TextColumn("[dim]{task.fields[detail]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Stages:
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    @contextmanager
    def stage(self, name: str) -> Generator[Say]:
        """Show a stage while the block runs; yields a function that says what is going on."""
        started = time.monotonic()
        ticker = _Ticker(
            self._live, self._live.add_task(name, total=1, seconds="", detail=""), started
        )
        speaker = _Speaker(self._print, name) if not self._console.is_terminal else None
        ticker.start()
        try:
            yield speaker.say if speaker else ticker.say
        except BaseException:
            ticker.end("[red]stopped[/]", finished=False)
            raise
        seconds = time.monotonic() - started
        ticker.end(f"{seconds:.1f} s", finished=True)
        if speaker:
            self._print(f"{name}: done in {seconds:.1f} s")
        with self._lock:
            self.done.append(Stage(name, seconds))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Ticker:
    """Shows the seconds of one stage as they pass."""

    def __init__(self, live: Progress, task: TaskID, started: float) -> None:
        self._live, self._task, self._started = live, task, started
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def start(self) -> None:
        if not self._live.disable:
            self._thread.start()

    def say(self, text: str) -> None:
        room = max(20, self._live.console.width - 48)
        short = text if len(text) <= room else text[: room - 1] + "…"
        self._live.update(self._task, detail=escape(short))

    def end(self, seconds: str, finished: bool) -> None:
        self._over.set()
        completed = 1 if finished else 0
        self._live.update(self._task, seconds=seconds, detail="", completed=completed)

    def _tick(self) -> None:
        while not self._over.wait(0.1):
            passed = time.monotonic() - self._started
            self._live.update(self._task, seconds=f"{passed:.1f} s")


class _Speaker:
    """Says what a stage is doing in plain lines, now and then."""

    def __init__(self, show: Say, name: str) -> None:
        self._show, self._name = show, name
        self._next = time.monotonic() + QUIET_SECONDS
        show(f"{name} …")

    def say(self, text: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + QUIET_SECONDS
            self._show(f"  {self._name}: {text}")
