"""The seeded-bad template: each judge must say exactly what is expected of it."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import cloudformation_include

from tests.security.bad_template import BAD, EXPECTED
from tests.security.judges import nag
from tests.security.judges.control_tower import control_tower_rules
from tests.security.test_judges import JUDGES


@pytest.mark.parametrize("judge", JUDGES)
def test_judge_bites(judge: str) -> None:
    found = JUDGES[judge][0]("prod", [BAD])
    assert {(item.rule, item.resource.removeprefix("bad/")) for item in found} == EXPECTED[judge]


def _bad_app(folder: Path) -> cdk.App:
    file = folder / "bad.json"
    file.write_text(json.dumps(BAD.body))
    app = cdk.App(outdir=str(folder / "out"))
    stack = cdk.Stack(app, "bad")
    cloudformation_include.CfnInclude(stack, "It", template_file=str(file))
    return app


def test_nag_bites(tmp_path: Path) -> None:
    found = nag.judge(_bad_app(tmp_path))
    got = {(item.rule, item.resource.removeprefix("bad/It/")) for item in found}
    assert got == EXPECTED["cdk-nag"]


def test_nag_sees_stale_and_blanket_acknowledgements(tmp_path: Path) -> None:
    def build() -> cdk.App:
        app = _bad_app(tmp_path)
        stack = app.node.find_child("bad")
        key = stack.node.find_child("It").node.find_child("Key")
        for scope, rule in (
            (key, "AwsSolutions-KMS5"),  # exact
            (key, "AwsSolutions::AwsSolutions-S1"),  # nothing of the kind on a key
            (stack, "AwsSolutions-IAM5[Action::dynamodb:*]"),  # one finding, from further up
        ):
            acknowledgment = cdk.Acknowledgment(id=rule, reason="a reason")
            cdk.Validations.of(scope).acknowledge(acknowledgment)
        return app

    assert [(item.rule, item.resource) for item in nag.stale(build)] == [
        ("AwsSolutions-S1", "bad/It/Key")
    ]
    acknowledged = {item.rule for item in nag.judge(build())}
    assert "AwsSolutions-KMS5" not in acknowledged
    assert "AwsSolutions-S1" in acknowledged


def test_all_of_control_towers_rules_are_there() -> None:
    assert len(control_tower_rules()) == 237
