"""AWS Security Hub's SageMaker controls, by the rules of our own in tests/security/rules."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from tests.security.judges.findings import Finding
from tests.security.judges.guard import Rules, evaluate
from tests.security.judges.templates import Template

JUDGE = "security-hub"
FOLDER = Path(__file__).parent.parent / "rules"


@functools.cache
def security_hub_rules(*, production: bool) -> Rules:
    """The rule files; those for production alone only if asked for."""
    files = sorted(FOLDER.glob("*.guard"))
    kept = [file for file in files if production or not file.stem.endswith("-production")]
    return tuple((file.name, file.read_text()) for file in kept)


def judge(templates: Iterable[Template], *, production: bool) -> list[Finding]:
    """Judge templates by the SageMaker controls.

    Args:
        templates: what to look at.
        production: whether the environment owes what costs money while idle as well.
    """
    return evaluate(JUDGE, security_hub_rules(production=production), templates)
