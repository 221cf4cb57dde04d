"""Finds the scenarios by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType

from rehearsal.report.model import Outcome
from rehearsal.scenarios.support.context import Context


@dataclass(frozen=True)
class Scenario:
    """One scenario: its name on the command line, its title in the report, and its story.

    `real` and `stood_in` say in sentences what it really carries out and what has a substitute.
    """

    name: str
    title: str
    run: Callable[[Context], Outcome]
    real: Sequence[str] = ()
    stood_in: Sequence[str] = ()


class UnknownScenario(ValueError):
    """The name belongs to no scenario; the text lists those there are."""


def names() -> list[str]:
    """Return the names of all scenarios in the order in which they run."""
    return [scenario.name for scenario in _all()]


def choose(name: str | None = None) -> list[Scenario]:
    """Return the scenario of that name, or all of them when None or empty.

    Raises:
        UnknownScenario: there is none of that name.
    """
    scenarios = _all()
    if not name:
        return list(scenarios)
    chosen = [scenario for scenario in scenarios if scenario.name == name]
    if not chosen:
        raise UnknownScenario(_unknown(name, [scenario.name for scenario in scenarios]))
    return chosen


def _unknown(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"there is no scenario {name!r}.{hint} The scenarios are: {', '.join(known)}."


@cache
def _all() -> tuple[Scenario, ...]:
    folder = Path(__file__).parent
    package = __name__.rpartition(".")[0]
    modules = [
        importlib.import_module(f"{package}.{found.name}")
        for found in pkgutil.iter_modules([str(folder)])
        if not found.ispkg and found.name != "registry"
    ]
    scenarios = [module for module in modules if hasattr(module, "NAME")]
    return tuple(_scenario(each) for each in sorted(scenarios, key=lambda each: each.ORDER))


def _scenario(module: ModuleType) -> Scenario:
    return Scenario(module.NAME, module.TITLE, module.run, module.REAL, module.STOOD_IN)
