"""The catalogue: names, metrics, tuning, channels, instances, and that it needs no CDK."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest

from sagelens.algorithms import (
    Algorithm,
    AlgorithmError,
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Metric,
    algorithm,
    names,
    own_image,
    parameter_ranges,
    processor,
)
from sagelens.algorithms.instances import family

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "constructs/sagelens/algorithms"
ALL = [algorithm(name) for name in names()]


def test_these_are_the_algorithms() -> None:
    assert names() == (
        "xgboost",
        "linear-learner",
        "kmeans",
        "pca",
        "ntm",
        "xgboost-script",
        "scikit-learn",
        "tensorflow",
        "pytorch",
    )


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("xgbost", "xgboost"),
        ("XGBoost", "xgboost"),
        ("linear_learner", "linear-learner"),
        ("k-means", "kmeans"),
        ("sklearn", "scikit-learn"),
        ("Pytorch", "pytorch"),
    ],
)
def test_an_unknown_name_is_told_with_the_one_meant(given: str, meant: str) -> None:
    with pytest.raises(ValueError, match="allowed are xgboost, linear-learner") as caught:
        algorithm(given)
    assert f"got {given!r}; did you mean {meant}?" in str(caught.value)


def test_all_but_the_address_works_without_the_cdk() -> None:
    code = f"""
import sys, types
sys.modules["aws_cdk"] = None
sys.modules["constructs"] = None
library = types.ModuleType("sagelens")
library.__path__ = [{str(PACKAGE.parent)!r}]
sys.modules["sagelens"] = library
from sagelens.algorithms import algorithm, names
for name in names():
    algorithm(name).image("training").account("eu-west-1")
