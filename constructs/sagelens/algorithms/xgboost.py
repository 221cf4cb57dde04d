"""XGBoost as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .algorithm import Algorithm
from .channel import CSV, LIBSVM, PARQUET, RECORDIO, Channel
from .hyperparameter import Choice, CommaList, Hyperparameter, Real, Switch, Whole, WholeList
from .instances import Compute
from .metric import Goal, Metric
from .problems import Problem
from .tuning import ContinuousRange, IntegerRange, Range

PAGES = (
    "XGBoost hyperparameters",
    "Tune an XGBoost Model",
    "XGBoost algorithm with Amazon SageMaker AI",
    "Parameters for Built-in Algorithms",
    "Checkpoints in Amazon SageMaker AI",
)

_FLAG = Switch("1", "0")
_SHARE = Real(0, 1, low_open=True)
_PROBABILITY = Real(0, 1)
_AT_LEAST_0 = Real(0)

# eval_metric and objective: what the container's open source checks, and what XGBoost 3.0's
# "Learning Task Parameters" adds without asking for further parameters. Not verified: the check
# of 3.0-5 itself, whose source was not to be had.
_EVAL_METRICS = (
    "accuracy",
    "aft-nloglik",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "cox-nloglik",
    "error",
    "f1",
    "f1_binary",
    "f1_macro",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "map",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "ndcg",
    "poisson-nloglik",
    "pre",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
_OBJECTIVES = (
    "binary:hinge",
    "binary:logistic",
    "binary:logitraw",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:map",
    "rank:ndcg",
    "rank:pairwise",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:linear",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)
_UPDATERS = (
    "grow_colmaker|distcol|grow_histmaker|grow_local_histmaker|grow_quantile_histmaker|"
    "grow_skmaker|grow_gpu_hist|grow_gpu_approx|sync|refresh|prune|shotgun|coord_descent"
)

# The page's ranges, narrowed where the container's own check is narrower (subsample and the
# colsample_ ones do not take 0, alpha, lambda and base_score nothing below 0, max_depth and its
# like nothing below 0): there the job would fail.
SPECIFICATIONS = (
    Hyperparameter("num_round", Whole(1), required=True),
    Hyperparameter("num_class", Whole(2)),
    Hyperparameter("aft_loss_distribution", Choice(("normal", "logistic", "extreme"))),
    Hyperparameter("aft_loss_distribution_scale", _AT_LEAST_0),
    Hyperparameter("alpha", _AT_LEAST_0),
    Hyperparameter("base_score", _AT_LEAST_0),
    Hyperparameter("booster", Choice(("gbtree", "gblinear", "dart"))),
    Hyperparameter("colsample_bylevel", _SHARE),
    Hyperparameter("colsample_bynode", _SHARE),
    Hyperparameter("colsample_bytree", _SHARE),
    Hyperparameter("csv_weights", _FLAG),
    Hyperparameter("deterministic_histogram", Switch()),
    Hyperparameter("early_stopping_rounds", Whole(1)),
    Hyperparameter("eta", _PROBABILITY),
    Hyperparameter(
        "eval_metric",
        CommaList(
            rf"({'|'.join(_EVAL_METRICS)})|(ndcg|map)@?\d*-|(error|ndcg|map|pre)@[0-9.]+",
            f"metrics, each one of {', '.join(_EVAL_METRICS)}; error, ndcg, map and pre may have "
            "a threshold, such as error@0.7",
        ),
    ),
    Hyperparameter("gamma", _AT_LEAST_0),
    Hyperparameter("grow_policy", Choice(("depthwise", "lossguide"))),
    Hyperparameter("interaction_constraints", WholeList(1, nested=True)),
    Hyperparameter("lambda", _AT_LEAST_0),
    Hyperparameter("lambda_bias", _PROBABILITY),
    Hyperparameter("max_bin", Whole(0)),
    Hyperparameter("max_delta_step", _AT_LEAST_0),
    Hyperparameter("max_depth", Whole(0)),
    Hyperparameter("max_leaves", Whole(0)),
    Hyperparameter("min_child_weight", _AT_LEAST_0),
    Hyperparameter("monotone_constraints", WholeList(-1, 1, brackets="()")),
    Hyperparameter("normalize_type", Choice(("tree", "forest"))),
    Hyperparameter("nthread", Whole(1)),
    Hyperparameter("num_parallel_tree", Whole(1)),
    Hyperparameter("objective", Choice(_OBJECTIVES)),
    Hyperparameter("one_drop", _FLAG),
    Hyperparameter("process_type", Choice(("default", "update"))),
    Hyperparameter("rate_drop", _PROBABILITY),
    Hyperparameter("refresh_leaf", _FLAG),
    Hyperparameter("sample_type", Choice(("uniform", "weighted"))),
    Hyperparameter("sampling_method", Choice(("uniform", "gradient_based"))),
    Hyperparameter("save_model_on_termination", Switch()),
    Hyperparameter("scale_pos_weight", Real(0, low_open=True)),
    Hyperparameter("seed", Whole(-(2**31) + 1, 2**31 - 2)),
    Hyperparameter("single_precision_histogram", Switch()),
    Hyperparameter("sketch_eps", Real(0, 1, low_open=True, high_open=True)),
    Hyperparameter("skip_drop", _PROBABILITY),
    Hyperparameter("subsample", _SHARE),
    Hyperparameter("tree_method", Choice(("auto", "exact", "approx", "hist", "gpu_hist"))),
    Hyperparameter("tweedie_variance_power", Real(1, 2, low_open=True, high_open=True)),
    Hyperparameter("updater", CommaList(_UPDATERS, "updaters: " + _UPDATERS.replace("|", ", "))),
    Hyperparameter("use_dask_gpu_training", Switch()),
    Hyperparameter("verbosity", Whole(0, 3)),
    Hyperparameter("_kfold", Whole(2)),
    Hyperparameter("_num_cv_round", Whole(1)),
)

ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_alpha": "alpha",
    "reg_lambda": "lambda",
}

TUNABLE: Mapping[str, Range] = {
    "alpha": ContinuousRange(0, 1000),
    "colsample_bylevel": ContinuousRange(0.1, 1),
    "colsample_bynode": ContinuousRange(0.1, 1),
    "colsample_bytree": ContinuousRange(0.5, 1),
    "eta": ContinuousRange(0.1, 0.5),
    "gamma": ContinuousRange(0, 5),
    "lambda": ContinuousRange(0, 1000),
    "max_delta_step": IntegerRange(0, 10),
    "max_depth": IntegerRange(0, 10),
    "min_child_weight": ContinuousRange(0, 120),
    "num_round": IntegerRange(1, 4000),
    "subsample": ContinuousRange(0.5, 1),
}

OBJECTIVES: Mapping[str, Goal] = {
    "accuracy": "Maximize",
    "auc": "Maximize",
    "error": "Minimize",
    "f1": "Maximize",
    "logloss": "Minimize",
    "mae": "Minimize",
    "map": "Maximize",
    "merror": "Minimize",
    "mlogloss": "Minimize",
    "mse": "Minimize",
    "ndcg": "Maximize",
    "rmse": "Minimize",
}
"""The metrics that "Tune an XGBoost Model" lists, without "validation:"."""

COMPUTE = Compute(
    several_instances=True,
    gpu=True,
    gpu_families=("p3", "g4dn", "g5"),
    refused={"p2": "XGBoost from version 1.7-1 does not run on P2"},
    advice=dict.fromkeys(
        ("c4", "c5", "c5n", "c6i", "c7i"),
        "XGBoost is bound by memory: a general-purpose instance such as ml.m5 does better",
    ),
)


def classes_are_counted(values: Mapping[str, str]) -> Iterator[Problem]:
    """``num_class`` is needed when the objective tells several classes apart."""
    objective = values.get("objective", "")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        yield Problem("num_class", f"is missing, and objective is {objective}", Whole(2).allowed)


XGBOOST = Algorithm(
    name="xgboost",
    title="XGBoost",
    purpose="Classification, regression and ranking on tables: the first choice for most of them.",
    mode="built-in",
    reads_own_metrics=True,
    pages=PAGES,
    images="xgboost",
    specifications=SPECIFICATIONS,
    aliases=ALIASES,
    rules=(classes_are_counted,),
    channels=(
        Channel("train", required=True, content_types=(CSV, LIBSVM, PARQUET, RECORDIO)),
        Channel("validation", content_types=(CSV, LIBSVM, PARQUET, RECORDIO)),
    ),
    input_modes=("File", "Pipe"),
    serves=(CSV, LIBSVM),
    metrics=tuple(Metric(f"validation:{name}", goal) for name, goal in OBJECTIVES.items()),
    tunable=TUNABLE,
    compute=COMPUTE,
    checkpoints=True,
)
"""Sources: the pages named in ``PAGES``; the open source of the container (hyperparameter check,
checkpoints). Debugger: "Supported frameworks and algorithms" names 1.0-1, 1.2-1 and 1.3-1 only."""
