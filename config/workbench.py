"""The settings of the workbench: where people work."""

from collections.abc import Iterator, Mapping

from pydantic import Field

from config.base import Broken, Section
from config.notebooks import NotebookName, NotebookSettings

MOST_NOTEBOOKS = 40
"""Their names have to fit into the variables of the function that looks after them."""


class WorkbenchSettings(Section):
    """Notebook instances (docs/workbench.md)."""

    notebooks: Mapping[NotebookName, NotebookSettings] = Field(
        default={}, max_length=MOST_NOTEBOOKS
    )
    """Notebook instances by name; SageMaker knows them as sagelens-<environment>-<name>."""
    sweep_minutes: int = Field(default=15, ge=5, le=1440)
    """How often a function looks for notebook instances that did not stop themselves."""

    def rules(self) -> Iterator[Broken]:
        """Yield a workbench without anything on it."""
        if not self.notebooks:
            allowed = "notebooks; or workbench: null"
            yield Broken((), None, "has no notebooks", allowed, (("notebooks",),))
