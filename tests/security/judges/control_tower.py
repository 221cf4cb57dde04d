"""AWS Control Tower's proactive controls, as the CloudFormation Guard rules that AWS publishes."""

from __future__ import annotations

import functools
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

from tests.security.judges.findings import Finding
from tests.security.judges.guard import Rules, evaluate
from tests.security.judges.resolver import World
from tests.security.judges.templates import Template

JUDGE = "control-tower"
PACKAGE = "cdklabs.cdk_validator_cfnguard._jsii"


@functools.cache
def control_tower_rules() -> Rules:
    """The rules inside the bundle of the package `cdklabs.cdk-validator-cfnguard`.

    Raises:
        FileNotFoundError: the package holds no bundle, or its bundle no rules.
    """
    bundles = [item for item in resources.files(PACKAGE).iterdir() if item.name.endswith(".tgz")]
    found: list[tuple[str, str]] = []
    for bundle in bundles:
        with bundle.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:gz") as archive:
            for member in archive:
                stored = archive.extractfile(member) if member.name.endswith(".guard") else None
                if stored is not None:
                    found.append((member.name.rpartition("/")[2], stored.read().decode()))
    if not found:
        raise FileNotFoundError(f"no Guard rules in the bundles of {PACKAGE}")
    return tuple(sorted(found))


def judge(templates: Sequence[Template]) -> list[Finding]:
    """Judge the stacks of one environment by every rule that AWS Control Tower publishes.

    The rules take a key or a subnet that another stack exports for none at all, so references
    between the stacks are resolved first.
    """
    world = World(templates)
    whole = [replace(item, body=world.joined(item.body, item.stack)) for item in templates]
    return evaluate(JUDGE, control_tower_rules(), whole)
