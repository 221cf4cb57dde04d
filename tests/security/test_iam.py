"""The IAM judge: a statement that it lets pass and one that it stops, for each rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.examples.build import (
    ACCOUNT,
    SAME_ACCOUNT,
    allow,
    arn,
    bucket_policy,
    function,
    key,
    resource,
    role,
)
from tests.security.judges import iam
from tests.security.judges.iam_actions import expand, takes_resource
from tests.security.judges.templates import Template

OBJECTS = {"Fn::Sub": "${Bucket.Arn}/*"}
TABLE = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/t"}
PASS_ROLE = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/r"}
TO_SAGEMAKER = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def _rules(resources: dict[str, Any]) -> set[str]:
    return {item.rule for item in iam.judge([Template("stack", {"Resources": resources})])}


def _identity(statement: dict[str, Any]) -> set[str]:
    bucket = resource("S3::Bucket")
    return _rules({"Bucket": bucket, "Role": role("lambda.amazonaws.com", statement)})


def _on_bucket(statement: dict[str, Any]) -> set[str]:
    policy = bucket_policy("Bucket", statement)
    return _rules({"Bucket": resource("S3::Bucket"), "Policy": policy})


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:GetObject", OBJECTS),
        allow("rekognition:DetectModerationLabels"),  # its only resource type is optional
        allow("s3:ListAllMyBuckets"),
        allow("dynamodb:GetItem", TABLE),
        allow("iam:PassRole", PASS_ROLE, when=TO_SAGEMAKER),
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"},
    ],
)
def test_identity_statement_passes(statement: dict[str, Any]) -> None:
    assert _identity(statement) == set()


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (allow("s3:GetObjekt", OBJECTS), "UNKNOWN_ACTION"),
        (allow("s33:GetObject", OBJECTS), "UNKNOWN_PREFIX"),
        (allow("s3:GetObject", arn("Bucket")), "RESOURCE_MISMATCH"),
        (allow("dynamodb:GetItem", OBJECTS), "RESOURCE_MISMATCH"),
        (allow("dynamodb:GetItem"), "resource-star"),
        (allow("rekognition:DetectCustomLabels"), "resource-star"),
        (allow("dynamodb:Get*"), "resource-star"),
        (allow("*"), "wildcard-action"),
        (allow("dynamodb:*", TABLE), "wildcard-action"),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": OBJECTS}, "not-action"),
        (allow("iam:PassRole", PASS_ROLE), "pass-role"),
        (
            allow("s3:GetObject", OBJECTS, when={"StringEquals": {"s3:NoSuchKey": "x"}}),
            "UNKNOWN_CONDITION_FOR_ACTION",
        ),
        (
            allow("s3:GetObject", OBJECTS, when={"StringEqual": {"aws:SourceAccount": "1"}}),
            "UNKNOWN_OPERATOR",
        ),
    ],
)
def test_identity_statement_is_stopped(statement: dict[str, Any], rule: str) -> None:
    assert rule in _identity(statement)


@pytest.mark.parametrize("name", ["AdministratorAccess", "AmazonS3FullAccess", "PowerUserAccess"])
def test_broad_managed_policies_are_stopped(name: str) -> None:
    broad = role("lambda.amazonaws.com")
    broad["Properties"]["ManagedPolicyArns"] = [
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/" + name}
    ]
    assert _rules({"Role": broad}) == {"broad-managed-policy"}


def test_a_narrow_managed_policy_passes() -> None:
    narrow = role("lambda.amazonaws.com")
    narrow["Properties"]["ManagedPolicyArns"] = [
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    ]
    assert _rules({"Role": narrow}) == set()


def _trust(when: dict[str, Any] | None, service: str = "lambda.amazonaws.com") -> set[str]:
    trusting = role(service)
    statement = trusting["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    del statement["Condition"]
    if when is not None:
        statement["Condition"] = when
    return _rules({"Role": trusting})


def test_trust_is_limited_to_the_account() -> None:
    own = {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"}
    assert _trust(SAME_ACCOUNT) == set()
    assert _trust({"ArnLike": {"aws:SourceArn": own}}) == set()


@pytest.mark.parametrize(
    "when",
    [
        None,
        {"StringLike": {"aws:SourceAccount": "*"}},
        {"ArnLike": {"aws:SourceArn": "arn:*:*:*:*:*"}},
        {"StringNotEquals": {"aws:SourceAccount": "222233334444"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgPaths": "o-1/*"}},
    ],
)
def test_trust_that_strangers_can_use_is_stopped(when: dict[str, Any] | None) -> None:
    assert "confused-deputy" in _trust(when)


def test_a_service_that_sends_no_source_is_exempt() -> None:
    assert _trust(None, "ec2.amazonaws.com") == set()


def test_a_key_may_be_handed_to_the_account_and_to_services_by_context() -> None:
    context = {
        "ArnLike": {
            "kms:EncryptionContext:aws:logs:arn": {
                "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
            }
        }
    }
    service = {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}
    statement = allow(["kms:Encrypt*", "kms:Describe*"], service=service, when=context)
    assert _rules({"Key": key(statement)}) == set()


def test_a_key_is_not_handed_to_a_service_as_a_whole() -> None:
    statement = allow("kms:*", service="events.amazonaws.com")
    assert _rules({"Key": key(statement)}) == {"confused-deputy", "wildcard-action"}


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
def test_everybody_is_stopped_unless_limited_to_the_account(principal: object) -> None:
    statement = {**allow("s3:GetObject", OBJECTS), "Principal": principal}
    assert _on_bucket(statement) == {"public-principal"}
    limited = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    assert _on_bucket({**statement, "Condition": limited}) == set()


def test_a_denial_of_everybody_passes() -> None:
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    statement = {**allow("s3:*", OBJECTS), "Principal": "*", "Effect": "Deny", "Condition": tls}
    assert _on_bucket(statement) == set()


def test_not_principal_is_stopped() -> None:
    statement = {**allow("s3:GetObject", OBJECTS), "NotPrincipal": {"AWS": ACCOUNT}}
    assert "not-principal" in _on_bucket(statement)


def test_two_statements_with_one_sid_are_stopped() -> None:
    one = {**allow("s3:GetObject", OBJECTS), "Sid": "One"}
    bucket = resource("S3::Bucket")
    found = _rules({"Bucket": bucket, "Role": role("lambda.amazonaws.com", one, one)})
    assert found == {"DUPLICATE_SID"}


def _permission(**properties: Any) -> set[str]:
    permission = resource(
        "Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName={"Ref": "Function"},
        **properties,
    )
    resources = {"Role": role("lambda.amazonaws.com"), "Function": function()}
    return _rules({**resources, "Permission": permission})


def test_lambda_permissions_are_judged_too() -> None:
    assert _permission(Principal="s3.amazonaws.com", SourceAccount=ACCOUNT) == set()
    assert _permission(Principal="s3.amazonaws.com") == {"confused-deputy"}
    assert _permission(Principal="*") == {"public-principal"}


def test_the_reference_knows_actions_and_their_resources() -> None:
    assert set(expand("sqs:ReceiveMess*")) == {"sqs:ReceiveMessage"}
    assert takes_resource("sqs:SendMessage")
    assert not takes_resource("rekognition:DetectModerationLabels")
    assert not takes_resource("cloudwatch:PutMetricData")
