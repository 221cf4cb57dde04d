"""The parameter that says which version is live."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from sagelens.live_version import LiveVersion
from tests.constructs.conftest import actions, resources, statements
from tests.constructs.hosting.conftest import House


def test_no_template_holds_a_version(house: House) -> None:
    assert house.version.parameter_name == "/test/live/churn"
    found = resources(house.stack)
    custom = found.one("Custom::SagelensLiveVersion")
    assert {k: v for k, v in custom.items() if k not in ("ServiceToken", "ServiceTimeout")} == {
        "Name": "/test/live/churn",
        "Description": "Model package that is live; written by releases only",
        "Tags": {"team": "a"},
    }
    assert "AWS::SSM::Parameter" not in found.types()


def test_function_keeps_parameters_below_its_prefix_and_sees_its_own_stack(house: House) -> None:
    assert house.version.resource
    (role,) = resources(house.stack).of("AWS::IAM::Role")
    granted = statements(role)
    assert actions(granted.values()) == {
        "cloudformation:DescribeStacks",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ssm:AddTagsToResource",
        "ssm:DeleteParameter",
        "ssm:GetParameter",
        "ssm:PutParameter",
        "ssm:RemoveTagsFromResource",
    }
    assert ":parameter/test/live/*" in str(granted["KeepParameters"]["Resource"])
    assert granted["SeeWhetherStackGoes"]["Resource"] == {"Ref": "AWS::StackId"}


@pytest.mark.parametrize(
    ("removal", "policy"),
    [(cdk.RemovalPolicy.RETAIN, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete")],
)
def test_it_stays_or_goes_as_asked(house: House, removal: cdk.RemovalPolicy, policy: str) -> None:
    LiveVersion(
        house.stack,
        "Other",
        parameter_name="/test/live/other",
        function=house.version_function,
        removal_policy=removal,
    )
    (custom,) = [
        one
        for one in resources(house.stack).by_id.values()
        if one["Type"] == "Custom::SagelensLiveVersion"
    ]
    assert custom["DeletionPolicy"] == policy


def test_name_outside_the_prefix_is_refused(house: House) -> None:
    with pytest.raises(ValueError, match="parameter_name: got '/else/churn', allowed is one that"):
        LiveVersion(
            house.stack,
            "Other",
            parameter_name="/else/churn",
            function=house.version_function,
        )
