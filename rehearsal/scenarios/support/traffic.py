"""Customers of an endpoint that never stop asking, and what they were told."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Ask = Callable[[], float]
PAUSE_SECONDS = 0.03
COLOURS = ("#155e75", "#d97706", "#4d7c0f")


@dataclass(frozen=True)
class Said:
    """One answer: when (s after the start), and the probability; None for an error."""

    at: float
    answer: float | None


@dataclass
class Traffic:
    """What was asked so far."""

    started: float = field(default_factory=time.monotonic)
    said: list[Said] = field(default_factory=list[Said])
    over: threading.Event = field(default_factory=threading.Event)

    def since(self, at: float) -> list[Said]:
        """Return the answers from a moment on (s after the start)."""
        return [each for each in list(self.said) if each.at >= at]

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def ask(self, ask: Ask) -> None:
        """Ask until it is over."""
        while not self.over.is_set():
            at = self.now()
            try:
                answer: float | None = ask()
            except Exception:
                answer = None
            self.said.append(Said(at, answer))
            time.sleep(PAUSE_SECONDS)


@contextmanager
def traffic(asks: Sequence[Ask]) -> Generator[Traffic]:
    """Let several customers ask at a time while the block runs."""
    found = Traffic()
    threads = [threading.Thread(target=found.ask, args=(ask,), daemon=True) for ask in asks]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.over.set()
        for thread in threads:
            thread.join()


def picture(said: Sequence[Said], marks: Sequence[tuple[float, str]]) -> bytes:
    """Draw the answers over time as PNG, those of each version in a colour of its own.

    Args:
        said: the answers; versions are told apart by what they answer.
        marks: moments (s) and what happened there.
    """
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(12, 4), dpi=120, layout="constrained")
    axes: Any = figure.add_subplot()
    answers = list(dict.fromkeys(each.answer for each in said if each.answer is not None))
    for number, answer in enumerate(answers):
        at = [each.at for each in said if each.answer == answer]
        colour = COLOURS[number % len(COLOURS)]
        axes.scatter(at, [answer] * len(at), s=10, color=colour, label=f"version {number + 1}")
    wrong = [each.at for each in said if each.answer is None]
    if wrong:
        lowest = min(answers, default=0.0) - 0.04
        axes.scatter(wrong, [lowest] * len(wrong), s=22, marker="x", color="#a3211f", label="error")
    for number, (at, what) in enumerate(marks):
        axes.axvline(at, color="#8a97a8", linestyle="--", linewidth=1)
        axes.annotate(
            what,
            (at, 1.0),
            (4, -6 - 13 * (number % 3)),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            color="#566172",
        )
    axes.set(xlabel="seconds", ylabel="probability that the customer leaves")
    axes.margins(y=0.35)
    axes.legend(loc="lower right", frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
