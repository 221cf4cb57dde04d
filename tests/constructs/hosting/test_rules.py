"""Combinations that AWS would refuse are refused here, in words, all at once."""

from __future__ import annotations

from typing import Any

import pytest

from sagelens.endpoint_options import (
    AllAtOnce,
    Canary,
    DataCapture,
    Instances,
    Linear,
    Scaling,
    Serverless,
    Thresholds,
)
from sagelens.private_network import Network, PrivateNetwork
from tests.constructs.hosting.conftest import House, variant


def instances(count: int = 1, kind: str = "ml.m5.large", **scaling: Any) -> Instances:
    chosen = Scaling(**{"invocations_per_instance": 10, **scaling}) if scaling else None
    return Instances(instance_type=kind, count=count, scaling=chosen)


def problems(house: House, *variants: Any, **changes: Any) -> list[str]:
    """What a refused endpoint says, but for the first line."""
    with pytest.raises(ValueError) as refused:
        house.endpoint(*variants, **changes)
    first, *rest = str(refused.value).splitlines()
    assert first == "ModelEndpoint Stranger/Endpoint cannot be made:"
    return rest


def test_serverless_has_neither_capture_nor_network_nor_isolation_nor_shifting(
    house: House,
) -> None:
    private = PrivateNetwork(
        house.stack, "Network", cidr="10.0.0.0/16", services=[], encryption_key=house.key
    )
    network = Network(vpc=private.vpc, security_groups=[private.workload_security_group])
    found = problems(
        house,
        variant(),
        variant(name="other"),
        capture=house.capture,
        network=network,
        network_isolation=True,
        deployment=Canary(),
    )
    assert found == [
        f"{argument}: a serverless endpoint cannot have it, allowed is {remedy}; or use Instances"
        for argument, remedy in (
            ("variants", "one variant"),
            ("capture", "none"),
            ("network", "none"),
            ("network_isolation", "False"),
            ("deployment", "AllAtOnce"),
        )
    ]


@pytest.mark.parametrize(
    ("capacity", "problem"),
    [
        (Serverless(memory_mb=1000), "memory_mb: got 1000, allowed are 1024, 2048, 3072"),
        (Serverless(memory_mb=7168), "memory_mb: got 7168"),
        (Serverless(max_concurrency=0), "max_concurrency: got 0, allowed are 1 to 200"),
        (Serverless(max_concurrency=201), "max_concurrency: got 201, allowed are 1 to 200"),
        (
            Serverless(max_concurrency=3, provisioned_concurrency=4),
            "provisioned_concurrency: got 4, allowed are 1 to 3",
        ),
        (instances(kind="m5.large"), "instance_type: got 'm5.large'"),
        (instances(count=0), "count: got 0, allowed are 1 up"),
        (instances(count=3, most=2), "scaling: got least 3, count 3, most 2"),
        (instances(count=1, least=0, most=2), "scaling: got least 0, count 1, most 2"),
        (instances(most=2, invocations_per_instance=0), "invocations_per_instance: got 0"),
        (instances(most=2, scale_in_seconds=4000), "scale_in_seconds: got 4000 s"),
        (instances(kind="ml.t2.medium", most=2), "got one on ml.t2.medium"),
    ],
)
def test_bounds_of_a_capacity(house: House, capacity: Any, problem: str) -> None:
    (found,) = problems(house, variant(capacity))
    assert found.startswith("variants.main.capacity") and problem in found


@pytest.mark.parametrize(
    ("deployment", "problem"),
    [
        (Canary(percent=0), "deployment.percent: got 0 %, allowed are 1 to 50 %"),
        (Canary(percent=51), "deployment.percent: got 51 %"),
        (Linear(percent=9), "deployment.percent: got 9 %, allowed are 10 to 50 %"),
        (Canary(bake_seconds=3601), "bake_seconds: got 3601 s, allowed are 0 to 3600 s"),
        (AllAtOnce(timeout_seconds=599), "timeout_seconds: got 599 s, allowed are 600 to 28800 s"),
        (AllAtOnce(timeout_seconds=28801), "timeout_seconds: got 28801 s"),
        (Canary(bake_seconds=300, timeout_seconds=600), "waiting adds up to 600 s"),
        (Linear(percent=10, bake_seconds=3600), "waiting adds up to 39,600 s"),
    ],
)
def test_bounds_of_a_deployment(house: House, deployment: Any, problem: str) -> None:
    (found,) = problems(house, variant(instances(count=2)), deployment=deployment)
    assert problem in found


