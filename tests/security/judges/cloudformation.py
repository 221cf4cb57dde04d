"""cloudformation-validate: resource schemas, semantics and best practice."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable

import cloudformation_validate as validate

from tests.security.judges.findings import Finding
from tests.security.judges.templates import Template

JUDGE = "cloudformation-validate"


@functools.cache
def _engine() -> validate.CompositeEngine:
    return validate.CompositeEngine()


def judge(templates: Iterable[Template]) -> list[Finding]:
    """Judge templates by everything that the tool calls a warning or worse.

    Raises:
        RuntimeError: a template could not be analysed to the end.
    """
    config = validate.ValidateConfig(severity_level=validate.Severity.WARN)
    found: list[Finding] = []
    for template in templates:
        content = validate.TemplateContent(json.dumps(template.body), f"{template.stack}.json")
        report = _engine().validate_template(content, config)
        if report.status is validate.ReportStatus.ANALYSIS_INCOMPLETE:
            raise RuntimeError(f"{JUDGE} could not analyse {template.stack} to the end")
        for item in report.diagnostics:
            resource = f"{template.stack}/{item.entity.logical_id if item.entity else '-'}"
            text = f"{item.property_path or 'resource'}: {item.message}"
            found.append(Finding(JUDGE, item.rule_id, resource, text))
    return sorted(found)
