"""An instance type changes although SageMaker refuses that while a scalable target is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.deploy import deploy
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from sagelens.endpoint_options import Instances, Scaling
from tests.rehearsal.releases import ENDPOINT, HOSTING, Releases, synthesize

ANSWER = {"predictions": [{"score": 0.5}]}


def scaled(kind: str, most: int = 2) -> Instances:
    scaling = Scaling(most=most, invocations_per_instance=10)
    return Instances(instance_type=kind, scaling=scaling)


@pytest.fixture(scope="module")
def releases(
    run_folders_of_our_own: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Releases]:
    with Rehearsal.start(samples=()) as aws:
        first = synthesize(tmp_path_factory.mktemp("first"), capacity=scaled("ml.m5.large"))
        made = Releases.deploy(aws, first)
        package = made.register(ANSWER)
        made.say(package, "Approved")
        made.heard("Release Succeeded", package)
        made.settled()
        yield made


def targets(releases: Releases) -> dict[str, tuple[int, int]]:
    """The scalable targets, by variant."""
    client = releases.aws.client("application-autoscaling")
    return {
        each["ResourceId"].rpartition("/")[2]: (each["MinCapacity"], each["MaxCapacity"])
        for each in client.describe_scalable_targets(ServiceNamespace="sagemaker")[
            "ScalableTargets"
        ]
    }


def policies(releases: Releases) -> list[str]:
    client = releases.aws.client("application-autoscaling")
    found = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    return [each["PolicyName"] for each in found]


def instance_type(releases: Releases) -> str:
    """What the endpoint runs on."""
    client = releases.aws.client("sagemaker")
    name = client.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
    (variant,) = client.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    return variant["InstanceType"]


def redeploy(releases: Releases, folder: Path, capacity: Instances) -> None:
    deploy(releases.aws, synthesize(folder, capacity=capacity), [HOSTING])


def test_first_release_registers_the_variant(releases: Releases) -> None:
    assert targets(releases) == {"main": (1, 2)}
    assert policies(releases) == [f"{ENDPOINT}-main-invocations"]


def test_sagemaker_refuses_the_change_by_hand(releases: Releases) -> None:
    """Else the next test would prove nothing."""
    client: Any = releases.aws.client("sagemaker")
    name = client.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
    (variant,) = client.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    client.create_endpoint_config(
        EndpointConfigName="by-hand",
        ProductionVariants=[{**variant, "InstanceType": "ml.m5.4xlarge"}],
    )
    with pytest.raises(client.exceptions.ClientError, match=r"(?i)scal"):
        client.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="by-hand")


def test_template_changes_it_and_scaling_is_there_afterwards(
    releases: Releases, tmp_path: Path
) -> None:
    redeploy(releases, tmp_path, scaled("ml.m5.xlarge", most=3))
    assert instance_type(releases) == "ml.m5.xlarge"
    assert targets(releases) == {"main": (1, 3)}
    assert policies(releases) == [f"{ENDPOINT}-main-invocations"]
    assert releases.ask() == ANSWER


def test_scaling_alone_changes_without_taking_anything_off(
    releases: Releases, tmp_path: Path
) -> None:
    redeploy(releases, tmp_path, scaled("ml.m5.xlarge", most=4))
    assert targets(releases) == {"main": (1, 4)}


@pytest.mark.parametrize("after", ["Keep", "Off", "endpoint", "On"])
def test_change_that_fails_leaves_type_and_scaling_as_they_were(
    releases: Releases, tmp_path: Path, after: str
) -> None:
    """Something else breaks once one of them is through: CloudFormation goes back."""
    before = instance_type(releases), targets(releases)
    folder = synthesize(tmp_path, capacity=scaled("ml.m5.2xlarge", most=9))
    _break(folder / f"{HOSTING}.template.json", after)
    with pytest.raises(RehearsalError):
        deploy(releases.aws, folder, [HOSTING])
    assert (instance_type(releases), targets(releases)) == before
    assert policies(releases) == [f"{ENDPOINT}-main-invocations"]
    assert releases.ask() == ANSWER


def _break(template: Path, after: str) -> None:
    """Add a resource that cannot be made, once another is there."""
    body = json.loads(template.read_text())
    found = [
        logical_id
        for logical_id, each in body["Resources"].items()
        if each["Properties"].get("Role") == after
    ]
    body["Resources"]["Breaks"] = {
        "Type": "Custom::Breaks",
        "DependsOn": found or ["TryChurn"],
        "Condition": body["Resources"]["TryChurn"]["Condition"],
        "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none"},
    }
    template.write_text(json.dumps(body))


def test_scaling_and_type_are_dropped_and_changed_in_one(
    releases: Releases, tmp_path: Path
) -> None:
    redeploy(releases, tmp_path, Instances(instance_type="ml.c5.large"))
    assert instance_type(releases) == "ml.c5.large"
    assert targets(releases) == {}
