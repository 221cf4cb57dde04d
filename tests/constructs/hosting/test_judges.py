"""The judges of the whole platform find nothing in the templates of endpoints and releases."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest

from sagelens import PrivateNetwork
from sagelens.endpoint_options import Canary, Instances, Linear
from sagelens.private_network import Network
from tests.constructs.hosting.conftest import TWO, House, variant
from tests.security.judges import cfn_lint, cloudformation, iam
from tests.security.judges.findings import Finding, listing
from tests.security.judges.templates import Template


def _isolated(house: House) -> None:
    private = PrivateNetwork(
        house.stack, "Network", cidr="10.0.0.0/16", services=[], encryption_key=house.key
    )
    network = Network(vpc=private.vpc, security_groups=[private.workload_security_group])
    house.endpoint(variant(TWO), network=network, network_isolation=True)


HOUSES: dict[str, Callable[[House], object]] = {
    "serverless": lambda house: house.endpoint(only_if=house.live.exists),
    "canary and scaling": lambda house: house.endpoint(
        variant(TWO), deployment=Canary(), only_if=house.live.exists
    ),
    "linear": lambda house: house.endpoint(
        variant(Instances(instance_type="ml.c5.xlarge", count=4)),
        deployment=Linear(percent=25, bake_seconds=120),
        scaling_function=house.scaling,
    ),
    "several variants": lambda house: house.endpoint(
        variant(TWO, weight=9), variant(TWO, name="next", weight=1)
    ),
    "capture": lambda house: house.endpoint(variant(TWO), capture=house.capture),
    "network and isolation": _isolated,
    "release": lambda house: house.release(),
}


def known(finding: Finding) -> bool:
    """CDK itself lets a function depend on its role by name, beside the reference."""
    return finding.rule == "W3005" and "WorkerRole" in finding.message


@pytest.mark.parametrize("name", HOUSES)
def test_nothing_is_found(house: House, name: str) -> None:
    HOUSES[name](house)
    app = house.stack.node.root
    assert isinstance(app, cdk.App)
    body = app.synth().get_stack_by_name("Stranger").template
    templates = [Template("Stranger", body)]
    found = [
        *iam.judge(templates),
        *cfn_lint.judge(templates, ["us-east-1", "eu-central-1"]),
        *cloudformation.judge(templates),
    ]
    unknown = [each for each in found if not known(each)]
    assert not unknown, listing(unknown)
