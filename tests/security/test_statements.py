"""Every statement that lets a service in is needed: without it, the edges judge objects.

The embedded AWS enforces what roles may do, but neither key policies nor most resource policies
nor trust policies. So each of their statements must be one that a judge would miss.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.security.judges import edges
from tests.security.judges.nodes import Place
from tests.security.judges.templates import Template, read_assembly

# Open for what has no edge in the templates yet, with what they wait for.
WAITING: dict[tuple[str, str], str] = {
    ("access/DataScientistRoleF86E50E8", "None"): "notebooks and Studio may run as it",
}


def _service_statements(value: Any) -> Iterator[tuple[list[Any], int]]:
    """Each Allow for a service principal: the list that holds it, and its index there."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            allowed = isinstance(item, dict) and item.get("Effect") == "Allow"
            if allowed and "Service" in (item.get("Principal") or {}):
                yield value, index
            yield from _service_statements(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _service_statements(item)


def _without_each(templates: list[Template]) -> Iterator[tuple[str, str, list[Template]]]:
    """The templates without one such statement, for each: where it was, its Sid, the templates."""
    for number, template in enumerate(templates):
        for logical_id, resource in template.resources.items():
            if resource["Type"].startswith("AWS::EC2::VPCEndpoint"):
                continue
            for position, (holder, index) in enumerate(_service_statements(resource)):
                body = copy.deepcopy(template.body)
                found = list(_service_statements(body["Resources"][logical_id]))
                del found[position][0][found[position][1]]
                less = [*templates]
                less[number] = replace(template, body=body)
                stack = template.stack.split("-", 2)[2]
                yield f"{stack}/{logical_id}", str(holder[index].get("Sid")), less


@pytest.mark.parametrize("environment", ["demo", "prod", "every"])
def test_every_service_statement_is_needed(
    environment: str, assembly: Callable[[str], Path]
) -> None:
    templates = read_assembly(assembly(environment))
    before = set(edges.judge(templates, [Place()]))
    unnoticed = {
        (where, sid)
        for where, sid, less in _without_each(templates)
        if set(edges.judge(less, [Place()])) <= before
    }
    assert unnoticed == set(WAITING), "left: let services in for nothing; right: see WAITING"
