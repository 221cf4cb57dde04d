"""Definitions that train for real: as AWS's SDKs compile them, and with a tuning step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.process import Rehearsal
from tests.rehearsal.workshop import BUCKET, IMAGE, Run, Workshop, fail

HERE = Path(__file__).with_name("definitions")
CLOSED = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"


@pytest.fixture
def shop(engine: Rehearsal) -> Workshop:
    shop = Workshop.make(engine)
    for name in ("preprocess.py", "evaluate.py"):
        shop.put(f"code/{name}", (HERE / name).read_text(encoding="utf-8"))
    shop.put("in/seed.txt", "7")
    return shop


def compiled(shop: Workshop, version: str, name: str) -> str:
    """A pipeline of what an SDK compiled: its bucket, its role and the one image we have not."""
    text = (HERE / f"sdk_{version}.json").read_text(encoding="utf-8")
    text = text.replace("my-bucket", BUCKET).replace(CLOSED, IMAGE)
    text = text.replace("arn:aws:iam::123456789012:role/sm", shop.job_role)
    shop.sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=shop.role)
    return name


def job_of(run: Run, step: str, kind: str) -> str:
    return str(run.steps[step]["Metadata"][kind]["Arn"].rpartition("/")[2])


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_what_the_sdks_compile_runs_as_it_is(shop: Workshop, version: str) -> None:
    name = compiled(shop, version, f"sdk-{version}")
    run = shop.end(shop.start(name, Threshold="0.6"), 120)
    assert run.status == "Succeeded", run.steps
    register = next(each for each in run.steps if each.startswith("Register"))
    assert set(run.statuses()) == {"Preprocess", "Train", "Evaluate", "Gate", register}
    arn = run.steps[register]["Metadata"]["RegisterModel"]["Arn"]
    package = shop.sagemaker.describe_model_package(ModelPackageName=arn)
    (container,) = package["InferenceSpecification"]["Containers"]
    training = shop.sagemaker.describe_training_job(
        TrainingJobName=job_of(run, "Train", "TrainingJob")
    )
    assert container["ModelDataUrl"] == training["ModelArtifacts"]["S3ModelArtifacts"]
    assert run.described["PipelineExperimentConfig"]["TrialName"] == run.id

    refused = shop.end(shop.start(name, Threshold="0.999"), 120)
    assert refused.status == "Failed"
    assert refused.reason("Below") == "auc below 0.999"
    assert not [each for each in refused.steps if each.startswith("Register")]


def training(shop: Workshop, **more: Any) -> dict[str, Any]:
    """Arguments of a job with the built-in algorithm, or of a tuning job's definition."""
    return {
        "RoleArn": shop.job_role,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "InputDataConfig": [
            {
                "ChannelName": name,
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/t/{name}/"}
                },
            }
            for name in ("train", "validation")
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **more,
    }


FIXED = {"objective": "binary:logistic", "eval_metric": "auc", "num_round": "5"}


def tables(shop: Workshop) -> None:
    for name in ("train", "validation"):
        rows = [f"{i % 2},{(i % 2) * 2 + i % 5 * 0.7:.2f}" for i in range(200)]
        shop.put(f"t/{name}/{name}.csv", "\n".join(rows) + "\n")


def test_a_training_steps_own_metric_can_be_asked_for(shop: Workshop) -> None:
    tables(shop)
    arguments = training(shop, HyperParameters=FIXED)
    train = {"Name": "Train", "Type": "Training", "Arguments": arguments}
    metric = {"Get": "Steps.Train.FinalMetricDataList['validation:auc'].Value"}
    run = shop.run(train, fail("Told", metric))
    assert 0.5 < float(run.reason("Told")) <= 1


def test_a_failing_training_job_fails_its_step_with_its_own_reason(shop: Workshop) -> None:
    arguments = training(shop, HyperParameters=FIXED)
    run = shop.run({"Name": "Train", "Type": "Training", "Arguments": arguments})
    assert run.status == "Failed"
    job = shop.sagemaker.describe_training_job(TrainingJobName=job_of(run, "Train", "TrainingJob"))
    assert run.reason("Train") == f"ClientError: {job['FailureReason']}"


def test_a_tuning_step_gives_its_best_model(shop: Workshop) -> None:
    tables(shop)
    ranges = [{"Name": "max_depth", "MinValue": "1", "MaxValue": "4"}]
    objective = {"Type": "Maximize", "MetricName": "validation:auc"}
    arguments = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"IntegerParameterRanges": ranges},
        },
        "TrainingJobDefinition": training(shop, StaticHyperParameters=FIXED),
    }
    tune = {"Name": "Hptuning_long", "Type": "Tuning", "Arguments": arguments}
    best = {"Get": "Steps.Hptuning_long.BestTrainingJob.TrainingJobName"}
    first = {"Get": "Steps.Hptuning_long.TrainingJobSummaries[0].TrainingJobName"}
    run = shop.end(shop.start(shop.create(tune, fail("Told", best, first))), 120)
    assert run.statuses() == {"Hptuning_long": "Succeeded", "Told": "Failed"}, run.steps
    names = run.reason("Told").split()
    assert names[0] == names[1]
    job = job_of(run, "Hptuning_long", "TuningJob")
    assert job.startswith(f"{run.id}-Hptuning-") and len(job) == 32
    assert names[0].startswith(job)
    model = f"models/{names[0]}/output/model.tar.gz"
    assert shop.aws.client("s3").head_object(Bucket=BUCKET, Key=model)["ContentLength"]


def test_a_transform_step_scores_with_the_model_just_trained(shop: Workshop) -> None:
    tables(shop)
    shop.put("t/score/rows.csv", "0.1\n2.5\n0.2\n")
    url = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    container = {"Image": IMAGE, "ModelDataUrl": url}
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/t/score/"}
    steps: list[dict[str, Any]] = [
        {"Name": "Train", "Type": "Training", "Arguments": training(shop, HyperParameters=FIXED)},
        {
            "Name": "Model",
            "Type": "Model",
            "Arguments": {"ExecutionRoleArn": shop.job_role, "PrimaryContainer": container},
        },
        {
            "Name": "Score",
            "Type": "Transform",
            "Arguments": {
                "ModelName": {"Get": "Steps.Model.ModelName"},
                "TransformInput": {
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                    "DataSource": {"S3DataSource": source},
                },
                "TransformOutput": {
                    "S3OutputPath": f"s3://{BUCKET}/scores",
                    "AssembleWith": "Line",
                },
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            },
        },
    ]
    run = shop.run(*steps)
    assert set(run.statuses().values()) == {"Succeeded"}, run.steps
    scores = [float(line) for line in shop.read("scores/rows.csv.out").split()]
    assert len(scores) == 3
    assert scores[1] > max(scores[0], scores[2])
    job = job_of(run, "Score", "TransformJob")
    assert job.startswith(f"pipelines-{run.id}-Score-")
