"""What the control API can do to jobs: let them fail, wait, or be interrupted.

aws.sagemaker.fail_job("training", "CapacityError: …", times=1, named="churn")
aws.sagemaker.delay("processing", 2.0)
aws.sagemaker.interrupt("my-spot-job")
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.jobs import JobFailed, Signals

KINDS = ("training", "processing", "transform")


@dataclass
class Fault:
    """A reason to fail with: `left` times, for jobs whose name holds `named`."""

    kind: str
    reason: str
    left: int
    named: str


class Injections:
    """One for all kinds of jobs (`context.one(Injections)`); forgotten at clear and reset."""

    def __init__(self, context: Context) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._delays: dict[str, float] = {}
        context.at_clear(self.clear)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._faults.clear()
            self._delays.clear()

    def fail(self, body: dict[str, Any]) -> None:
        """Let jobs fail as they start: {"kind", "reason", "times": 1, "named": ""}."""
        times = body.get("times", 1)
        if not isinstance(times, int) or times < 1:
            raise ValueError(f"times is a whole number from 1: given {times!r}")
        fault = Fault(_kind(body), str(body["reason"]), times, str(body.get("named", "")))
        with self._lock:
            self._faults.append(fault)

    def delay(self, body: dict[str, Any]) -> None:
        """Let jobs of a kind wait for their instance: {"kind", "seconds"}; 0 takes it back."""
        seconds = float(body["seconds"])
        if not 0 <= seconds <= 900:
            raise ValueError(f"seconds is 0 to 900, given {seconds}")
        with self._lock:
            self._delays[_kind(body)] = seconds

    def meet(self, kind: str, name: str, signals: Signals) -> None:
        """What awaits a job that starts: a wait, and perhaps JobFailed."""
        with self._lock:
            seconds = self._delays.get(kind, 0.0)
            reason = self._take(kind, name)
        if seconds:
            signals.pause(seconds)
        if reason:
            raise JobFailed(reason)

    def _take(self, kind: str, name: str) -> str | None:
        for fault in self._faults:
            if fault.kind == kind and fault.named in name:
                fault.left -= 1
                if not fault.left:
                    self._faults.remove(fault)
                return fault.reason
        return None


def _kind(body: dict[str, Any]) -> str:
    kind = str(body["kind"])
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}: given {kind!r}")
    return kind


def actions(context: Context) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """The control API's routes."""
    injections = context.one(Injections)
    return {"fail_job": injections.fail, "delay": injections.delay}
