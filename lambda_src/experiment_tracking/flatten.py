"""Documents as the flat names and numbers that MLflow keeps.

Names of MLflow hold letters, digits, `_ - . /` and spaces, 250 characters at most; a slash groups
them in its pages. So `validation:auc` becomes `validation/auc`.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

LONGEST_NAME = 250
LONGEST_PARAMETER = 6000
MOST_POINTS = 50_000  # of all curves together
_FOREIGN = re.compile(r"[^\w./\- ]", re.ASCII)

Point = tuple[str, int, float]
"""Name, step and value of a metric."""


def name(text: str) -> str:
    """The name by which MLflow keeps something."""
    plain = _FOREIGN.sub("_", text.replace(":", "/"))
    # MLflow makes paths of names: no empty part, no way up.
    parts = [part for part in plain.split("/") if part.strip(". ")]
    return "/".join(parts)[:LONGEST_NAME] or "_"


def number(value: object) -> float | None:
    """The value if it is a finite number; True and "NaN" are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        plain = float(value)
    except OverflowError:
        return None
    return plain if math.isfinite(plain) else None


def numbers(document: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """Every number of a document by its path, lists and the format's version left out.

    A metric of SageMaker's form, an object with `value`, is named without that word.
    """
    found: dict[str, float] = {}
    for path, value in _leaves(document, ""):
        plain = number(value)
        if plain is not None and path != "version":
            found[name(prefix + path.removesuffix(".value"))] = plain
    return found


def texts(document: Mapping[str, Any]) -> dict[str, str]:
    """Every leaf of a document as text, by its path."""
    return {
        name(path): str(value)[:LONGEST_PARAMETER]
        for path, value in _leaves(document, "")
        if value is not None and str(value)
    }


def course(rounds: object) -> list[Point]:
    """The metrics of each round, from a list of objects; the round is the step."""
    if not isinstance(rounds, Sequence) or isinstance(rounds, str | bytes):
        return []
    given = cast("Sequence[object]", rounds)
    points: list[Point] = []
    width = max((len(cast("dict[str, Any]", r)) for r in given if isinstance(r, dict)), default=0)
    for step in _kept(len(given), MOST_POINTS // max(width, 1)):
        values = given[step]
        if isinstance(values, Mapping):
            for key, value in cast("Mapping[str, object]", values).items():
                plain = number(value)
                if plain is not None:
                    points.append((name(str(key)), step, plain))
    return points


def _kept(count: int, most: int) -> list[int]:
    """The indices of at most `most` of `count` rounds, first and last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(each * (count - 1) / (most - 1)) for each in range(most)})


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, each in cast("Mapping[str, object]", value).items():
            yield from _leaves(each, f"{path}.{key}" if path else str(key))
    elif not isinstance(value, list | tuple):
        yield path, value
