"""Every judge looks at every stack of every environment and finds nothing.

`make judge` runs this folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import FILES
from tests.security.judges import (
    cfn_lint,
    cloudformation,
    control_tower,
    edges,
    iam,
    nag,
    security_hub,
)
from tests.security.judges.findings import Finding, listing
from tests.security.judges.templates import Template, read_assembly
from tests.security.skips import SKIPS, Skip, settle

ENVIRONMENTS = ("demo", "dev", "prod")
# One with everything on that these leave off, for the judges of rights and ways.
EVERY = "every"
Judge = Callable[[str, Sequence[Template]], list[Finding]]

# For each judge: how it is asked, and the environments that owe it an answer.
JUDGES: dict[str, tuple[Judge, tuple[str, ...]]] = {
    "edges": (lambda _, given: edges.judge(given), (*ENVIRONMENTS, EVERY)),
    "iam": (lambda _, given: iam.judge(given), (*ENVIRONMENTS, EVERY)),
    "cloudformation-validate": (lambda _, given: cloudformation.judge(given), ENVIRONMENTS),
    "cfn-lint": (lambda _, given: cfn_lint.judge(given), ENVIRONMENTS),
    "security-hub": (
        lambda environment, given: security_hub.judge(given, production=environment == "prod"),
        ENVIRONMENTS,
    ),
    "control-tower": (lambda _, given: control_tower.judge(given), ENVIRONMENTS),
}
CASES = [(name, where) for name, (_, environments) in JUDGES.items() for where in environments]


@pytest.fixture(scope="session")
def templates(assembly: Callable[[str], Path]) -> Callable[[str], list[Template]]:
    """The templates of an environment, read once."""
    return cache(lambda environment: read_assembly(assembly(environment)))


@pytest.mark.parametrize(("judge", "environment"), CASES)
def test_judge(judge: str, environment: str, templates: Callable[[str], list[Template]]) -> None:
    found = JUDGES[judge][0](environment, templates(environment))
    left, unused = settle(found, judge, environment)
    assert not left, listing(left)
    assert not unused, "\n".join(unused)


def test_every_environment_is_judged() -> None:
    files = Path(__file__).parents[2].glob("config/environments/*.yaml")
    assert {file.stem for file in files} == set(ENVIRONMENTS)


def test_every_stack_is_judged(templates: Callable[[str], list[Template]]) -> None:
    for environment in ENVIRONMENTS:
        stacks = {template.stack for template in templates(environment)}
        names = ("foundation", "vision", "training", "releases", "hosting-churn")
        assert {f"sagelens-{environment}-{name}" for name in names} <= stacks


def test_every_skip_belongs_to_a_judge_that_runs() -> None:
    stray = [
        (skip.judge, skip.rule, environment)
        for skip in SKIPS
        for environment in skip.environments
        if (skip.judge, environment) not in CASES
    ]
    assert not stray


def test_every_skip_gives_its_reason() -> None:
    assert all(len(skip.reason.split()) > 3 for skip in SKIPS)


def test_a_skip_that_matches_nothing_is_reported() -> None:
    finding = Finding("iam", "rule", "sagelens-dev-vision/Role", "statement One: too much")
    exact = Skip("iam", "rule", ("vision/Role",), ("dev",), "because", about="statement One")
    other = Skip("iam", "rule", ("vision/Role",), ("dev",), "because", about="statement Two")
    assert settle([finding], "iam", "dev", (exact,)) == ([], [])
    left, unused = settle([finding], "iam", "dev", (other,))
    assert left == [finding]
    assert len(unused) == 1 and "matches nothing" in unused[0]


@pytest.mark.parametrize("environment", ["prod", FILES[EVERY]], ids=["prod", EVERY])
def test_nag(environment: str, tmp_path: Path) -> None:
    from app import build

    found = nag.judge(build(environment, outdir=str(tmp_path)))
    assert not found, listing(found)


@pytest.mark.parametrize("environment", ["prod", FILES[EVERY]], ids=["prod", EVERY])
def test_nag_acknowledges_nothing_that_is_not_found(environment: str, tmp_path: Path) -> None:
    from app import build

    found = nag.stale(lambda: build(environment, outdir=str(tmp_path)))
    assert not found, listing(found)
