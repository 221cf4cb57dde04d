"""XGBoost as a framework: a script of one's own in the same container."""

from __future__ import annotations

from dataclasses import replace

from . import script_mode, xgboost
from .algorithm import Algorithm
from .metric import NUMBER, Metric

XGBOOST_SCRIPT = Algorithm(
    name="xgboost-script",
    title="XGBoost, with a script",
    purpose="XGBoost where the training itself is yours to write.",
    mode="script",
    pages=xgboost.PAGES,
    images="xgboost",
    # What the script passes on to XGBoost is checked; what else it takes is its own affair.
    specifications=tuple(replace(one, required=False) for one in xgboost.SPECIFICATIONS),
    channels=script_mode.CHANNELS,
    further_channels=True,
    input_modes=script_mode.INPUT_MODES,
    # xgboost.train prints "[3]<tab>train-auc:0.91<tab>validation-auc:0.81" for evals that are
    # named train and validation; SageMaker's log shows the tab as #011.
    metrics=tuple(
        Metric(f"{part}:{name}", goal, rf"\[[0-9]+\].*{part}-{name}:{NUMBER}")
        for part in ("train", "validation")
        for name, goal in xgboost.OBJECTIVES.items()
    ),
    tunable=xgboost.TUNABLE,
    compute=xgboost.COMPUTE,
    checkpoints=True,
)
"""Sources: the built-in algorithm's pages; the expressions are those of the container's own
source with the tab allowed in both spellings."""
