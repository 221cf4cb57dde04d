"""All algorithms, by name."""

from __future__ import annotations

from collections.abc import Mapping

from .algorithm import Algorithm
from .kmeans import KMEANS
from .linear_learner import LINEAR_LEARNER
from .ntm import NTM
from .pca import PCA
from .problems import meant
from .pytorch import PYTORCH
from .scikit_learn import SCIKIT_LEARN
from .tensorflow import TENSORFLOW
from .xgboost import XGBOOST
from .xgboost_script import XGBOOST_SCRIPT

CATALOGUE: Mapping[str, Algorithm] = {
    one.name: one
    for one in (
        XGBOOST,
        LINEAR_LEARNER,
        KMEANS,
        PCA,
        NTM,
        XGBOOST_SCRIPT,
        SCIKIT_LEARN,
        TENSORFLOW,
        PYTORCH,
    )
}
"""Algorithms by name: the built-in ones, then the frameworks."""


def names() -> tuple[str, ...]:
    """The names that :func:`algorithm` knows."""
    return tuple(CATALOGUE)


def algorithm(name: str) -> Algorithm:
    """The algorithm of a name.

    Raises:
        ValueError: If there is none; it lists all names, and the one that was perhaps meant.
    """
    found = CATALOGUE.get(name)
    if found is None:
        raise ValueError(
            f"algorithm: got {name!r}{meant(name, CATALOGUE)}; allowed are {', '.join(names())}"
        )
    return found
