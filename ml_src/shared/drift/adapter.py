"""What a model must offer so that its captured requests can be watched: an adapter module.

    def parse(body: str | bytes, content_type: str | None) -> Sequence[row]
    def columns(rows: Sequence[row]) -> Mapping[str, column]
    def predictions(body: str | bytes, content_type: str | None) -> Sequence[float | None]
    LABELS: Mapping[str, int]     # what a label may be written as, and whether that is 1 or 0;
                                  # empty for a model that foretells a quantity: it takes no labels

`parse` reads one request as the endpoint does; what a row is stays the module's own business.
`columns` turns the rows of many requests into columns by feature: a float64 array with NaN where
nothing stands, or an object with `values` (the categories) and `codes` (for each row the place in
`values`, -1 where nothing stands). `predictions` reads an answer, with None for a row of which the
model said that it foretells nothing. Each raises `ValueError` with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from ml_src.shared.failure import JobError


class Coded(Protocol):
    """A column of categories."""

    @property
    def values(self) -> Sequence[str]:
        """Give the categories."""
        ...

    @property
    def codes(self) -> Any:
        """Give each row's place in `values`, -1 where nothing stands."""
        ...


class Adapter(Protocol):
    """A model's own reading of requests and answers."""

    LABELS: Mapping[str, int]

    def parse(self, body: str | bytes, content_type: str | None) -> Sequence[Any]:
        """Read a request into rows."""
        ...

    def columns(self, rows: Sequence[Any]) -> Mapping[str, Any]:
        """Turn rows into columns by feature."""
        ...

    def predictions(self, body: str | bytes, content_type: str | None) -> Sequence[float | None]:
        """Read an answer into one number a row, None where nothing is foretold."""
        ...


def load(name: str) -> Adapter:
    """Import an adapter by its module's name, such as `ml_src.churn.capture`.

    Raises:
        JobError: there is no such module, or it lacks something.
    """
    try:
        module = import_module(name)
    except ImportError as error:
        raise JobError(f"--adapter {name}: cannot be imported: {error}") from error
    lacking = [part for part in ("parse", "columns", "predictions") if not hasattr(module, part)]
    if not isinstance(getattr(module, "LABELS", None), Mapping):
        lacking.append("LABELS")
    if lacking:
        raise JobError(f"--adapter {name}: lacks {', '.join(lacking)}")
    return cast(Adapter, module)
