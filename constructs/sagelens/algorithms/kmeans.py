"""K-Means, a built-in algorithm."""

from __future__ import annotations

from .algorithm import Algorithm
from .channel import CSV, JSON, RECORDIO, Channel
from .hyperparameter import Choice, Hyperparameter, JsonList, Real, Whole
from .instances import Compute
from .metric import Metric
from .tuning import CategoricalRange, IntegerRange

_COUNT = Whole(1)
_COUNT_AUTO = Whole(1, words=("auto",))
_START = Choice(("random", "kmeans++"))

KMEANS = Algorithm(
    name="kmeans",
    title="K-Means",
    purpose="Groups of like rows, when how many groups there shall be is known.",
    mode="built-in",
    reads_own_metrics=True,
    pages=(
        "K-Means Hyperparameters",
        "Tune a K-Means Model",
        "K-Means Algorithm",
        "Parameters for Built-in Algorithms",
    ),
    images="kmeans",
    specifications=(
        Hyperparameter("feature_dim", _COUNT, required=True),
        Hyperparameter("k", _COUNT, required=True),
        Hyperparameter("epochs", _COUNT),
        Hyperparameter("eval_metrics", JsonList(("msd", "ssd"))),
        Hyperparameter("extra_center_factor", _COUNT_AUTO),
        Hyperparameter("half_life_time_size", Whole(0)),
        Hyperparameter("init_method", _START),
        Hyperparameter("local_lloyd_init_method", _START),
        Hyperparameter("local_lloyd_max_iter", _COUNT),
        Hyperparameter("local_lloyd_num_trials", _COUNT_AUTO),
        Hyperparameter("local_lloyd_tol", Real(0, 1)),
        Hyperparameter("mini_batch_size", _COUNT),
    ),
    channels=(
        # CSV only in File mode; Pipe mode wants recordIO-wrapped protobuf.
        Channel("train", required=True, content_types=(CSV, RECORDIO)),
        Channel("test", content_types=(CSV, RECORDIO), replicated=True),
    ),
    input_modes=("File", "Pipe"),
    serves=(CSV, JSON, RECORDIO),
    metrics=(Metric("test:msd", "Minimize"), Metric("test:ssd", "Minimize")),
    tunable={
        "epochs": IntegerRange(1, 10),
        "extra_center_factor": IntegerRange(4, 10),
        "init_method": CategoricalRange(("kmeans++", "random")),
        "mini_batch_size": IntegerRange(3000, 15000),
    },
    # "Parameters for Built-in Algorithms" says both "not parallelizable" and "on one or more
    # instances", and the algorithm's page has the train channel sharded: so several are let be.
    # Only one GPU of an instance is used.
    compute=Compute(several_instances=True, gpu=True, gpu_families=("p2", "p3", "g4dn", "g5")),
)
"""Sources: the pages named above. They say nothing of checkpoints, so none are assumed."""
