"""What the benchmarks share: one figure with its aim, and the time of a process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args:
        name: What was measured.
        value: The figure.
        unit: Its unit; ratios have none.
        aim: What it should be at most, or at least when ``at_least``; None for information.
        at_least: Whether more is better.
        detail: How it came about: medians, counts.
    """

    name: str
    value: float
    unit: str = ""
    aim: float | None = None
    at_least: bool = False
    detail: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.at_least else self.value <= self.aim


def medians(
    commands: Mapping[str, Sequence[str]], *, runs: int, environment: Mapping[str, str] = {}
) -> dict[str, float]:
    """Seconds that each Python program takes, whole process, in turns so that load is shared.

    Args:
        commands: Arguments to Python by name of the program.
        runs: Times that each is run, after one run that warms the caches.
        environment: Variables besides this process's own.
    """
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, arguments in commands.items():
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **environment},
                check=True,
                capture_output=True,
            )
            if run:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
