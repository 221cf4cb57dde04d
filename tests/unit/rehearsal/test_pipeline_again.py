"""When a step is not run again, and when it is: caching and retry policies."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rehearsal.sagemaker.pipelines import retries
from rehearsal.sagemaker.pipelines.caching import CachedRun, StepCache, cache_key, duration
from rehearsal.sagemaker.pipelines.retries import (
    RetryPolicy,
    has_policy,
    next_delay,
    parse_policies,
    policy_problems,
)

TRAIN: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "HyperParameters": {"max_depth": "5"},
    "InputDataConfig": [{"ChannelName": "train"}],
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "OutputDataConfig": {"S3OutputPath": "s3://b/runs/1"},
    "RoleArn": "arn:aws:iam::000000000000:role/a",
}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * 86_400),
        ("P30D", 30 * 86_400),
        ("5y", 5 * 365 * 86_400),
        ("T16m", 960),
        ("PT1H", 3_600),
        ("30dT5h", 30 * 86_400 + 5 * 3_600),
        ("P1M", 30 * 86_400),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "30", "1h", "thirty days", "PT1.5H"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


def test_only_the_documented_attributes_of_a_step_count() -> None:
    key = cache_key("Training", "Train", TRAIN)
    same = copy.deepcopy(TRAIN)
    same["ResourceConfig"]["InstanceType"] = "ml.m5.xlarge"
    same["OutputDataConfig"]["S3OutputPath"] = "s3://b/runs/2"
    same["RoleArn"] = "arn:aws:iam::000000000000:role/b"
    assert cache_key("Training", "Train", same) == key
    for name in ("AlgorithmSpecification", "HyperParameters", "InputDataConfig", "Environment"):
        other = {**TRAIN, name: {"changed": "yes"}}
        assert cache_key("Training", "Train", other) != key, name
    assert cache_key("Training", "Train2", TRAIN) != key


def test_parts_of_a_tuning_steps_training_job_count() -> None:
    config = {"HyperParameterTuningJobConfig": {"Strategy": "Random"}}
    step = {**config, "TrainingJobDefinition": {**TRAIN, "StaticHyperParameters": {"a": "1"}}}
    key = cache_key("Tuning", "Tune", step)
    step["TrainingJobDefinition"]["ResourceConfig"] = {"InstanceType": "ml.m5.xlarge"}
    assert cache_key("Tuning", "Tune", step) == key
    step["TrainingJobDefinition"]["StaticHyperParameters"] = {"a": "2"}
    assert cache_key("Tuning", "Tune", step) != key


def test_the_newest_run_within_the_time_is_taken() -> None:
    cache = StepCache()
    cache.keep("k", CachedRun("second", 200.0, {}, {}))
    cache.keep("k", CachedRun("first", 100.0, {}, {}))
    found = cache.find("k", 60.0, 250.0)
    assert found is not None and found.execution_arn == "second"
    assert cache.find("k", 60.0, 261.0) is None
    assert cache.find("other", 60.0, 250.0) is None


def test_the_delay_grows_and_ends() -> None:
    policy = RetryPolicy(("Step.THROTTLING",), interval=2, backoff=3, attempts=2)
    assert [policy.delay(count, 0) for count in range(3)] == [2, 6, None]
    timed = RetryPolicy(("Step.THROTTLING",), interval=30, backoff=1, attempts=None, minutes=1)
    assert timed.delay(50, elapsed=29) == 30
    assert timed.delay(50, elapsed=31) is None


def test_a_policy_holds_for_its_kinds_and_service_faults_are_always_retried() -> None:
    policies = parse_policies(
        [
            {
                "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.JOB_CAPACITY_ERROR"],
                "IntervalSeconds": 7,
                "MaxAttempts": 1,
            },
            {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 0},
        ]
    )
    assert next_delay(policies, "Training", retries.JOB_INTERNAL_ERROR, 0, 0) == 7
    assert next_delay(policies, "Training", retries.CAPACITY_ERROR, 0, 0) == 7
    assert next_delay(policies, "Training", retries.JOB_INTERNAL_ERROR, 1, 0) is None
    assert next_delay(policies, "Tuning", retries.JOB_INTERNAL_ERROR, 0, 0) is None
    assert next_delay(policies, "Training", retries.RESOURCE_LIMIT, 0, 0) is None
    assert next_delay(policies, "Training", retries.THROTTLING, 0, 0) is None  # overridden
    assert next_delay(policies, "Training", retries.SERVICE_FAULT, 0, 0) == 1
    assert has_policy(policies, retries.SERVICE_FAULT)
    assert not has_policy(policies, retries.RESOURCE_LIMIT)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"ExceptionType": ["Job.FAILED"]}, "given 'Job.FAILED', allowed are Step.SERVICE_FAULT"),
        ({"ExceptionType": "x"}, "a list of at least one type"),
        ({"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}, "from 0 to 20, given 21"),
        ({"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 43_201}, "from 0 to 43200"),
        ({"ExceptionType": ["Step.THROTTLING"], "BackoffRate": 0.5}, "a number from 1"),
        (
            {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 1, "ExpireAfterMin": 1},
            "only one of MaxAttempts and ExpireAfterMin",
        ),
        ({"ExceptionType": ["Step.THROTTLING"], "Retries": 1}, "unknown property 'Retries'"),
    ],
)
def test_a_wrong_policy(policy: dict[str, Any], said: str) -> None:
    assert said in " ".join(policy_problems([policy], "RetryPolicies"))
