"""What the configuration cannot know of the workbench, checked before anything is built."""

from __future__ import annotations

from collections.abc import Iterator

from config import Broken, EnvironmentSettings
from sagelens.notebook_lifecycle import IdleStop, on_create, on_start, script_problem


def workbench_problems(settings: EnvironmentSettings) -> Iterator[Broken]:
    """Yield scripts that SageMaker would not take: our own part of each is known here alone."""
    for name, notebook in settings.workbench.notebooks.items() if settings.workbench else ():
        whole = {
            "on_create": on_create(notebook.on_create),
            "on_start": on_start(
                IdleStop(minutes=notebook.idle_minutes),
                environment_name=settings.name,
                yours=notebook.on_start,
            ),
        }
        for field, script in whole.items():
            found = script_problem(script)
            if found is not None:
                at = ("workbench", "notebooks", name, field)
                yield Broken(at, getattr(notebook, field), *found, (at,))
