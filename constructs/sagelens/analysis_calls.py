"""Which calls the image analyses make, read off their source without running it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .assets import constant, lambda_source


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation of Amazon Rekognition that image analyses call.

    Args:
        name: For example ``DetectLabels``.
        calls: Calls of it for each image.
        resources: ARNs that it is called with; none where the operation takes no resource.
    """

    name: str
    calls: int
    resources: tuple[str, ...] = ()


def known_analyses() -> list[str]:
    """The names of the analyses that there are."""
    return sorted(name for name, path in _modules().items() if constant(path, "OPERATION"))


def operations_of(analyses: Mapping[str, Mapping[str, Any]]) -> list[Operation]:
    """The operations that analyses call, by name.

    Args:
        analyses: Settings by name of the analysis; each must be known.
    """
    found: dict[str, Operation] = {}
    modules = _modules()
    for name, options in sorted(analyses.items()):
        path = modules[name]
        operation = constant(path, "OPERATION") or ""
        option = constant(path, "RESOURCES")
        resources: Sequence[str] = options.get(option, ()) if option else ()
        calls = len(resources) if option else 1
        earlier = found.get(operation, Operation(name=operation, calls=0))
        found[operation] = Operation(
            name=operation,
            # Analyses that share a call make it together; each of the others makes its own.
            calls=max(earlier.calls, calls) if constant(path, "SHARED") else earlier.calls + calls,
            resources=(*earlier.resources, *resources),
        )
    return [found[name] for name in sorted(found)]


def _modules() -> dict[str, Path]:
    folder = lambda_source() / "image_analysis" / "analyses"
    return {path.stem: path for path in sorted(folder.glob("[a-z]*.py"))}


def known_video_analyses() -> list[str]:
    """The names of the analyses of stored videos that there are."""
    return sorted(name for name, path in _video_modules().items() if constant(path, "START"))


def video_operations(analyses: Iterable[str]) -> list[str]:
    """The operations that analyses of stored videos call: of each, its start and its results.

    Args:
        analyses: Names; each must be known.
    """
    modules = _video_modules()
    found = [constant(modules[name], part) for name in analyses for part in ("START", "GET")]
    return sorted(operation for operation in found if operation)


def _video_modules() -> dict[str, Path]:
    folder = lambda_source() / "video_analysis" / "analyses"
    return {path.stem: path for path in sorted(folder.glob("[a-z]*.py"))}
