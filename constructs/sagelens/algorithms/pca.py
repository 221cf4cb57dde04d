"""Principal Component Analysis, a built-in algorithm."""

from __future__ import annotations

from .algorithm import Algorithm
from .channel import CSV, JSON, RECORDIO, Channel
from .hyperparameter import Choice, Hyperparameter, Switch, Whole
from .instances import Compute

PCA = Algorithm(
    name="pca",
    title="Principal Component Analysis",
    purpose="Fewer columns that keep most of what the many told.",
    mode="built-in",
    reads_own_metrics=True,
    pages=("PCA Hyperparameters", "PCA Algorithm", "Parameters for Built-in Algorithms"),
    images="pca",
    specifications=(
        Hyperparameter("feature_dim", Whole(1), required=True),
        Hyperparameter("mini_batch_size", Whole(1), required=True),
        Hyperparameter("num_components", Whole(1), required=True),
        Hyperparameter("algorithm_mode", Choice(("regular", "randomized"))),
        Hyperparameter("extra_components", Whole(-1)),
        Hyperparameter("subtract_mean", Switch()),
    ),
    channels=(
        Channel("train", required=True, content_types=(CSV, RECORDIO)),
        Channel("test", content_types=(CSV, RECORDIO)),
    ),
    input_modes=("File", "Pipe"),
    serves=(CSV, JSON, RECORDIO),
    compute=Compute(several_instances=True, gpu=True, gpu_families=("p2", "p3", "g4dn", "g5")),
)
"""Sources: the pages named above. No page on tuning it was found, so it has no objective and no
range; nothing is said of checkpoints, so none are assumed."""
