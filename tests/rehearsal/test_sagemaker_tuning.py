"""Tuning jobs: real training jobs over ranges, the best of them, early stopping."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from rehearsal.sagemaker.tuning_median import MedianRule
from rehearsal.sagemaker.tuning_ranges import candidates
from tests.rehearsal.job_bench import IMAGE, Bench, archive, channel
from tests.rehearsal.listening import wait_for

ENDED = ("Completed", "Failed", "Stopped")
# The objective is the hyperparameter itself, so that the best job is known.
SCRIPT = """
import argparse, os, sys, time
parser = argparse.ArgumentParser()
parser.add_argument('--eta', type=float)
parser.add_argument('--kind', default='a')
parser.add_argument('--fail', type=float, default=9)
given = parser.parse_args()
if given.eta > given.fail:
    sys.exit(4)
for epoch in range(5):
    print(f'[{epoch}]#011validation-auc:{given.eta}', flush=True)
    if given.kind == 'slow':
        time.sleep(0.3)
open(os.path.join(os.environ['SM_MODEL_DIR'], 'model'), 'w').write(given.kind)
"""
LIMITS = {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}
X = {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9", "ScalingType": "Linear"}


@pytest.fixture(scope="module")
def bench(aws: Rehearsal) -> Bench:
    made = Bench.make(aws, "tuning")
    made.put("code/source.tar.gz", archive({"tune.py": SCRIPT}))
    return made


def request(bench: Bench, name: str, **more: Any) -> dict[str, Any]:
    """A tuning job of SCRIPT; `more` goes into its configuration, `static` to the script."""
    script = {
        "sagemaker_program": "tune.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/source.tar.gz",
    }
    static = more.pop("static", {})
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {
                "Type": "Maximize",
                "MetricName": "validation:auc",
            },
            "ResourceLimits": LIMITS,
            "ParameterRanges": {"ContinuousParameterRanges": [X]},
            "RandomSeed": 7,
            **more,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {**script, **static},
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": bench.role,
            "InputDataConfig": [channel("code", bench.uri("code/"))],
            "OutputDataConfig": {"S3OutputPath": bench.uri("models")},
            "ResourceConfig": {
                "InstanceType": "ml.m5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "EnableNetworkIsolation": True,
        },
        "Tags": [{"Key": "team", "Value": "churn"}],
    }


def ended(bench: Bench, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        describe = bench.sagemaker.describe_hyper_parameter_tuning_job
        answer = describe(HyperParameterTuningJobName=name)
        return answer if answer["HyperParameterTuningJobStatus"] in ENDED else None

    found = wait_for(look, what="the end of a tuning job")
    assert found is not None
    return found


def jobs_of(bench: Bench, name: str, **more: Any) -> list[dict[str, Any]]:
    listed = bench.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    return listed(HyperParameterTuningJobName=name, **more)["TrainingJobSummaries"]


def test_best_of_real_jobs(bench: Bench) -> None:
    bench.sagemaker.create_hyper_parameter_tuning_job(**request(bench, "tune-best"))
    job = ended(bench, "tune-best")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    found = jobs_of(bench, "tune-best", SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in found]
    assert values == sorted(values, reverse=True)
    tuned = [float(each["TunedHyperParameters"]["eta"]) for each in found]
    assert values == pytest.approx(tuned)
    assert all(0.1 <= x <= 0.9 for x in tuned)
    best = job["BestTrainingJob"]
    assert best["TrainingJobName"] == found[0]["TrainingJobName"]
    assert best["TrainingJobName"].startswith("tune-best-00")
    one = bench.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert one["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert one["HyperParameters"]["_tuning_objective_metric"] == "validation:auc"
    tags = bench.sagemaker.list_tags(ResourceArn=one["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "churn"}]
    assert len({each["TrainingJobName"] for each in found}) == 4


def test_no_more_than_allowed_run_at_once(bench: Bench) -> None:
    given = request(bench, "tune-abreast", static={"kind": "slow"})
    bench.sagemaker.create_hyper_parameter_tuning_job(**given)
    ended(bench, "tune-abreast")
    spans = [
        (each["TrainingStartTime"], each["TrainingEndTime"])
        for each in jobs_of(bench, "tune-abreast")
    ]
    overlaps = [sum(a < start < b for a, b in spans) for start, _ in spans]
    assert len(spans) == 4
    assert max(overlaps) == 1  # beside itself


def test_some_fail_and_all_fail(bench: Bench) -> None:
    some = request(bench, "tune-some", static={"fail": "0.5"})
    bench.sagemaker.create_hyper_parameter_tuning_job(**some)
    job = ended(bench, "tune-some")
    failed = job["TrainingJobStatusCounters"]["NonRetryableError"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert 1 <= failed <= 3
    assert job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] <= 0.5
    everything = request(bench, "tune-all", static={"fail": "0"})
    bench.sagemaker.create_hyper_parameter_tuning_job(**everything)
    job = ended(bench, "tune-all")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed.")
    assert "BestTrainingJob" not in job


def test_stop_ends_the_jobs_too(bench: Bench) -> None:
    given = request(bench, "tune-stop", static={"kind": "slow"})
    bench.sagemaker.create_hyper_parameter_tuning_job(**given)
    wait_for(lambda: jobs_of(bench, "tune-stop"), what="the first training job")
    bench.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune-stop")
    job = ended(bench, "tune-stop")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["InProgress"] == 0
    assert job["TrainingJobStatusCounters"]["Stopped"] >= 1


def test_target_ends_the_search(bench: Bench) -> None:
    criteria = {"TargetObjectiveMetricValue": 0.05}
    limits = {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 1}
    given = request(
        bench, "tune-target", TuningJobCompletionCriteria=criteria, ResourceLimits=limits
    )
    bench.sagemaker.create_hyper_parameter_tuning_job(**given)
    job = ended(bench, "tune-target")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


def test_grid_tries_everything_once(bench: Bench) -> None:
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "eta", "Values": ["0.1", "0.2"]},
            {"Name": "kind", "Values": ["a", "b"]},
        ]
    }
    limits = {"MaxParallelTrainingJobs": 2}
    given = request(
        bench, "tune-grid", Strategy="Grid", ParameterRanges=ranges, ResourceLimits=limits
    )
    bench.sagemaker.create_hyper_parameter_tuning_job(**given)
    ended(bench, "tune-grid")
    tried = {tuple(sorted(j["TunedHyperParameters"].items())) for j in jobs_of(bench, "tune-grid")}
    assert len(tried) == 4


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ParameterRanges": {}}, "at least one hyperparameter range"),
        ({"static": {"eta": "1"}}, "eta has a range and a static value"),
        (
            {"ParameterRanges": {"ContinuousParameterRanges": [{**X, "MinValue": "1.5"}]}},
            "MinValue 1.5 is more than MaxValue 0.9",
        ),
        (
            {
                "ParameterRanges": {
                    "ContinuousParameterRanges": [
                        {**X, "MinValue": "0", "ScalingType": "Logarithmic"}
                    ]
                }
            },
            "Logarithmic needs a MinValue above 0",
        ),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{**X, "MinValue": "0.5"}]}},
            "are no int values",
        ),
        (
            {
                "HyperParameterTuningJobObjective": {
                    "Type": "Maximize",
                    "MetricName": "validation:magic",
                }
            },
            "A metric is required for this hyperparameter tuning job objective",
        ),
        (
            {"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 2}},
            "must not exceed MaxNumberOfTrainingJobs 1",
        ),
        (
            {"ResourceLimits": {"MaxNumberOfTrainingJobs": 751, "MaxParallelTrainingJobs": 2}},
            "at most 750 and 100",
        ),
        ({"Strategy": "Hyperband"}, "Hyperband cannot be rehearsed"),
    ],
)
def test_what_is_refused(bench: Bench, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError) as error:
        bench.sagemaker.create_hyper_parameter_tuning_job(**request(bench, "tune-no", **more))
    assert words in error.value.response["Error"]["Message"]


def test_early_stopping_ends_hopeless_jobs() -> None:
    rule = MedianRule(maximize=True)
    for job, value in (("a", 0.8), ("b", 0.6)):
        assert not any(rule.is_hopeless(job, value) for _ in range(5))
        rule.ended(job)
    assert not rule.is_hopeless("good", 0.75)
    assert rule.is_hopeless("bad", 0.65)
    losses = MedianRule(maximize=False)
    for job in "ab":
        losses.is_hopeless(job, 0.5)
        losses.ended(job)
    assert losses.is_hopeless("bad", 0.6)
    assert not losses.is_hopeless("good", 0.4)


def test_early_stopping_stops_a_real_job(bench: Bench) -> None:
    """Slow jobs with values below the median of those before end Stopped, long before their end."""
    limits = {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 1}
    given = request(
        bench,
        "tune-early",
        static={"kind": "slow"},
        ResourceLimits=limits,
        TrainingJobEarlyStoppingType="Auto",
    )
    bench.sagemaker.create_hyper_parameter_tuning_job(**given)
    job = ended(bench, "tune-early")
    counters = job["TrainingJobStatusCounters"]
    assert counters["Stopped"] >= 1
    assert counters["Completed"] >= 2
    stopped = [j for j in jobs_of(bench, "tune-early") if j["TrainingJobStatus"] == "Stopped"]
    assert all(j["ObjectiveStatus"] == "Succeeded" for j in stopped)
    assert job["HyperParameterTuningJobStatus"] == "Completed"


def test_scales_of_ranges() -> None:
    low, high = "0.0001", "1"
    draws = {}
    for scale in ("Linear", "Logarithmic"):
        each = {"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}
        values = candidates({"ContinuousParameterRanges": [each]}, "Random", 3)
        draws[scale] = sorted(float(v["x"]) for v in itertools.islice(values, 2001))
    assert draws["Linear"][1000] == pytest.approx(0.5, abs=0.05)
    assert math.log10(draws["Logarithmic"][1000]) == pytest.approx(-2, abs=0.2)
    whole = {"Name": "n", "MinValue": "1", "MaxValue": "3"}
    values = candidates({"IntegerParameterRanges": [whole]}, "Bayesian", 3)
    assert {v["n"] for v in itertools.islice(values, 100)} == {"1", "2", "3"}