@pytest.mark.parametrize("deployment", [Canary(), Linear()])
@pytest.mark.parametrize("capacity", [instances(), instances(count=2, least=1, most=3)])
def test_shifting_needs_two_instances_at_the_fewest(
    house: House, deployment: Any, capacity: Instances
) -> None:
    (found,) = problems(house, variant(capacity), deployment=deployment)
    assert "variant main has 1 at its fewest; allowed are 2 or more, or AllAtOnce" in found


def test_names_weights_and_kinds(house: House) -> None:
    found = problems(
        house,
        variant(instances(), name="a-b", weight=-1),
        variant(Serverless(), name="aB", weight=0),
        variant(instances(), name="-c", weight=0),
        endpoint_name="has_underscores",
    )
    assert any("endpoint_name: got 'has_underscores', allowed are 1 to 63" in one for one in found)
    assert any("variants: got '-c'" in one for one in found)
    assert any("variants: got ['a-b', 'aB', '-c'], allowed are names that" in one for one in found)
    assert any("weight: got -1, allowed are 0 and more" in one for one in found)
    assert any("got no weight above 0" in one for one in found)
    assert any("got serverless and instances, allowed are all of one kind" in one for one in found)


def test_long_names_and_too_many_variants(house: House) -> None:
    many = [variant(instances(), name=f"v{number}") for number in range(6)]
    found = problems(house, *many, endpoint_name="a" * 41)
    assert any("got 41 letters and digits, allowed are 40" in one for one in found)
    assert any("variants: got 6, allowed are 1 to 5" in one for one in found)


def test_container_variables(house: House) -> None:
    given = {"LONG": "x" * 1025, **{f"N{number}": "" for number in range(100)}}
    found = problems(house, variant(environment=given))
    assert any("got 101 variables, allowed are 0 to 100 variables" in one for one in found)
    assert any("LONG: got 1025 bytes" in one for one in found)


def test_network_without_security_group(house: House) -> None:
    private = PrivateNetwork(
        house.stack, "Network", cidr="10.0.0.0/16", services=[], encryption_key=house.key
    )
    found = problems(house, variant(instances()), network=Network(vpc=private.vpc))
    assert found == ["network.security_groups: got 0, allowed are 1 to 5"]


def test_capture_and_thresholds(house: House) -> None:
    folder = house.capture.folder
    found = problems(
        house,
        variant(instances()),
        capture=DataCapture(folder=type(folder)(bucket=folder.bucket, prefix="x"), percent=0),
        thresholds=Thresholds(errors=0, utilization_percent=101),
    )
    assert any("capture.percent: got 0 %, allowed are 1 to 100 %" in one for one in found)
    assert any("capture.folder.prefix: got 'x'" in one for one in found)
    assert any("thresholds.errors: got 0" in one for one in found)
    assert any("thresholds.utilization_percent: got 101 %" in one for one in found)


@pytest.mark.parametrize(
    ("capacity", "deployment"),
    [
        (Serverless(memory_mb=6144, max_concurrency=200, provisioned_concurrency=200), AllAtOnce()),
        (instances(count=2, most=2), Canary(percent=50, bake_seconds=3600)),
        (instances(count=2), Linear(percent=50, bake_seconds=3600)),
        (instances(), AllAtOnce(bake_seconds=3600, timeout_seconds=28800)),
    ],
)
def test_the_bounds_themselves_are_allowed(house: House, capacity: Any, deployment: Any) -> None:
    made = house.endpoint(variant(capacity), deployment=deployment)
    assert made.endpoint_name == "test-churn"
