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
    # What the script must print: "[3]#011train-auc:0.91#011validation-auc:0.81", with the four
    # characters #011 as they stand, for evals named train and validation.
    metrics=tuple(
        Metric(f"{part}:{name}", goal, rf".*\[[0-9]+\].*#011{part}-{name}:{NUMBER}.*")
        for part in ("train", "validation")
        for name, goal in xgboost.OBJECTIVES.items()
    ),
    reads_own_metrics=True,
    tunable=xgboost.TUNABLE,
    compute=xgboost.COMPUTE,
    checkpoints=True,
)
"""Sources: the built-in algorithm's pages. SageMaker has metric definitions of its own for this
image, in script mode too, and refuses a job that brings others; the expressions are those that it
answers in DescribeTrainingJob."""
