"""What the smaller constructs promise."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from sagelens import (
    AlarmTopic,
    EncryptionKey,
    LogGroup,
    PlatformBus,
    PrivateNetwork,
    Quarantine,
    ResultsTable,
    SecureBucket,
)
from sagelens.errors import ArgumentErrors
from tests.constructs.conftest import resources


@pytest.fixture
def key(stack: cdk.Stack) -> EncryptionKey:
    return EncryptionKey(stack, "Key")


def test_key_rotates_and_admits_services_of_this_account_only(
    stack: cdk.Stack, key: EncryptionKey
) -> None:
    found = resources(stack).one("AWS::KMS::Key")
    assert found["EnableKeyRotation"] is True
    admitted = [
        statement
        for statement in found["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    ]
    assert len(admitted) == 5
    assert all("AWS::AccountId" in str(statement["Condition"]) for statement in admitted)


def test_bucket_is_private_versioned_encrypted_and_tells_eventbridge(
    stack: cdk.Stack, key: EncryptionKey
) -> None:
    SecureBucket(stack, "Bucket", encryption_key=key, event_notifications=True)
    found = resources(stack)
    bucket = found.one("AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "EventBridgeConfiguration" in bucket["NotificationConfiguration"]
    assert "Custom::S3BucketNotifications" not in found.types()
    (deny,) = found.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("removal", "deletion", "emptied"),
    [(cdk.RemovalPolicy.RETAIN, "Retain", False), (cdk.RemovalPolicy.DESTROY, "Delete", True)],
)
def test_data_stay_or_go_as_asked(
    stack: cdk.Stack,
    key: EncryptionKey,
    removal: cdk.RemovalPolicy,
    deletion: str,
    emptied: bool,
) -> None:
    SecureBucket(stack, "Bucket", removal_policy=removal)
    ResultsTable(stack, "Table", encryption_key=key, removal_policy=removal)
    LogGroup(stack, "Logs", encryption_key=key, removal_policy=removal)
    found = resources(stack)
    for type in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup"):
        (resource,) = [one for one in found.by_id.values() if one["Type"] == type]
        assert resource["DeletionPolicy"] == deletion
    assert ("Custom::S3AutoDeleteObjects" in found.types()) is emptied
    assert found.one("AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is not emptied


def test_table_recovers_expires_and_bills_by_request(stack: cdk.Stack, key: EncryptionKey) -> None:
    ResultsTable(stack, "Table", encryption_key=key)
    table = resources(stack).one("AWS::DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS"


def test_table_lists_what_waits_for_a_person_by_keys_alone(
    stack: cdk.Stack, key: EncryptionKey
) -> None:
    table = ResultsTable(stack, "Table", encryption_key=key)
    role = iam.Role(
        stack,
        "Role",
        assumed_by=iam.AccountRootPrincipal(),
        inline_policies={"p": iam.PolicyDocument(statements=table.reviewing_statements())},
    )
    assert role
    found = resources(stack)
    indexes = found.one("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    (index,) = [each for each in indexes if each["IndexName"] == "reviews"]
    assert [each["AttributeName"] for each in index["KeySchema"]] == ["review", "analysed_at"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    listing, recording = found.one("AWS::IAM::Role")["Policies"][0]["PolicyDocument"]["Statement"]
    assert listing["Action"] == "dynamodb:Query"
    assert listing["Resource"]["Fn::Join"][1][-1] == "/index/reviews"
    assert recording["Action"] == ["dynamodb:GetItem", "dynamodb:UpdateItem"]


def test_bus_leaves_the_key_policy_alone(stack: cdk.Stack, key: EncryptionKey) -> None:
    PlatformBus(stack, "Bus", encryption_key=key, description="news")
    found = resources(stack)
    assert "KmsKeyIdentifier" in found.one("AWS::Events::EventBus")
    assert len(found.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]) == 7


def test_topic_is_published_to_by_alarms_and_rules_of_this_account(
    stack: cdk.Stack, key: EncryptionKey
) -> None:
    AlarmTopic(stack, "Topic", encryption_key=key, emails=["ops@example.com"])
    found = resources(stack)
    assert found.one("AWS::SNS::Subscription")["Endpoint"] == "ops@example.com"
    allowed = [
        statement
        for statement in found.one("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert {one["Principal"]["Service"] for one in allowed} == {
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
    }
    assert all("aws:SourceAccount" in one["Condition"]["StringEquals"] for one in allowed)


@pytest.mark.parametrize("reviewers", [(), ("arn:aws:iam::123456789012:role/reviewers",)])
def test_quarantine_excepts_the_reviewer_alone(
    stack: cdk.Stack, key: EncryptionKey, reviewers: tuple[str, ...]
) -> None:
    bucket = SecureBucket(stack, "Bucket", encryption_key=key)
    Quarantine(stack, "Quarantine", bucket=bucket, encryption_key=key, reviewers=reviewers)
    found = resources(stack)
    policy = found.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    denials = {one["Sid"]: one for one in policy if "Sid" in one}
    reading = denials["DenyReadingQuarantined"]
    assert reading["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert list(reading["Condition"]["ArnNotEquals"]) == ["aws:PrincipalArn"]
    assert denials["DenyUploadingQuarantined"]["Action"] == "s3:PutObject"
    trust = found.one("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    principals = [one["Principal"]["AWS"] for one in trust]
    assert principals == list(reviewers) if reviewers else ":root" in str(principals)


def test_network_has_no_way_out_and_keeps_a_flow_log(stack: cdk.Stack, key: EncryptionKey) -> None:
    PrivateNetwork(
        stack, "Network", cidr="10.1.0.0/16", services=["sqs", "events"], encryption_key=key
    )
    found = resources(stack)
    assert not found.types() & {"AWS::EC2::NatGateway", "AWS::EC2::InternetGateway"}
    assert found.one("AWS::EC2::FlowLog")["TrafficType"] == "ALL"
    endpoints = found.of("AWS::EC2::VPCEndpoint")
    assert (
        sorted(one["VpcEndpointType"] for one in endpoints) == ["Gateway"] * 2 + ["Interface"] * 2
    )
    interface = [one for one in endpoints if one["VpcEndpointType"] == "Interface"]
    assert all("aws:PrincipalAccount" in str(one["PolicyDocument"]) for one in interface)


def test_network_refuses_one_zone(stack: cdk.Stack, key: EncryptionKey) -> None:
    with pytest.raises(ValueError, match="availability_zones: got 1, allowed are 2 to 3"):
        PrivateNetwork(
            stack,
            "Network",
            cidr="10.1.0.0/16",
            availability_zones=1,
            services=[],
            encryption_key=key,
        )


def test_all_problems_are_told_at_once_and_tokens_pass() -> None:
    errors = ArgumentErrors("Thing Stack/Thing")
    token: Any = cdk.Token.as_number({"Ref": "Parameter"})
    errors.between("known", 7, 1, 5, unit="s")
    errors.between("unknown", token, 1, 5)
    errors.require(False, "colour: got 'red', allowed is 'blue'")
    with pytest.raises(ValueError) as refused:
        errors.throw()
    assert str(refused.value).splitlines() == [
        "Thing Stack/Thing cannot be made:",
        "known: got 7 s, allowed are 1 to 5 s",
        "colour: got 'red', allowed is 'blue'",
    ]
