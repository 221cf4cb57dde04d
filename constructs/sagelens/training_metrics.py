"""The metrics that a training job prints, as its definition names them."""

from __future__ import annotations

import json
from typing import Any, cast

from .algorithms import Algorithm
from .errors import ArgumentErrors
from .recipe import Recipe
from .source_archive import SourceArchive

MOST_METRICS = 40
LONGEST_EXPRESSION = 500


def training_metrics(
    recipe: Recipe, algorithm: Algorithm, source: SourceArchive, errors: ArgumentErrors
) -> list[dict[str, str]]:
    """``MetricDefinitions`` of a training job.

    A script's own file says what it prints; without one, the algorithm does. None are defined where
    SageMaker has its own for an image and takes no others: XGBoost's, and all built-in algorithms.

    Source: "MetricDefinition" and "AlgorithmSpecification" (Amazon SageMaker API Reference).

    Args:
        recipe: The model's scripts.
        algorithm: What trains.
        source: The code archive.
        errors: Where to note what is wrong.
    """
    if algorithm.reads_own_metrics or not recipe.trains_by_script(algorithm):
        return algorithm.metric_definitions()
    own = _read("metrics", recipe, source, errors)
    found = algorithm.metric_definitions() if own is None else own
    found = [*found, *(_read("rule_metrics", recipe, source, errors) or [])]
    errors.require(
        len(found) <= MOST_METRICS,
        f"recipe.metrics: there are {len(found)} with those of the rules, allowed are "
        f"{MOST_METRICS}",
    )
    return found


def _read(
    argument: str, recipe: Recipe, source: SourceArchive, errors: ArgumentErrors
) -> list[dict[str, str]] | None:
    """The definitions of a file; None if there is no file of the conventional name."""
    template: str | None = getattr(recipe, argument)
    path = recipe.at(template)
    text = None if path is None else source.text(path)
    if text is None:
        conventional = template == Recipe.__dataclass_fields__[argument].default
        errors.require(
            template is None or conventional,
            f"recipe.{argument}: got {path!r}, allowed is a file of the archive of "
            f"{source.folder.name}/",
        )
        return None
    definitions = _parsed(text)
    errors.require(
        definitions is not None,
        f"recipe.{argument}: {path} is not a JSON object of expressions, each of 1 to "
        f"{LONGEST_EXPRESSION} characters, by metric",
    )
    return [{"Name": name, "Regex": regex} for name, regex in (definitions or {}).items()]


def _parsed(text: str) -> dict[str, str] | None:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    found = cast("dict[str, Any]", document)
    right = all(
        isinstance(one, str) and 1 <= len(one) <= LONGEST_EXPRESSION for one in found.values()
    )
    return found if right else None
