"""The edges judge: every way from a service to a resource must be open.

For each edge the target's policy and, where the target is encrypted with a customer-managed key,
the key's policy must allow exactly the calls that AWS documents for the delivering service.
An edge of a kind that no module here knows is reported as not judged.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.security.judges.edges import (
    admitted,
    alarms,
    buckets,
    budgets,
    census,
    endpoints,
    functions,
    logs,
    networks,
    passes,
    pipelines,
    queues,
    roles,
    rules,
    schedules,
    starts,
    topics,
    workbench,
)
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Place
from tests.security.judges.resolver import World
from tests.security.judges.templates import Template

MODULES = (
    rules,
    alarms,
    budgets,
    topics,
    buckets,
    functions,
    queues,
    logs,
    roles,
    schedules,
    passes,
    pipelines,
    endpoints,
    starts,
    networks,
    workbench,
    admitted,
)

PLACES = (Place(), Place("aws-us-gov", "us-gov-west-1"), Place("aws-cn", "cn-north-1"))


def judge(templates: Sequence[Template], places: Sequence[Place] = PLACES) -> list[Finding]:
    """Judge every edge between the resources of one environment's stacks.

    Args:
        templates: all stacks of the environment; edges cross stacks.
        places: partitions and Regions to imagine the stacks in. A policy that names `arn:aws:`
            by hand matches in the first one only.
    """
    found: set[Finding] = set()
    for place in places:
        world = World(templates, place)
        for module in MODULES:
            found.update(module.findings(world))
        found.update(census.findings(world))
    return sorted(found)
