"""The analyses of stored videos, one module each.

A module of this package is an analysis, named as in the configuration. It has:

    START     the operation that starts its job, a literal string: tools read it without importing
    GET       the operation that gets its results, a literal string too
    VERSION   a whole number, raised when what it asks for or reads changes what a record says
    start(options)   the arguments of START besides Video and ClientRequestToken
    Reader(options)  takes the result pages in their order, and answers at the end

and may have

    WANTED    the arguments of GET besides JobId, MaxResults and NextToken
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.dynamodb import Fields
from video_analysis.spans import Details, Sighting

Options = Mapping[str, Any]
Page = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One analysis of one video: fields for its record, details for the results in S3, and
    sightings for the policy."""

    fields: Fields
    details: Details
    sightings: tuple[Sighting, ...]


class Reader(Protocol):
    """Reads the result pages of a job."""

    def take(self, page: Page) -> None:
        """Read one page."""
        ...

    def answer(self) -> Answer:
        """Return what all pages came to."""
        ...


@dataclass(frozen=True)
class Analysis:
    """An analysis as configured.

    start, get: its operations. arguments: of `start`, besides the video and the token. wanted: of
    `get`, besides job and page. reader: makes what reads one job's pages.
    """

    name: str
    version: int
    start: str
    get: str
    arguments: Mapping[str, Any]
    wanted: Mapping[str, Any]
    reader: Callable[[], Reader]


def load(configured: Mapping[str, Options]) -> tuple[Analysis, ...]:
    """Return the configured analyses, importing their modules and no others.

    configured: options by analysis name. Raises ValueError for a name without a module.
    """
    return tuple(_load(name, options) for name, options in sorted(configured.items()))


def names() -> list[str]:
    """Return the name of every analysis there is."""
    import pkgutil

    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def _load(name: str, options: Options) -> Analysis:
    module = _module(name)

    def reader() -> Reader:
        return module.Reader(options)

    return Analysis(
        name=name,
        version=module.VERSION,
        start=module.START,
        get=module.GET,
        arguments=module.start(options),
        wanted=getattr(module, "WANTED", {}),
        reader=reader,
    )


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        known = ", ".join(names())
        raise ValueError(f"there is no video analysis {name!r}; there are {known}") from error
