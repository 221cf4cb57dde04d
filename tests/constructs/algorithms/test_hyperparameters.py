"""Hyperparameters: AWS's bounds, just inside and just outside, and how values are written."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelens.algorithms import Algorithm, AlgorithmError, algorithm, names, numbers, own_image
from sagelens.algorithms.hyperparameter import Real, Whole

# What a job needs at least, so that one further hyperparameter can be judged alone.
LEAST: dict[str, dict[str, Any]] = {
    "xgboost": {"num_round": 10},
    "linear-learner": {"predictor_type": "regressor"},
    "kmeans": {"feature_dim": 4, "k": 3},
    "pca": {"feature_dim": 4, "mini_batch_size": 100, "num_components": 2},
    "ntm": {"feature_dim": 1000, "num_topics": 5},
}
HUGE = 10**9

# (algorithm, hyperparameter, what is let in, what is not), copied from the pages by hand:
# "XGBoost hyperparameters" and its container's check, "Linear learner hyperparameters",
# "K-Means Hyperparameters", "PCA Hyperparameters", "NTM Hyperparameters".
BOUNDS: list[tuple[str, str, list[Any], list[Any]]] = [
    ("xgboost", "num_round", [1, HUGE, "100"], [0, -1, 1.5, "1.0", True, None]),
    ("xgboost", "num_class", [2, 3], [1]),
    ("xgboost", "alpha", [0, 0.5, HUGE], [-1e-9]),
    ("xgboost", "base_score", [0, 0.5], [-0.1]),
    ("xgboost", "booster", ["gbtree", "gblinear", "dart"], ["GBTree", "", 1]),
    ("xgboost", "colsample_bylevel", [1e-9, 1], [0, 1.0001]),
    ("xgboost", "colsample_bynode", [1e-9, 1], [0, 1.0001]),
    ("xgboost", "colsample_bytree", [1e-9, 1], [0, 1.0001]),
    ("xgboost", "csv_weights", [0, 1, "1", True, False], [2, -1, "true"]),
    ("xgboost", "deterministic_histogram", ["true", "false", True, False], [1, "True"]),
    ("xgboost", "early_stopping_rounds", [1], [0]),
    ("xgboost", "eta", [0, 1, "0.2", "1e-3"], [-0.001, 1.001, "", "0,2", math.nan, True]),
    (
        "xgboost",
        "eval_metric",
        ["auc", "auc,error", ["auc", "error@0.7"], "ndcg@5-", "map-"],
        ["aucs", "", [], "auc,", "logloss@0.5", 3],
    ),
    ("xgboost", "gamma", [0, HUGE], [-1, math.inf]),
    ("xgboost", "grow_policy", ["depthwise", "lossguide"], ["depth-wise"]),
    ("xgboost", "interaction_constraints", [[[1, 2], [3]], "[[1,2],[3]]"], [[[0]], [1], "x", []]),
    ("xgboost", "lambda", [0], [-1]),
    ("xgboost", "lambda_bias", [0, 1], [-0.1, 1.1]),
    ("xgboost", "max_bin", [0, 256], [-1]),
    ("xgboost", "max_delta_step", [0, 10], [-1]),
    ("xgboost", "max_depth", [0, 5, HUGE], [-1, 5.5]),
    ("xgboost", "max_leaves", [0], [-1]),
    ("xgboost", "min_child_weight", [0, 6], [-0.1]),
    ("xgboost", "monotone_constraints", [(1, 0, -1), "(1, 0, -1)", [1]], [(2,), "(2)", [], "("]),
    ("xgboost", "normalize_type", ["tree", "forest"], ["trees"]),
    ("xgboost", "nthread", [1], [0]),
    ("xgboost", "objective", ["binary:logistic", "reg:squarederror"], ["binary", "logistic"]),
    ("xgboost", "one_drop", [0, 1], [2]),
    ("xgboost", "process_type", ["default", "update"], ["new"]),
    ("xgboost", "rate_drop", [0, 1], [-0.1, 1.1]),
    ("xgboost", "refresh_leaf", [0, 1], [2]),
    ("xgboost", "sample_type", ["uniform", "weighted"], ["none"]),
    ("xgboost", "scale_pos_weight", [0.001, 100], [0, -1]),
    ("xgboost", "seed", [0, -5, 2**31 - 2], [2**31 - 1, -(2**31)]),
    ("xgboost", "single_precision_histogram", [True], [1]),
    ("xgboost", "sketch_eps", [0.03], [0, 1]),
    ("xgboost", "skip_drop", [0, 1], [-0.1, 1.1]),
    ("xgboost", "subsample", [1e-9, 0.8, 1], [0, 1.0001]),
    ("xgboost", "tree_method", ["auto", "exact", "approx", "hist", "gpu_hist"], ["gpu_exact"]),
    ("xgboost", "tweedie_variance_power", [1.0001, 1.5, 1.9999], [1, 2]),
    ("xgboost", "updater", ["grow_colmaker,prune", ["refresh"]], ["grow", ""]),
    ("xgboost", "verbosity", [0, 3], [-1, 4]),
    ("linear-learner", "accuracy_top_k", [1], [0]),
    ("linear-learner", "balance_multiclass_weights", [True, "false"], ["auto"]),
    ("linear-learner", "beta_1", ["auto", 0, 0.999], [1, -0.1, "Auto"]),
    ("linear-learner", "beta_2", ["auto", 0, 0.999], [1, -0.1]),
    ("linear-learner", "bias_lr_mult", ["auto", 1e-9, HUGE], [0]),
    ("linear-learner", "bias_wd_mult", ["auto", 0], [-1]),
    (
        "linear-learner",
        "binary_classifier_model_selection_criteria",
        ["accuracy", "f_beta", "loss_function"],
        ["f1", "auto"],
    ),
    ("linear-learner", "early_stopping_patience", [1], [0]),
    ("linear-learner", "early_stopping_tolerance", [1e-9], [0]),
    ("linear-learner", "epochs", [1, 15], [0]),
    ("linear-learner", "f_beta", [0.1], [0]),
    ("linear-learner", "feature_dim", [1, "auto"], [0]),
    ("linear-learner", "huber_delta", [0.1], [0]),
    ("linear-learner", "init_bias", [-5.5, 0, 5], ["auto"]),
    ("linear-learner", "init_method", ["uniform", "normal"], ["zero"]),
    ("linear-learner", "init_scale", [0.07], [0]),
    ("linear-learner", "init_sigma", [0.01], [0]),
    ("linear-learner", "l1", ["auto", 0, 1], [-1]),
    ("linear-learner", "learning_rate", ["auto", 1e-5], [0]),
    ("linear-learner", "loss", ["auto", "quantile_loss", "huber_loss"], ["mse"]),
    ("linear-learner", "loss_insensitivity", [0.01], [0]),
    ("linear-learner", "lr_scheduler_factor", ["auto", 0.5], [0, 1]),
    ("linear-learner", "lr_scheduler_minimum_lr", ["auto", 1e-5], [0]),
    ("linear-learner", "lr_scheduler_step", ["auto", 1], [0]),
    ("linear-learner", "margin", [0.1], [0]),
    ("linear-learner", "mini_batch_size", [1], [0]),
    ("linear-learner", "momentum", ["auto", 0, 0.99], [1]),
    ("linear-learner", "normalize_data", ["auto", True, "false"], ["no", 1]),
    ("linear-learner", "normalize_label", ["auto", True], [0]),
    ("linear-learner", "num_calibration_samples", ["auto", 1], [0]),
    ("linear-learner", "num_classes", [3, 1_000_000], [2, 1_000_001]),
    ("linear-learner", "num_models", ["auto", 1], [0]),
    ("linear-learner", "num_point_for_scaler", [1], [0]),
    ("linear-learner", "optimizer", ["auto", "sgd", "adam", "rmsprop"], ["adagrad"]),
    ("linear-learner", "positive_example_weight_mult", ["balanced", "auto", 2], [0, "equal"]),
    ("linear-learner", "quantile", [0.5], [0, 1]),
    ("linear-learner", "target_precision", [0.8], [0, 1]),
    ("linear-learner", "target_recall", [0.8], [0, 1]),
    ("linear-learner", "unbias_data", ["auto", False], [0]),
    ("linear-learner", "unbias_label", ["auto", False], [0]),
    ("linear-learner", "use_bias", [True], ["auto"]),
    ("linear-learner", "use_lr_scheduler", [False], ["auto"]),
    ("linear-learner", "wd", ["auto", 0], [-1]),
    ("kmeans", "feature_dim", [1], [0]),
    ("kmeans", "k", [1], [0]),
    ("kmeans", "epochs", [1], [0]),
    ("kmeans", "eval_metrics", [["msd"], ["msd", "ssd"], '["ssd"]'], [["mse"], [], "msd"]),
    ("kmeans", "extra_center_factor", [1, "auto"], [0]),
    ("kmeans", "half_life_time_size", [0], [-1]),
    ("kmeans", "init_method", ["random", "kmeans++"], ["kmeans"]),
    ("kmeans", "local_lloyd_init_method", ["random", "kmeans++"], ["auto"]),
    ("kmeans", "local_lloyd_max_iter", [1], [0]),
    ("kmeans", "local_lloyd_num_trials", [1, "auto"], [0]),
    ("kmeans", "local_lloyd_tol", [0, 1], [-0.1, 1.1]),
    ("kmeans", "mini_batch_size", [1], [0]),
    ("pca", "feature_dim", [1], [0]),
    ("pca", "mini_batch_size", [1], [0]),
    ("pca", "num_components", [1], [0]),
    ("pca", "algorithm_mode", ["regular", "randomized"], ["random"]),
    ("pca", "extra_components", [-1, 0, 10], [-2]),
    ("pca", "subtract_mean", [True, "false"], [1]),
    ("ntm", "feature_dim", [1, 1_000_000], [0, 1_000_001]),
    ("ntm", "num_topics", [2, 1000], [1, 1001]),
    ("ntm", "batch_norm", [True], [1]),
    ("ntm", "clip_gradient", [1e-3, HUGE], [0.00099, math.inf]),
    ("ntm", "encoder_layers", ["auto", "30,20", [30, 20], 5], ["0", "auto,3", "", [0]]),
    ("ntm", "encoder_layers_activation", ["sigmoid", "tanh", "relu"], ["elu"]),
    ("ntm", "epochs", [1], [0]),
    ("ntm", "learning_rate", [1e-6, 1.0], [9e-7, 1.1]),
    ("ntm", "mini_batch_size", [1, 10_000], [0, 10_001]),
    ("ntm", "num_patience_epochs", [1], [0]),
    ("ntm", "optimizer", ["sgd", "adam", "adagrad", "adadelta", "rmsprop"], ["auto"]),
    ("ntm", "rescale_gradient", [1e-3, 1.0], [9e-4, 1.1]),
    ("ntm", "sub_sample", [0.0, 1.0], [-0.1, 1.1]),
    ("ntm", "tolerance", [1e-6, 0.1], [9e-7, 0.11]),
    ("ntm", "weight_decay", [0.0, 1.0], [-0.1, 1.1]),
]
INSIDE = [(name, key, value) for name, key, inside, _ in BOUNDS for value in inside]
OUTSIDE = [(name, key, value) for name, key, _, outside in BOUNDS for value in outside]


@pytest.mark.parametrize(("name", "key", "value"), INSIDE)
def test_what_the_page_allows_is_let_in(name: str, key: str, value: Any) -> None:
    written = algorithm(name).hyperparameters({**LEAST[name], key: value})
    assert isinstance(written[key], str)


@pytest.mark.parametrize(("name", "key", "value"), OUTSIDE)
def test_what_the_page_does_not_allow_is_refused(name: str, key: str, value: Any) -> None:
    with pytest.raises(AlgorithmError) as caught:
        algorithm(name).hyperparameters({**LEAST[name], key: value})
    (problem,) = caught.value.problems
    assert problem.name == key
    assert repr(value) in problem.problem
    assert problem.allowed


def test_nearly_every_hyperparameter_has_its_bounds_tested() -> None:
    tested = {(name, key) for name, key, _, _ in BOUNDS}
    known = {(name, one.name) for name in LEAST for one in algorithm(name).specifications}
    # Not on the page: the container's own, known from its source only.
    unlisted = {
        "_kfold",
        "_num_cv_round",
        "aft_loss_distribution",
        "aft_loss_distribution_scale",
        "num_parallel_tree",
        "sampling_method",
        "save_model_on_termination",
        "use_dask_gpu_training",
        "predictor_type",
    }
    assert {key for _, key in known - tested} == unlisted
    assert tested <= known


@pytest.mark.parametrize("name", LEAST)
def test_what_is_required_is_missed_all_at_once(name: str) -> None:
    with pytest.raises(AlgorithmError) as caught:
        algorithm(name).hyperparameters({})
    assert {problem.name for problem in caught.value.problems} == set(LEAST[name])
    assert algorithm(name).hyperparameters(LEAST[name]).keys() == LEAST[name].keys()


def test_all_errors_come_at_once_and_say_what_where_and_what_is_allowed() -> None:
    wrong = {
        "max_dept": 5,
        "eta": 2,
        "subsample": 0,
        "booster": "tree",
        "objective": "multi:softmax",
    }
    with pytest.raises(AlgorithmError) as caught:
        algorithm("xgboost").hyperparameters(wrong)
    assert str(caught.value).splitlines() == [
        "xgboost: the hyperparameters are not right:",
        '  max_dept: is unknown; did you mean max_depth?; allowed: those of "XGBoost '
        'hyperparameters"',
        "  eta: got 2; allowed: a number from 0 to 1",
        "  subsample: got 0; allowed: a number above 0 and at most 1",
        "  booster: got 'tree'; allowed: one of gbtree, gblinear, dart",
        "  num_round: is missing; allowed: a whole number of at least 1",
        "  num_class: is missing, and objective is multi:softmax; allowed: a whole number of at "
        "least 2",
    ]
    assert algorithm("xgboost").hyperparameter_problems(wrong) == caught.value.problems


def test_a_name_that_is_like_none_lists_them_all() -> None:
    (problem,) = algorithm("pca").hyperparameter_problems({**LEAST["pca"], "zzz": 1})
    assert problem.allowed.startswith("algorithm_mode, extra_components, feature_dim")


def test_values_are_written_as_sagemaker_wants_them() -> None:
    given: dict[str, Any] = {
        "num_round": 100,
        "eta": 0.2,
        "csv_weights": True,
        "deterministic_histogram": False,
        "eval_metric": ["auc", "error@0.7"],
        "monotone_constraints": [1, 0, -1],
        "interaction_constraints": [[1, 2], [3]],
        "gamma": 1e-05,
        "max_depth": " 5",
        "seed": "+7",
    }
    assert algorithm("xgboost").hyperparameters(given) == {
        "num_round": "100",
        "eta": "0.2",
        "csv_weights": "1",
        "deterministic_histogram": "false",
        "eval_metric": "auc,error@0.7",
        "monotone_constraints": "(1,0,-1)",
        "interaction_constraints": "[[1,2],[3]]",
        "gamma": "0.00001",
        "max_depth": "5",
        "seed": "7",
    }
    metrics = algorithm("kmeans").hyperparameters({**LEAST["kmeans"], "eval_metrics": ["msd"]})
    assert metrics["eval_metrics"] == '["msd"]'


def test_only_what_is_given_is_written() -> None:
    assert algorithm("kmeans").hyperparameters({"k": 3, "feature_dim": 2}) == {
        "k": "3",
        "feature_dim": "2",
    }


def test_another_name_of_a_hyperparameter_is_written_by_its_own() -> None:
    written = algorithm("xgboost").hyperparameters({"num_round": 1, "learning_rate": 0.1})
    assert written == {"num_round": "1", "eta": "0.1"}
    problems = algorithm("xgboost").hyperparameter_problems(
        {"num_round": 1, "learning_rate": 0.1, "eta": 0.2}
    )
    assert [str(one) for one in problems] == [
        "eta: is the same as learning_rate; allowed: one of the two"
    ]


@pytest.mark.parametrize(
    ("name", "given", "wrong"),
    [
        ("xgboost", {"objective": "multi:softprob"}, "num_class"),
        ("linear-learner", {"predictor_type": "multiclass_classifier"}, "num_classes"),
        ("linear-learner", {"loss": "hinge_loss"}, "loss"),
        ("linear-learner", {"predictor_type": "binary_classifier", "loss": "huber_loss"}, "loss"),
    ],
)
def test_hyperparameters_demand_of_each_other(name: str, given: dict[str, Any], wrong: str) -> None:
    (problem,) = algorithm(name).hyperparameter_problems({**LEAST[name], **given})
    assert problem.name == wrong


def test_what_a_tuning_job_sets_is_neither_missed_nor_given() -> None:
    xgboost = algorithm("xgboost")
    assert xgboost.hyperparameters({"eta": 0.1}, tuned=["num_round"]) == {"eta": "0.1"}
    (problem,) = xgboost.hyperparameter_problems({"num_round": 5}, tuned=["num_round"])
    assert problem.problem == "a tuning job sets it"


def test_text_with_a_token_is_passed() -> None:
    token = "${Token[TOKEN.12]}"
    assert algorithm("xgboost").hyperparameters({"num_round": token}) == {"num_round": token}


SCRIPTS = [algorithm(name) for name in names() if algorithm(name).mode == "script"]
SCRIPTS.append(own_image("example.com/mine:1"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.name)
def test_a_script_takes_names_of_its_own(script: Algorithm) -> None:
    values: dict[str, Any] = {"cost-of-a-miss": 1e-7, "quiet": True, "label": "a b", "n": 3}
    assert script.hyperparameters(values) == {
        "cost-of-a-miss": "0.0000001",
        "quiet": "true",
        "label": "a b",
        "n": "3",
    }
    wrong: dict[str, Any] = {"sagemaker_program": "x", "": 1, "list": [1], "nan": math.nan}
    assert len(script.hyperparameter_problems(wrong)) == len(wrong)
    assert script.hyperparameter_problems({"long": "x" * 2501})
    assert script.hyperparameter_problems({f"n{i}": i for i in range(101)})


def test_a_script_of_xgboost_has_its_own_hyperparameters_checked() -> None:
    script = algorithm("xgboost-script")
    assert script.hyperparameters({"eta": 0.2, "threshold": 3}) == {"eta": "0.2", "threshold": "3"}
    assert [one.name for one in script.hyperparameter_problems({"eta": 2})] == ["eta"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_written_in_plain_decimals_and_reads_back(value: float) -> None:
    text = numbers.text(value)
    assert float(text) == value
    assert set(text) <= set("-.0123456789")
    assert len(text) <= 400
    assert numbers.real(text) == value


@given(st.integers())
def test_every_whole_number_reads_back(value: int) -> None:
    assert numbers.whole(numbers.text(value)) == value


@given(st.floats(), st.one_of(st.none(), st.floats(-10, 10)), st.booleans())
def test_an_interval_lets_in_exactly_its_numbers(
    value: float, low: float | None, is_open: bool
) -> None:
    allowed = math.isfinite(value) and (
        low is None or value > low or (value == low and not is_open)
    )
    assert (Real(low, low_open=is_open).text(value) is not None) == allowed


@given(st.one_of(st.text(), st.binary(), st.lists(st.integers()), st.none(), st.booleans()))
def test_nothing_but_numbers_is_a_whole_number(value: object) -> None:
    text = Whole().text(value)
    assert text is None or int(text) == int(str(value))


def test_absurd_values_are_refused_not_choked_on() -> None:
    for value in (10**5000, -(10**5000), 10**301, "9" * 5000, "1e999", ["x"] * 5000):
        (problem,) = algorithm("xgboost").hyperparameter_problems({"num_round": value})
        assert len(problem.problem) < 100
        assert Real().text(value) is None
