"""Neural Topic Model, a built-in algorithm."""

from __future__ import annotations

from .algorithm import Algorithm
from .channel import CSV, JSON, JSON_LINES, PLAIN, RECORDIO, Channel
from .hyperparameter import Choice, CommaList, Hyperparameter, Real, Switch, Whole
from .instances import Compute
from .metric import Metric
from .tuning import CategoricalRange, ContinuousRange, IntegerRange

ACTIVATIONS = ("sigmoid", "tanh", "relu")
# The page's list of optimizers is cut off in the copies at hand; these are the SageMaker SDK v2's.
OPTIMIZERS = ("sgd", "adam", "adagrad", "adadelta", "rmsprop")

NTM = Algorithm(
    name="ntm",
    title="Neural Topic Model",
    purpose="Topics of a collection of texts, given as counts of words.",
    mode="built-in",
    reads_own_metrics=True,
    pages=(
        "NTM Hyperparameters",
        "Tune an NTM Model",
        "Neural Topic Model (NTM) Algorithm",
        "Parameters for Built-in Algorithms",
        "StoppingCondition",
    ),
    images="ntm",
    specifications=(
        Hyperparameter("feature_dim", Whole(1, 1_000_000), required=True),
        Hyperparameter("num_topics", Whole(2, 1000), required=True),
        Hyperparameter("batch_norm", Switch()),
        Hyperparameter("clip_gradient", Real(1e-3)),
        Hyperparameter(
            "encoder_layers",
            CommaList("[1-9][0-9]*", "sizes of layers, whole numbers of at least 1", ("auto",)),
        ),
        Hyperparameter("encoder_layers_activation", Choice(ACTIVATIONS)),
        Hyperparameter("epochs", Whole(1)),
        Hyperparameter("learning_rate", Real(1e-6, 1.0)),
        Hyperparameter("mini_batch_size", Whole(1, 10_000)),
        Hyperparameter("num_patience_epochs", Whole(1)),
        Hyperparameter("optimizer", Choice(OPTIMIZERS)),
        Hyperparameter("rescale_gradient", Real(1e-3, 1.0)),
        Hyperparameter("sub_sample", Real(0.0, 1.0)),
        Hyperparameter("tolerance", Real(1e-6, 0.1)),
        Hyperparameter("weight_decay", Real(0.0, 1.0)),
    ),
    channels=(
        Channel("train", required=True, content_types=(CSV, RECORDIO)),
        Channel("validation", content_types=(CSV, RECORDIO), replicated=True),
        Channel("test", content_types=(CSV, RECORDIO), replicated=True),
        # Holds vocab.txt, a word a line.
        Channel("auxiliary", content_types=(PLAIN,), replicated=True),
    ),
    input_modes=("File", "Pipe"),
    serves=(CSV, JSON, JSON_LINES, RECORDIO),
    metrics=(Metric("validation:total_loss", "Minimize"),),
    tunable={
        "encoder_layers_activation": CategoricalRange(ACTIVATIONS),
        "learning_rate": ContinuousRange(1e-4, 0.1),
        "mini_batch_size": IntegerRange(16, 2048),
        "optimizer": CategoricalRange(("sgd", "adam", "adadelta")),
        "rescale_gradient": ContinuousRange(0.1, 1.0),
        "weight_decay": ContinuousRange(0.0, 1.0),
    },
    # Its page recommends GPUs, and names no families in the copies at hand.
    compute=Compute(several_instances=True, gpu=True),
    keeps_model_when_stopped=False,
)
"""Sources: the pages named above. Nothing is said of checkpoints, so none are assumed."""
