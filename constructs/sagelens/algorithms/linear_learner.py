"""Linear Learner, a built-in algorithm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .algorithm import Algorithm
from .channel import CSV, JSON, RECORDIO, Channel
from .hyperparameter import Choice, Hyperparameter, Real, Switch, Whole
from .instances import Compute
from .metric import Goal, Metric
from .problems import Problem
from .tuning import CategoricalRange, ContinuousRange, IntegerRange

_AUTO = ("auto",)
_POSITIVE = Real(0, low_open=True)
_POSITIVE_AUTO = Real(0, low_open=True, words=_AUTO)
_NOT_NEGATIVE_AUTO = Real(0, words=_AUTO)
# The page says "between 0 and 1"; which end belongs is from the checks of the SageMaker SDK v2.
_DECAY_AUTO = Real(0, 1, high_open=True, words=_AUTO)
_INNER = Real(0, 1, low_open=True, high_open=True)
_COUNT = Whole(1)
_COUNT_AUTO = Whole(1, words=_AUTO)
_SWITCH_AUTO = Switch(words=_AUTO)

LOSSES = {
    "binary_classifier": ("auto", "logistic", "hinge_loss"),
    "multiclass_classifier": ("auto", "softmax_loss"),
    "regressor": (
        "auto",
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
}
"""The losses that there are for each type of predictor."""

SPECIFICATIONS = (
    Hyperparameter("predictor_type", Choice(tuple(LOSSES)), required=True),
    Hyperparameter("num_classes", Whole(3, 1_000_000)),
    Hyperparameter("accuracy_top_k", _COUNT),
    Hyperparameter("balance_multiclass_weights", Switch()),
    Hyperparameter("beta_1", _DECAY_AUTO),
    Hyperparameter("beta_2", _DECAY_AUTO),
    Hyperparameter("bias_lr_mult", _POSITIVE_AUTO),
    Hyperparameter("bias_wd_mult", _NOT_NEGATIVE_AUTO),
    Hyperparameter(
        "binary_classifier_model_selection_criteria",
        Choice(
            (
                "accuracy",
                "f_beta",
                "precision_at_target_recall",
                "recall_at_target_precision",
                "loss_function",
            )
        ),
    ),
    Hyperparameter("early_stopping_patience", _COUNT),
    Hyperparameter("early_stopping_tolerance", _POSITIVE),
    Hyperparameter("epochs", _COUNT),
    Hyperparameter("f_beta", _POSITIVE),
    Hyperparameter("feature_dim", _COUNT_AUTO),
    Hyperparameter("huber_delta", _POSITIVE),
    Hyperparameter("init_bias", Real()),
    Hyperparameter("init_method", Choice(("uniform", "normal"))),
    Hyperparameter("init_scale", _POSITIVE),
    Hyperparameter("init_sigma", _POSITIVE),
    Hyperparameter("l1", _NOT_NEGATIVE_AUTO),
    Hyperparameter("learning_rate", _POSITIVE_AUTO),
    Hyperparameter("loss", Choice(tuple(dict.fromkeys(sum(LOSSES.values(), ()))))),
    Hyperparameter("loss_insensitivity", _POSITIVE),
    Hyperparameter("lr_scheduler_factor", Real(0, 1, low_open=True, high_open=True, words=_AUTO)),
    Hyperparameter("lr_scheduler_minimum_lr", _POSITIVE_AUTO),
    Hyperparameter("lr_scheduler_step", _COUNT_AUTO),
    Hyperparameter("margin", _POSITIVE),
    Hyperparameter("mini_batch_size", _COUNT),
    Hyperparameter("momentum", _DECAY_AUTO),
    Hyperparameter("normalize_data", _SWITCH_AUTO),
    Hyperparameter("normalize_label", _SWITCH_AUTO),
    Hyperparameter("num_calibration_samples", _COUNT_AUTO),
    Hyperparameter("num_models", _COUNT_AUTO),
    Hyperparameter("num_point_for_scaler", _COUNT),
    Hyperparameter("optimizer", Choice(("auto", "sgd", "adam", "rmsprop"))),
    Hyperparameter(
        "positive_example_weight_mult", Real(0, low_open=True, words=("balanced", "auto"))
    ),
    Hyperparameter("quantile", _INNER),
    Hyperparameter("target_precision", _INNER),
    Hyperparameter("target_recall", _INNER),
    Hyperparameter("unbias_data", _SWITCH_AUTO),
    Hyperparameter("unbias_label", _SWITCH_AUTO),
    Hyperparameter("use_bias", Switch()),
    Hyperparameter("use_lr_scheduler", Switch()),
    Hyperparameter("wd", _NOT_NEGATIVE_AUTO),
)

OBJECTIVES: Mapping[str, Goal] = {
    "absolute_loss": "Minimize",
    "binary_classification_accuracy": "Maximize",
    "binary_f_beta": "Maximize",
    "dcg": "Maximize",
    "macro_f_beta": "Maximize",
    "macro_precision": "Maximize",
    "macro_recall": "Maximize",
    "mse": "Minimize",
    "multiclass_accuracy": "Maximize",
    "multiclass_top_k_accuracy": "Maximize",
    "objective_loss": "Minimize",
    "precision": "Maximize",
    "recall": "Maximize",
    "roc_auc_score": "Maximize",
}
"""The metrics that "Tune a linear learner model" lists, each for validation and for test."""


def classes_are_counted(values: Mapping[str, str]) -> Iterator[Problem]:
    """``num_classes`` is needed by a classifier of several classes."""
    several = values.get("predictor_type") == "multiclass_classifier"
    if several and "num_classes" not in values:
        what = "is missing, and predictor_type is multiclass_classifier"
        yield Problem("num_classes", what, Whole(3, 1_000_000).allowed)


def loss_fits(values: Mapping[str, str]) -> Iterator[Problem]:
    """A loss must be one of those for the type of predictor."""
    fitting = LOSSES.get(values.get("predictor_type", ""), ())
    loss = values.get("loss")
    if fitting and loss is not None and loss not in fitting:
        what = f"got {loss!r}, and predictor_type is {values['predictor_type']}"
        yield Problem("loss", what, "one of " + ", ".join(fitting))


LINEAR_LEARNER = Algorithm(
    name="linear-learner",
    title="Linear Learner",
    purpose="Linear classification and regression: quick, and its weights can be explained.",
    mode="built-in",
    reads_own_metrics=True,
    pages=(
        "Linear learner hyperparameters",
        "Tune a linear learner model",
        "Linear Learner Algorithm",
        "Parameters for Built-in Algorithms",
    ),
    images="linear-learner",
    specifications=SPECIFICATIONS,
    rules=(classes_are_counted, loss_fits),
    channels=(
        Channel("train", required=True, content_types=(CSV, RECORDIO)),
        Channel("validation", content_types=(CSV, RECORDIO), replicated=True),
        Channel("test", content_types=(CSV, RECORDIO)),
    ),
    input_modes=("File", "Pipe"),
    serves=(CSV, JSON, RECORDIO),
    metrics=tuple(
        Metric(f"{part}:{name}", goal)
        for part in ("validation", "test")
        for name, goal in OBJECTIVES.items()
    ),
    tunable={
        "wd": ContinuousRange(1e-7, 1),
        "l1": ContinuousRange(1e-7, 1),
        "learning_rate": ContinuousRange(1e-5, 1),
        "mini_batch_size": IntegerRange(100, 5000),
        "use_bias": CategoricalRange(("true", "false")),
        "positive_example_weight_mult": ContinuousRange(1e-5, 1e5),
    },
    compute=Compute(several_instances=True, gpu=True, gpu_families=("p2", "p3", "g4dn", "g5")),
    checkpoints=True,
)
"""Sources: the pages named above. Not in the list of SageMaker Debugger."""
