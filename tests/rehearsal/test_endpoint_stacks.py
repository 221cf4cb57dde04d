"""Endpoints made, changed, rolled back and deleted by CloudFormation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.deploy import delete, deploy_template
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from tests.rehearsal.hosting import IMAGE, SERVING, Hosting, role, steady

STACK = "hosting-by-template"
BUCKET = "models-of-the-test"


@pytest.fixture(scope="module")
def hosting(run_folders_of_our_own: None) -> Iterator[Hosting]:
    with Rehearsal.start(samples=()) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        for name, content in (("one", steady(0.1)), ("two", steady(0.2)), ("bad", b"?")):
            aws.client("s3").put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=content)
        yield Hosting(aws, role(aws, f"arn:aws:s3:::{BUCKET}"))


def template(hosting: Hosting, model: str) -> dict[str, Any]:
    """A model, its configuration and an endpoint; the old ones are retained."""
    retained = {"UpdateReplacePolicy": "Retain"}
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/{model}.tar.gz",
        "Environment": SERVING,
    }
    variant = {
        "VariantName": "main",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": 1.0,
    }
    resources: dict[str, Any] = {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ExecutionRoleArn": hosting.role, "PrimaryContainer": container},
            **retained,
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [variant]},
            **retained,
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "steady",
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                "RetainAllVariantProperties": True,
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "DependsOn": "Endpoint",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "endpoint/steady/variant/main",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "MinCapacity": 2,
                "MaxCapacity": 4,
            },
        },
    }
    names = {"Config": {"Value": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}}
    return {"Resources": resources, "Outputs": names}


def test_an_endpoint_lives_and_changes_with_its_stack(hosting: Hosting) -> None:
    aws, sagemaker = hosting.aws, hosting.sagemaker
    first = deploy_template(aws, STACK, template(hosting, "one"))["Config"]
    assert hosting.ask("steady") == 0.1

    second = deploy_template(aws, STACK, template(hosting, "two"))["Config"]
    assert hosting.ask("steady") == 0.2
    assert hosting.status("steady")["EndpointConfigName"] == second != first
    kept = [
        each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]
    ]
    assert {first, second} <= set(kept)

    aws.sagemaker.roll_back_next_update("steady")
    third = deploy_template(aws, STACK, template(hosting, "one"))["Config"]  # and says so
    assert hosting.status("steady")["EndpointConfigName"] == second != third
    assert hosting.ask("steady") == 0.2

    targets = aws.client("application-autoscaling").describe_scalable_targets
    assert len(targets(ServiceNamespace="sagemaker")["ScalableTargets"]) == 1
    delete(aws, [STACK])
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_an_endpoint_that_does_not_come_up_fails_its_stack_with_the_reason(
    hosting: Hosting,
) -> None:
    with pytest.raises(RehearsalError, match="Failed to extract model data archive"):
        deploy_template(hosting.aws, f"{STACK}-bad", template(hosting, "bad"))
    assert hosting.sagemaker.list_endpoints()["Endpoints"] == []
