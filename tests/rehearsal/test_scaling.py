"""Application Auto Scaling: what is registered, and what SageMaker refuses while it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from tests.rehearsal.hosting import Hosting, role, steady

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
RESOURCE = "endpoint/scaled/variant/v0"


@pytest.fixture(scope="module")
def hosting(run_folders_of_our_own: None) -> Iterator[Hosting]:
    with Rehearsal.start(samples=()) as aws:
        bucket = "models-of-the-test"
        aws.client("s3").create_bucket(Bucket=bucket)
        made = Hosting(aws, role(aws, f"arn:aws:s3:::{bucket}"))
        made.config("small", made.model("one", steady(0.5)))
        made.config("same", "one")
        made.config("large", "one", instance_type="ml.m5.xlarge")
        made.sagemaker.create_endpoint(EndpointName="scaled", EndpointConfigName="small")
        made.settled("scaled")
        yield made


@pytest.fixture
def scaling(hosting: Hosting) -> Iterator[Any]:
    client = hosting.aws.client("application-autoscaling")
    client.register_scalable_target(**TARGET, ResourceId=RESOURCE, MinCapacity=2, MaxCapacity=4)
    yield client
    for each in client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
        client.deregister_scalable_target(**TARGET, ResourceId=each["ResourceId"])


def test_target_and_policy_are_told_as_registered(scaling: Any) -> None:
    put = scaling.put_scaling_policy(
        **TARGET,
        ResourceId=RESOURCE,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 100.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
        },
    )
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (RESOURCE, 2, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyARN"] == put["PolicyARN"]
    scaling.deregister_scalable_target(**TARGET, ResourceId=RESOURCE)
    assert not scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]


def test_an_instance_type_changes_only_while_no_target_is_registered(
    hosting: Hosting, scaling: Any
) -> None:
    hosting.sagemaker.update_endpoint(EndpointName="scaled", EndpointConfigName="same")
    assert hosting.settled("scaled")["EndpointConfigName"] == "same"
    with pytest.raises(ClientError, match="must be deregistered as scalable targets"):
        hosting.sagemaker.update_endpoint(EndpointName="scaled", EndpointConfigName="large")
    scaling.deregister_scalable_target(**TARGET, ResourceId=RESOURCE)
    hosting.sagemaker.update_endpoint(EndpointName="scaled", EndpointConfigName="large")
    assert hosting.settled("scaled")["EndpointConfigName"] == "large"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ResourceId": "endpoint/scaled/variant/v9"}, "variant doesn't exist"),
        ({"ResourceId": "endpoint/nobody/variant/v0"}, "variant doesn't exist"),
        ({"ResourceId": RESOURCE, "MaxCapacity": 1}, "Maximum capacity"),
    ],
)
def test_what_cannot_be_scaled_is_refused(scaling: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        scaling.register_scalable_target(**{**TARGET, "MinCapacity": 2, "MaxCapacity": 4, **given})


def test_a_target_that_is_not_there_cannot_be_taken_off(scaling: Any) -> None:
    with pytest.raises(ClientError, match="No scalable target found") as error:
        scaling.deregister_scalable_target(**TARGET, ResourceId="endpoint/x/variant/y")
    assert error.value.response["Error"]["Code"] == "ObjectNotFoundException"
