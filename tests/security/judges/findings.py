"""What a judge says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One objection to one resource.

    Args:
        judge: the judge's name, such as `edges` or `cfn-lint`.
        rule: the exact id of the check that failed.
        resource: `<stack>/<logical id>`, or the construct path for cdk-nag.
        message: what is wrong, in words.
    """

    judge: str
    rule: str
    resource: str
    message: str


def listing(findings: Iterable[Finding]) -> str:
    """Write findings as lines for an assertion message, sorted and without repeats."""
    lines = [f"{f.judge} {f.rule} {f.resource}\n    {f.message}" for f in sorted(set(findings))]
    return f"{len(lines)} finding(s)\n" + "\n".join(lines)
