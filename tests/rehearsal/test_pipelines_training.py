"""The library's own TrainingPipeline, deployed in a stranger's stack and run to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app as sagelens_app
from ml_src.churn.generate import main as generate
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from tests.constructs.training.conftest import parts_in
from tests.rehearsal.workshop import Run, Workshop

PIPELINE = "sagelens-test-churn"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stack, synthesized."""
    folder = tmp_path_factory.mktemp("training") / "cdk.out"
    app = sagelens_app.new_app(outdir=str(folder))
    stack = cdk.Stack(app, "Stranger")
    parts = parts_in(stack)
    parts.pipeline()
    cdk.CfnOutput(stack, "DataName", value=parts.data.bucket_name)
    cdk.CfnOutput(stack, "ModelsName", value=parts.models.bucket_name)
    app.synth()
    return folder


@pytest.fixture(scope="module")
def outputs(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The stack's outputs, on an embedded AWS of this module, with customers in its bucket."""
    table = tmp_path_factory.mktemp("customers") / "customers.csv"
    generate(["--rows", "3000", "--output", str(table)])
    with Rehearsal.start(samples=()) as aws:
        found: dict[str, Any] = {**deploy(aws, assembly)["Stranger"], "aws": aws}
        aws.client("s3").upload_file(str(table), found["DataName"], "churn/customers/a.csv")
        yield found


@pytest.fixture
def shop(outputs: dict[str, Any]) -> Workshop:
    return Workshop(outputs["aws"], "", "")


@pytest.fixture
def run(shop: Workshop) -> Callable[..., Run]:
    return lambda **parameters: shop.end(shop.start(PIPELINE, **parameters), 120)


def test_raw_data_become_a_version_with_metrics_and_baselines(
    shop: Workshop, run: Callable[..., Run], outputs: dict[str, Any]
) -> None:
    done = run(Least="0.6")
    assert done.status == "Succeeded", done.steps
    assert list(done.steps) == ["Prepare", "Train", "Evaluate", "Gate", "Register"]
    arn = done.steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    package = shop.sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["ModelPackageGroupName"] == "sagelens-test-churn"
    assert package["MetadataProperties"]["GeneratedBy"] == done.arn
    s3 = shop.aws.client("s3")
    place = f"s3://{outputs['ModelsName']}/"
    (container,) = package["InferenceSpecification"]["Containers"]
    quality = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    for uri in (container["ModelDataUrl"], quality["S3Uri"]):
        assert uri.startswith(f"{place}churn/runs/{done.id}/")
        found = s3.head_object(Bucket=outputs["ModelsName"], Key=uri.removeprefix(place))
        assert found["ContentLength"] > 100


def test_a_model_that_is_not_good_enough_is_not_registered(run: Callable[..., Run]) -> None:
    done = run(Least="0.99")
    assert done.status == "Failed"
    assert "Register" not in done.steps
    (refused,) = [each for each in done.steps.values() if each["StepStatus"] == "Failed"]
    assert "0.99" in refused["FailureReason"]


def test_data_that_vanished_end_the_first_step_with_a_reason(
    run: Callable[..., Run], outputs: dict[str, Any]
) -> None:
    done = run(DataUrl=f"s3://{outputs['DataName']}/churn/customers/none/")
    assert done.statuses() == {"Prepare": "Failed"}
    assert done.reason("Prepare").startswith("ClientError: ")


def test_data_outside_the_models_own_folder_cannot_be_read(
    run: Callable[..., Run], outputs: dict[str, Any]
) -> None:
    outputs["aws"].client("s3").put_object(
        Bucket=outputs["DataName"], Key="other/a.csv", Body=b"secret"
    )
    done = run(DataUrl=f"s3://{outputs['DataName']}/other/a.csv")
    assert done.statuses() == {"Prepare": "Failed"}


def test_a_retried_training_step(shop: Workshop, run: Callable[..., Run]) -> None:
    definition = shop.sagemaker.describe_pipeline(PipelineName=PIPELINE)["PipelineDefinition"]
    shop.sagemaker.update_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=definition.replace('"IntervalSeconds":30', '"IntervalSeconds":0'),
    )
    reason = "InternalServerError: We encountered an internal error. Please try again."
    shop.aws.sagemaker.fail_job("training", reason, times=1)
    done = run(Least="0.6")
    assert done.status == "Succeeded", done.steps
    assert done.steps["Train"]["AttemptCount"] == 2
