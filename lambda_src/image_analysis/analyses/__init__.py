"""The analyses, one module each.

A module of this package is an analysis, named as in the configuration. It has:

    OPERATION   the Rekognition operation, a literal string: tools read it without importing
    VERSION     a whole number, raised when request or parse change what a record says
    request(options)   the call's arguments besides Image, from the analysis's configuration
    parse(response)    an Answer: the record's fields, and the findings that the policy judges

Nothing else needs to know of a new analysis.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.dynamodb import Fields


@dataclass(frozen=True)
class Finding:
    """Something that an analysis saw: a label, its confidence (0 to 100), its parent
    categories, nearest first."""

    label: str
    confidence: float
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One analysis of one image: fields for its record, findings for the policy."""

    fields: Fields
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Analysis:
    """An analysis as configured: its name, the operation it calls, its version, the call's
    arguments and how the response is read."""

    name: str
    operation: str
    version: int
    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Answer]


def load(configured: Mapping[str, Mapping[str, Any]]) -> tuple[Analysis, ...]:
    """Return the configured analyses, importing their modules and no others.

    configured: options by analysis name. Raises ValueError for a name without a module.
    """
    return tuple(_load(name, options) for name, options in sorted(configured.items()))


def names() -> list[str]:
    """Return the name of every analysis there is."""
    import pkgutil

    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def _load(name: str, options: Mapping[str, Any]) -> Analysis:
    module = _module(name)
    return Analysis(name, module.OPERATION, module.VERSION, module.request(options), module.parse)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise ValueError(f"there is no analysis {name!r}; there are {_listed(names())}") from error


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
