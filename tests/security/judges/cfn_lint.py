"""cfn-lint: the resource schemas of several Regions, and CloudFormation's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from cfnlint.api import ManualArgs, lint

from tests.security.judges.findings import Finding
from tests.security.judges.templates import Template

JUDGE = "cfn-lint"
REGIONS = ("us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1")


def judge(templates: Iterable[Template], regions: Sequence[str] = REGIONS) -> list[Finding]:
    """Judge templates by every rule of the severities error and warning.

    Args:
        templates: what to look at. One that is bound to a Region is judged for that one.
        regions: the Regions in which the others must be deployable.
    """
    found: list[Finding] = []
    for template in templates:
        where = [template.region] if template.region else list(regions)
        for match in lint(json.dumps(template.body), config=ManualArgs(regions=where)):
            path = [str(step) for step in getattr(match, "path", None) or []]
            logical_id = path[1] if len(path) > 1 and path[0] == "Resources" else "-"
            text = f"{'.'.join(path[2:]) or 'template'}: {match.message}"
            resource = f"{template.stack}/{logical_id}"
            found.append(Finding(JUDGE, match.rule.id, resource, text))
    return sorted(found)
