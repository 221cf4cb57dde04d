"""What every job has in common: a thread, one process at a time, an end that others may ask for.

A job's thread runs `Work.run(signals)`. Whoever wants something of it (StopTrainingJob, the control
API, a reset) asks by `Jobs.ask`; the thread waits for its process and for such a word at once, so
nothing here polls.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.processes import JobProcess

# Between SIGTERM and SIGKILL. SageMaker gives 120 seconds ("StopTrainingJob", Amazon SageMaker API
# Reference); a rehearsal need not wait so long for a program that does not listen.
GRACE_SECONDS = 5.0
QUIT_SECONDS = 5.0
logger = logging.getLogger("rehearsal")


class Ask(Enum):
    """Why a process is ended before its own end."""

    STOP = "stop"  # by StopXJob
    INTERRUPT = "interrupt"  # spare capacity is taken back
    TIME = "time"  # MaxRuntimeInSeconds is over
    QUIT = "quit"  # the server ends or forgets everything


class JobFailed(Exception):
    """A job ends Failed; the text is its FailureReason."""


class Quit(Exception):
    """A job's thread ends at once, without a word: there is nobody left to tell."""


class Signals:
    """What others ask of one running job."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._asked: Ask | None = None

    def ask(self, what: Ask) -> None:
        """Ask for something; the first word counts, but QUIT goes above all."""
        with self._condition:
            if self._asked is None or what is Ask.QUIT:
                self._asked = what
            self._condition.notify_all()

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._condition:
            self._condition.notify_all()

    def asked(self) -> Ask | None:
        """What has been asked so far; raises Quit where that is the word."""
        with self._condition:
            if self._asked is Ask.QUIT:
                raise Quit
            return self._asked

    def settle(self, what: Ask) -> None:
        """Take a word back once it has been followed (an interruption is not the end)."""
        with self._condition:
            if self._asked is what:
                self._asked = None

    def wait(self, done: Callable[[], bool], seconds: float | None, *but: Ask) -> None:
        """Wait until something is done, has been asked (other than `but`), or time is up."""
        with self._condition:
            self._condition.wait_for(
                lambda: done() or (self._asked is not None and self._asked not in but), seconds
            )

    def pause(self, seconds: float) -> Ask | None:
        """Wait so long, or until something is asked."""
        self.wait(lambda: False, seconds)
        return self.asked()


@dataclass(frozen=True)
class Ending:
    """How a process ended: by itself (`why` is None) or as asked, and its exit status."""

    why: Ask | None
    status: int


def attend(process: JobProcess, signals: Signals, seconds: float) -> Ending:
    """Wait for a process; end it when asked or when its time is over: SIGTERM, then SIGKILL.

    Args:
        process: that runs.
        signals: of its job. The process wakes them at its end (`on_end=signals.wake`).
        seconds: that it may run.
    """

    def ended() -> bool:
        return process.status is not None

    signals.wait(ended, seconds)
    if ended():
        return Ending(None, process.status or 0)
    try:
        why = signals.asked() or Ask.TIME
    except Quit:
        process.kill()
        process.wait()
        raise
    process.terminate()
    signals.wait(ended, GRACE_SECONDS, why)
    process.kill()
    process.wait()
    return Ending(why, process.status or 0)


class Work(Protocol):
    """One job, as its thread sees it."""

    kind: str
    name: str

    def run(self, signals: Signals) -> None:
        """Do all of it, up to the job's last status."""
        ...


class Jobs:
    """The jobs that run now; one for all kinds (`context.one(Jobs)`)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: dict[tuple[str, str], Signals] = {}
        self._condition = threading.Condition()
        context.at_reset(self.quit)

    def start(self, work: Work, after: Callable[[], None] = lambda: None) -> None:
        """Run a job in a thread of its own; `after` is called there once it has ended."""
        key, signals = (work.kind, work.name), Signals()
        with self._condition:
            self._running[key] = signals

        def run() -> None:
            try:
                work.run(signals)
            except Quit:
                pass
            finally:
                with self._condition:
                    if self._running.get(key) is signals:
                        del self._running[key]
                    self._condition.notify_all()
                after()

        self._context.start(f"{work.kind} {work.name}", run)

    def ask(self, kind: str, name: str, what: Ask) -> bool:
        """Ask something of a running job; False if it runs no more."""
        with self._condition:
            signals = self._running.get((kind, name))
        if signals is None:
            return False
        signals.ask(what)
        return True

    def wait(self, kind: str, name: str, seconds: float | None = None) -> bool:
        """Wait until a job has ended; False if time is up before."""
        with self._condition:
            return self._condition.wait_for(lambda: (kind, name) not in self._running, seconds)

    def quit(self) -> None:
        """End every job's process at once and wait for the threads, for a while."""
        with self._condition:
            waiting = list(self._running.values())
        for signals in waiting:
            signals.ask(Ask.QUIT)
        deadline = time.monotonic() + QUIT_SECONDS
        with self._condition:
            ended = self._condition.wait_for(
                lambda: not self._running, max(0.0, deadline - time.monotonic())
            )
            if not ended:
                logger.warning("jobs that did not end in time: %s", list(self._running))
                self._running.clear()
