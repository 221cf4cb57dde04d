"""The policy by which an organisation opts out is one that AWS Organizations takes.

After "AI services opt-out policy syntax and examples", AWS Organizations user guide.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ai-services-opt-out.json").read_text(encoding="utf-8")
CLOSED = {"@@operators_allowed_for_child_policies": ["@@none"]}


def test_it_opts_out_of_everything_for_good() -> None:
    policy: dict[str, Any] = json.loads(TEXT)
    assert set(policy) == {"services"}
    services = policy["services"]
    assert services.items() >= CLOSED.items()
    assert set(services) == {*CLOSED, "default"}
    default = services["default"]
    assert set(default) == {*CLOSED, "opt_out_policy"} and default.items() >= CLOSED.items()
    assert default["opt_out_policy"] == {**CLOSED, "@@assign": "optOut"}


def test_the_commands_of_the_page_are_right() -> None:
    model = botocore.session.Session().get_service_model("organizations")
    create = model.operation_model("CreatePolicy").input_shape
    given = {
        "Content": TEXT,
        "Description": "Content is not used to improve AI services",
        "Name": "ai-services-opt-out",
        "Type": "AISERVICES_OPT_OUT_POLICY",
    }
    report = ParamValidator().validate(given, create)
    assert not report.has_errors(), report.generate_report()
    assert given["Type"] in create.members["Type"].enum
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for name in ("EnablePolicyType", "CreatePolicy", "AttachPolicy", "DescribeEffectivePolicy"):
        command = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
        assert f"{command} " in page and name in model.operation_names
    assert f"file://docs/{'ai-services-opt-out.json'}" in page
