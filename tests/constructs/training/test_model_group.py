"""A model group and who may do what with its versions."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from sagelens import EncryptionKey, ModelGroup
from tests.constructs.conftest import actions, resources, statements


def test_a_group_stays_and_is_shared_with_nobody(stack: cdk.Stack) -> None:
    ModelGroup(stack, "Group", name="sagelens-test-churn", description="Churn")
    ((_, group),) = [
        (name, one)
        for name, one in resources(stack).by_id.items()
        if one["Type"] == "AWS::SageMaker::ModelPackageGroup"
    ]
    assert group["DeletionPolicy"] == "Retain"
    assert group["Properties"] == {
        "ModelPackageGroupName": "sagelens-test-churn",
        "ModelPackageGroupDescription": "Churn",
    }


def test_other_accounts_read_and_use_versions_of_this_group_only(stack: cdk.Stack) -> None:
    ModelGroup(
        stack,
        "Group",
        name="churn",
        description="Churn",
        share_with=["222233334444", "333344445555"],
    )
    group = resources(stack).one("AWS::SageMaker::ModelPackageGroup")
    policy = group["ModelPackageGroupPolicy"]["Statement"]
    assert [(one["Sid"], one["Action"]) for one in policy] == [
        ("ReadGroup", "sagemaker:DescribeModelPackageGroup"),
        (
            "UseVersions",
            [
                "sagemaker:DescribeModelPackage",
                "sagemaker:ListModelPackages",
                "sagemaker:CreateModel",
            ],
        ),
    ]
    assert str(policy[0]["Principal"]["AWS"]).count(":root") == 2
    assert ":model-package-group/churn" in str(policy[0]["Resource"])
    assert ":model-package/churn/*" in str(policy[1]["Resource"])


def test_who_approves_may_not_register(stack: cdk.Stack) -> None:
    group = ModelGroup(stack, "Group", name="churn", description="Churn")
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    group.grant_approve(role)
    found = resources(stack).one("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert {one["Sid"]: one["Action"] for one in found} == {
        "ReadModelGroup": "sagemaker:DescribeModelPackageGroup",
        "ReadModelVersions": ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
        "ApproveModelVersions": "sagemaker:UpdateModelPackage",
    }


def going(stack: cdk.Stack) -> ModelGroup:
    """A group that goes with its stack."""
    return ModelGroup(
        stack,
        "Group",
        name="churn",
        description="Churn",
        encryption_key=EncryptionKey(stack, "Key"),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def test_a_group_that_stays_brings_nothing_that_could_empty_it(stack: cdk.Stack) -> None:
    key = EncryptionKey(stack, "Key")
    group = ModelGroup(stack, "Group", name="churn", description="Churn", encryption_key=key)
    assert group.emptier is None
    assert resources(stack).types() == {"AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup"}


def test_a_group_that_goes_is_emptied_before(stack: cdk.Stack) -> None:
    going(stack)
    found = resources(stack)
    by_type = {one["Type"]: (name, one) for name, one in found.by_id.items()}
    group_id, group = by_type["AWS::SageMaker::ModelPackageGroup"]
    _, emptier = by_type["Custom::SagelensModelGroupEmptier"]
    assert group["DeletionPolicy"] == "Delete"
    # CloudFormation deletes what depends on another before it.
    assert group_id in emptier["DependsOn"]
    assert emptier["Properties"]["GroupName"] == "churn"
    assert emptier["DeletionPolicy"] == "Delete"
    function = found.one("AWS::Lambda::Function")
    assert function["Handler"] == "model_group_emptier.handler.handler"
    assert int(emptier["Properties"]["ServiceTimeout"]) > function["Timeout"]


def test_it_deletes_versions_of_this_very_group_and_nothing_else(stack: cdk.Stack) -> None:
    going(stack)
    granted = statements(resources(stack).one("AWS::IAM::Role"))
    assert actions(granted.values()) == {
        "cloudformation:DescribeStacks",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sagemaker:DeleteModelPackage",
        "sagemaker:ListModelPackages",
    }
    assert str(granted["DeleteVersions"]["Resource"]).count(":model-package/churn/*") == 1
    assert granted["SeeWhetherStackGoes"]["Resource"] == {"Ref": "AWS::StackId"}


def test_a_pipeline_is_deleted_before_the_versions_that_it_could_still_add(
    stack: cdk.Stack,
) -> None:
    group = going(stack)
    late = cdk.CfnResource(stack, "Late", type="AWS::SNS::Topic")
    late.node.add_dependency(group)
    ids = resources(stack).by_id
    (emptier,) = [n for n, one in ids.items() if one["Type"].startswith("Custom::")]
    assert emptier in ids["Late"]["DependsOn"]


def test_a_group_that_goes_needs_a_key(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError, match="encryption_key: got none, allowed with removal_policy"):
        ModelGroup(
            stack,
            "Group",
            name="churn",
            description="Churn",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )


def test_wrong_arguments_are_told_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError) as refused:
        ModelGroup(stack, "Group", name="a_b", description="x" * 1025, share_with=["12"])
    assert str(refused.value).splitlines() == [
        "ModelGroup Stranger/Group cannot be made:",
        "name: got 'a_b', allowed are 1 to 63 letters, digits and hyphens between them",
        "description: got 1025 characters, allowed are 1,024",
        "share_with: got '12', allowed are account ids of 12 digits",
    ]
