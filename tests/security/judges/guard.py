"""Runs CloudFormation Guard rules, in this process, over templates."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence

import cloudformation_validate as validate

from tests.security.judges.findings import Finding
from tests.security.judges.templates import Template

Rules = tuple[tuple[str, str], ...]
"""Rule files as pairs of name and text."""


@functools.cache
def _engine(rules: Rules) -> validate.CompositeEngine:
    sources = [validate.ExternalRuleSource(name=name, content=text) for name, text in rules]
    return validate.CompositeEngine(validate.CompositeEngineConfig(guard_rules=sources))


def evaluate(judge: str, rules: Rules, templates: Iterable[Template]) -> list[Finding]:
    """Evaluate Guard rules; several failed clauses of one rule on one resource are one finding.

    cloudformation-validate carries Guard's own evaluator, so this needs no binary and works on
    every platform that the package has a wheel for.

    Args:
        judge: the name that the findings carry.
        rules: the rule files.
        templates: what to look at.

    Raises:
        cloudformation_validate.ValidationError: a rule file does not parse.
        RuntimeError: a template could not be analysed to the end.
    """
    engine = _engine(rules)
    config = validate.ValidateConfig(disable_builtin_rules=True)
    found: set[Finding] = set()
    for template in templates:
        content = validate.TemplateContent(json.dumps(template.body), f"{template.stack}.json")
        report = engine.validate_template(content, config)
        if report.status is not validate.ReportStatus.OK:
            raise RuntimeError(f"{judge} could not analyse {template.stack}: {report.status}")
        # Clauses on the whole document come without a resource; those that name one are enough.
        named = {item.rule_id for item in report.diagnostics if item.entity}
        for item in report.diagnostics:
            if item.entity is None and item.rule_id in named:
                continue
            resource = f"{template.stack}/{item.entity.logical_id if item.entity else '-'}"
            text = " ".join((item.rule_description or item.message).split())
            found.add(Finding(judge, item.rule_id, resource, text))
    return sorted(found)


def names(rules: Sequence[tuple[str, str]]) -> set[str]:
    """The names of the rules in rule files."""
    lines = (line.split() for _, text in rules for line in text.splitlines())
    return {words[1] for words in lines if len(words) > 1 and words[0] == "rule"}
