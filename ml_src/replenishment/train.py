"""Train XGBoost on decisions that prepare.py wrote: `shared/training.py` says how it is started.

One tree a round and quantile foretells demand as a share of what is expected.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.replenishment import artifact
from ml_src.replenishment.schema import MEDIAN, QUANTILES
from ml_src.shared import matrix
from ml_src.shared.columns import Features
from ml_src.shared.training import Learner

MOST_SHARE = 20.0  # the launch of a product must not outweigh all else


def read(folder: Path, features: int) -> tuple[Features, matrix.Labels]:
    """Read a channel to train on; raises `JobError` as `shared/matrix.py` does."""
    found, labels = matrix.read(folder, features)
    return found, np.minimum(labels, MOST_SHARE)


def mean_error(labels: Any, predictions: Any) -> float:
    """Give the mean distance of the median to what was wanted, as a share of the expected."""
    return float(np.abs(labels - predictions[:, MEDIAN]).mean())


LEARNER = Learner(
    folder=artifact.FOLDER,
    read=read,
    objective="reg:quantileerror",
    loss="quantile",
    judged="mae",
    judge=mean_error,
    usual={
        "max_depth": 4,
        "eta": 0.1,
        "gamma": 0.0,
        "min_child_weight": 100.0,
        "subsample": 0.6,
        "early_stopping_rounds": 10,
    },
    without=frozenset({"scale_pos_weight"}),
    fixed={"quantile_alpha": list(QUANTILES)},
)
parse, train, run, main = LEARNER.parse, LEARNER.train, LEARNER.run, LEARNER.main

if __name__ == "__main__":
    main()