print(algorithm("xgboost").hyperparameters({{"num_round": 3}}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "{'num_round': '3'}\n"


def test_every_module_is_short() -> None:
    for path in PACKAGE.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 310, path


# Lines as they stand in logs: XGBoost's as CloudWatch shows them (#011 is a tab); Keras 3's and
# Keras 2's at the end of an epoch.
LINES = {
    "xgboost-script": [
        ("[39]#011train-auc:0.91498#011validation-auc:0.80470", "train:auc", "0.91498"),
        ("[39]#011train-auc:0.91498#011validation-auc:0.80470", "validation:auc", "0.80470"),
        ("[3]#011train-logloss:0.3#011validation-logloss:1e-05", "validation:logloss", "1e-05"),
        ("[12]#011validation-rmse:12.5", "validation:rmse", "12.5"),
    ],
    "tensorflow": [
        (
            "844/844 ━━━━━━ 10s 7ms/step - accuracy: 0.9449 - loss: 0.1896 - val_accuracy: 0.9847 "
            "- val_loss: 0.0537",
            "validation:accuracy",
            "0.9847",
        ),
        (
            "208/208 - 87s - 419ms/step - accuracy: 0.0138 - loss: 4.8794 - val_accuracy: 0.0162 "
            "- val_loss: 4.8441 - learning_rate: 0.0010",
            "train:loss",
            "4.8794",
        ),
        (
            "844/844 - 10s 7ms/step - loss: 0.1896 - accuracy: 0.9449 - val_loss: 5.37e-02 "
            "- val_accuracy: 0.9847",
            "validation:loss",
            "5.37e-02",
        ),
        ("1/1 - accuracy: 0.5 - loss: 0.7599", "train:accuracy", "0.5"),
    ],
}
CASES = [(name, *case) for name, cases in LINES.items() for case in cases]


@pytest.mark.parametrize(("name", "line", "metric", "value"), CASES)
def test_expressions_find_the_value_in_a_line_of_the_log(
    name: str, line: str, metric: str, value: str
) -> None:
    found = {one.name: one.definition()["Regex"] for one in algorithm(name).metrics}
    match = re.search(found[metric], line)
    assert match is not None
    assert match[1] == value
    assert re.compile(found[metric]).groups == 1


def test_an_expression_does_not_take_one_metric_for_another() -> None:
    found = {one.name: one.definition()["Regex"] for one in algorithm("xgboost-script").metrics}
    line = "[1]#011train-aucpr:0.7#011validation-mlogloss:0.2"
    assert [name for name, regex in found.items() if re.search(regex, line)] == [
        "validation:mlogloss"
    ]


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_metrics_fit_the_api(one: Algorithm) -> None:
    found = one.metric_definitions()
    assert len(found) <= 40
    assert all(len(each["Regex"]) <= 500 and len(each["Name"]) <= 255 for each in found)


@pytest.mark.parametrize("name", ["xgboost", "linear-learner", "xgboost-script"])
def test_where_sagemaker_reads_metrics_by_its_own_definitions_none_are_given(name: str) -> None:
    """A job that brings any is refused; XGBoost's image has them in script mode too."""
    assert algorithm(name).metric_definitions() == []
    with pytest.raises(AlgorithmError, match="SageMaker reads this image's by its own"):
        algorithm(name).with_metrics(Metric("mine", regex="(.)"))


def test_a_built_in_algorithm_has_no_expressions() -> None:
    with pytest.raises(ValueError, match="defines its metrics itself"):
        algorithm("xgboost").objective("validation:auc").definition()


def test_a_script_adds_metrics() -> None:
    mine = Metric("test:recall", "Maximize", r"recall=([0-9.]+)")
    script = algorithm("pytorch").with_metrics(mine)
    assert script.metric_definitions() == [{"Name": "test:recall", "Regex": r"recall=([0-9.]+)"}]
    assert script.objective("test:recall") is mine
    assert algorithm("pytorch").metrics == ()
    with pytest.raises(AlgorithmError, match="test:recall: is there already"):
        script.with_metrics(mine)
    with pytest.raises(AlgorithmError, match="got 41 in all"):
        own_image("a:1", metrics=tuple(Metric(f"m{n}", regex="(.)") for n in range(41)))


def test_an_objective_is_one_of_the_metrics() -> None:
    assert algorithm("xgboost").objective("validation:auc").goal == "Maximize"
    assert algorithm("ntm").objective("validation:total_loss").goal == "Minimize"
    with pytest.raises(AlgorithmError, match="did you mean validation:auc"):
        algorithm("xgboost").objective("validation-auc")
    with pytest.raises(AlgorithmError, match="none: it reports no metric"):
        algorithm("pca").objective("test:error")


def test_recommended_ranges_lie_within_what_is_allowed() -> None:
    for one in ALL:
        assert one.tuning_ranges(dict.fromkeys(one.tunable)) == dict(one.tunable)


def test_ranges_become_what_the_api_wants() -> None:
    ranges = algorithm("linear-learner").tuning_ranges(
        {
            "wd": None,
            "mini_batch_size": IntegerRange(200, 300, "Linear"),
            "use_bias": None,
        }
    )
    assert parameter_ranges(ranges) == {
        "IntegerParameterRanges": [
            {
                "Name": "mini_batch_size",
                "MinValue": "200",
                "MaxValue": "300",
                "ScalingType": "Linear",
            }
        ],
        "ContinuousParameterRanges": [
            {"Name": "wd", "MinValue": "0.0000001", "MaxValue": "1", "ScalingType": "Auto"}
        ],
        "CategoricalParameterRanges": [{"Name": "use_bias", "Values": ["true", "false"]}],
    }
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.shape_for("ParameterRanges")
    report = botocore.validate.ParamValidator().validate(parameter_ranges(ranges), shape)
    assert not report.has_errors(), report.generate_report()


def test_wrong_ranges_are_told_all_at_once() -> None:
    with pytest.raises(AlgorithmError) as caught:
        algorithm("xgboost").tuning_ranges(
            {
                "eta": ContinuousRange(0.5, 2),
                "max_depth": IntegerRange(8, 2),
                "booster": CategoricalRange(("gbtree",)),
                "sub_sample": None,
            }
        )
    assert [problem.name for problem in caught.value.problems] == [
        "eta",
        "max_depth",
        "booster",
        "sub_sample",
    ]
    assert "did you mean subsample?" in str(caught.value)
    with pytest.raises(AlgorithmError, match="has no recommended range"):
        algorithm("pytorch").tuning_ranges({"lr": None})
    with pytest.raises(AlgorithmError, match="got elu"):
        algorithm("ntm").tuning_ranges({"encoder_layers_activation": CategoricalRange(("elu",))})
    own = algorithm("pytorch").tuning_ranges({"lr": ContinuousRange(1e-4, 0.1)})
    assert own == {"lr": ContinuousRange(1e-4, 0.1)}


def test_channels_are_checked_all_at_once() -> None:
    algorithm("ntm").check_channels(["train", "validation", "auxiliary"])
    algorithm("pytorch").check_channels(["train", "code"])
    with pytest.raises(AlgorithmError) as caught:
        algorithm("kmeans").check_channels(["trian", "test", "test"])
    assert [str(one) for one in caught.value.problems] == [
        "train: is missing; allowed: this channel is needed",
        "trian: is no channel; did you mean train?; allowed: train, test",
        "test: is there twice; allowed: each channel once",
    ]


@pytest.mark.parametrize(
    ("name", "instance_type", "count", "said"),
    [
        ("xgboost", "ml.m5.xlarge", 2, None),
        ("xgboost", "ml.g5.xlarge", 1, None),
        ("xgboost", "ml.p2.xlarge", 1, "does not run on P2"),
        ("xgboost", "ml.t2.medium", 1, "notebooks and hosting only"),
        ("xgboost", "ml.t3.medium", 1, None),
        ("xgboost", "ml.m7g.xlarge", 1, "not built for Arm"),
        ("xgboost", "ml.c6gn.xlarge", 1, "not built for Arm"),
        ("xgboost", "m5.xlarge", 1, "such as ml.m5.xlarge"),
        ("xgboost", "ml.m5.xlarge", 0, "got 0"),
        ("pytorch", "ml.trn1.2xlarge", 1, "not built for AWS Neuron"),
        ("pytorch", "ml.p4d.24xlarge", 4, None),
        ("scikit-learn", "ml.g4dn.xlarge", 1, "no use of GPUs"),
        ("scikit-learn", "ml.m5.xlarge", 2, "got 2; allowed: 1"),
    ],
)
def test_instances_are_checked(name: str, instance_type: str, count: int, said: str | None) -> None:
    if said is None:
        algorithm(name).check_instances(instance_type, count)
    else:
        with pytest.raises(AlgorithmError, match=said):
            algorithm(name).check_instances(instance_type, count)


def test_every_training_instance_type_is_understood() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    for instance_type in model.shape_for("TrainingInstanceType").enum:
        assert family(instance_type), instance_type
        assert processor(instance_type) == ("gpu" if instance_type[3] in "gp" else "cpu")


def test_remarks_tell_what_the_page_advises() -> None:
    remarks = algorithm("xgboost").compute.remarks
    assert "bound by memory" in next(remarks("ml.c5.xlarge"))
    assert "p3, g4dn, g5 only" in next(remarks("ml.g6.xlarge"))
    assert list(remarks("ml.m5.xlarge")) == []


def test_spot_without_checkpoints_waits_an_hour_at_most() -> None:
    limits = {one.name: one.longest_spot_wait for one in ALL}
    assert {name for name, limit in limits.items() if limit == 3600} == {"kmeans", "pca", "ntm"}
    assert limits["xgboost"] is None


def test_debugger_is_for_images_that_its_page_names() -> None:
    assert [one.name for one in ALL if one.debugger] == ["tensorflow", "pytorch"]
    assert own_image("a:1", debugger=True).debugger


def yes(value: bool) -> str:
    return "yes" if value else "no"


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_the_page_tells_each_algorithm_as_it_is(one: Algorithm) -> None:
    row = (
        f"| `{one.name}` | {one.image('training').version} | {yes(one.compute.gpu)} | "
        f"{yes(one.compute.several_instances)} | {yes(one.checkpoints)} | "
        f"{', '.join(one.input_modes)} | {yes(one.debugger)} |"
    )
    page = (ROOT / "docs/algorithms.md").read_text(encoding="utf-8").splitlines()
    assert row in page
    assert f"| `{one.name}` | {one.purpose} |" in page
