"""Train XGBoost on customers that prepare.py wrote: `shared/training.py` says how it is started."""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.churn import artifact, matrix, scores
from ml_src.shared.training import Learner

LEARNER = Learner(
    folder=artifact.FOLDER,
    read=matrix.read,
    objective="binary:logistic",
    loss="logloss",
    judged="auc",
    judge=scores.auc,
)
parse, train, run, main = LEARNER.parse, LEARNER.train, LEARNER.run, LEARNER.main

if __name__ == "__main__":
    main()
