"""The arguments of the pipeline's Lambda step."""

from __future__ import annotations

import re
from typing import Any

import pytest

from experiment_tracking import request

ARGUMENTS: dict[str, Any] = {
    "experiment": "churn",
    "execution_arn": "arn:aws:sagemaker:eu-west-1:1:pipeline/churn/execution/abc",
    "training_job": "job",
    "model_group": "group",
    "model_url": "s3://bucket/model.tar.gz",
    "evaluation_url": "s3://bucket/evaluation/evaluation.json",
    "plots_url": "",
    "parameters.max_depth": "5",
    "parameters.eta": 0.2,
    "metrics.validation:auc": "0.84",
}


def test_arguments_are_read() -> None:
    read = request.read(ARGUMENTS)
    assert read.run_name == "abc"
    assert read.parameters == {"max_depth": "5", "eta": "0.2"}
    assert read.metrics == {"validation:auc": 0.84}
    assert read.tags()["sagelens.execution"] == ARGUMENTS["execution_arn"]


def test_optional_arguments_may_be_absent() -> None:
    few = {name: ARGUMENTS[name] for name in request.REQUIRED}
    read = request.read(few)
    assert (read.evaluation_url, read.plots_url, read.parameters) == ("", "", {})
    assert read.model == read.experiment


def test_the_model_may_be_named_otherwise_than_the_experiment() -> None:
    assert request.read({**ARGUMENTS, "model": "leavers"}).model == "leavers"


def test_everything_wrong_is_named_at_once() -> None:
    wrong = {
        **ARGUMENTS,
        "experiment": "",
        "training_job": None,
        "model_url": "https://bucket/key",
        "plots_url": "s3://only-a-bucket",
        "metrics.auc": "good",
        "parameter.eta": 1,
    }
    with pytest.raises(ValueError, match="cannot be tracked") as refused:
        request.read(wrong)
    for words in (
        "experiment: got ''",
        "training_job: got None",
        "model_url: got 'https://bucket/key', allowed is an S3 URL",
        "plots_url: got 's3://only-a-bucket'",
        "metrics.auc: got 'good', allowed is a number",
        "'parameter.eta' is no argument; known are",
    ):
        assert words in str(refused.value)


def test_an_identity_cannot_break_out_of_the_search() -> None:
    evil = {**ARGUMENTS, "execution_arn": "x' OR tags.a = 'b"}
    with pytest.raises(ValueError, match=re.escape("which is no ARN")):
        request.read(evil)
