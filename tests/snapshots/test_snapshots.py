"""The templates as they were accepted last: a review shows each change in them.

``make snapshots`` accepts the present ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from tests.conftest import ENVIRONMENTS

STACKS = (
    "foundation",
    "vision",
    "video",
    "results",
    "training",
    "releases",
    "hosting-churn",
    "hosting-replenishment",
    "drift",
    "batch",
    "workbench",
    "access",
    "retail",
)
# The endpoint of dev keeps no requests that a drift watch could look at; dev scores no files, and
# has no notebooks, which bill. Only the demo makes something of results, and looks at videos
# and shelves.
ABSENT = (
    *(("dev", stack) for stack in ("drift", "batch", "results", "retail", "video", "workbench")),
    *(("prod", stack) for stack in ("results", "retail", "video")),
)
CASES = [
    (environment, stack)
    for environment in ENVIRONMENTS
    for stack in STACKS
    if (environment, stack) not in ABSENT
]

# The hash of a function's source changes with every edit of it; what matters to a reviewer of
# the template is that there is an asset.
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def normalised(template: dict[str, Any]) -> dict[str, Any]:
    """The template without the hashes of assets."""
    return json.loads(_ASSET.sub("<asset>", json.dumps(template)))


class OneFileEach(JSONSnapshotExtension):
    """One JSON file a template, named after its stack, in a folder of their own."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "templates")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return str(index)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(OneFileEach)


@pytest.mark.parametrize(("environment", "capability"), CASES)
def test_template_is_as_accepted(
    environment: str,
    capability: str,
    assembly: Callable[[str], Path],
    snapshot: SnapshotAssertion,
) -> None:
    stack = f"sagelens-{environment}-{capability}"
    template = json.loads((assembly(environment) / f"{stack}.template.json").read_text())
    assert normalised(template) == snapshot(name=stack)


def test_every_stack_has_a_snapshot(assembly: Callable[[str], Path]) -> None:
    for environment in ENVIRONMENTS:
        found = {path.name for path in assembly(environment).glob("*.template.json")}
        assert found == {
            f"sagelens-{environment}-{stack}.template.json"
            for where, stack in CASES
            if where == environment
        }
