"""The analyses, one module each.

A module of this package is an analysis, named as in the configuration. It has:

    OPERATION   the Rekognition operation, a literal string: tools read it without importing
    VERSION     a whole number, raised when requests or parse change what a record says
    requests(options)   the arguments besides Image of each call, from the analysis's
                        configuration; most analyses make one call
    parse(responses, options)   an Answer from the calls' responses, in the order of requests:
                        the record's fields, and the findings that the policy judges

and may have, as literal strings too:

    RESOURCES   the option that lists the ARNs which the operation takes, one call for each;
                without it the operation takes no resource, and the analysis makes one call
    SHARED      an argument that is a list of wishes. Calls of one operation that differ in it
                alone become one call with all the wishes (see `planning`)

Nothing else needs to know of a new analysis.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.dynamodb import Fields
from shared.policy import Finding

Options = Mapping[str, Any]
Response = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One analysis of one image: fields for its record, findings for the policy."""

    fields: Fields
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Call:
    """One call of an operation: its arguments besides Image.

    shared: the argument by which calls of this operation may become one, if there is one.
    """

    operation: str
    arguments: Mapping[str, Any]
    shared: str | None = None


@dataclass(frozen=True)
class Analysis:
    """An analysis as configured: its name, its version, the calls it makes and how their
    responses, in the same order, are read."""

    name: str
    version: int
    calls: tuple[Call, ...]
    parse: Callable[[Sequence[Response]], Answer]


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
    shared: str | None = getattr(module, "SHARED", None)
    calls = tuple(Call(module.OPERATION, each, shared) for each in module.requests(options))

    def parse(responses: Sequence[Response]) -> Answer:
        return module.parse(responses, options)

    return Analysis(name, module.VERSION, calls, parse)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise ValueError(f"there is no analysis {name!r}; there are {_listed(names())}") from error


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
