"""Intrinsic functions become the strings that AWS would make of them, alike in all stacks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.judges.conditions import unmet, wildcard
from tests.security.judges.nodes import Place
from tests.security.judges.policies import Call, decide
from tests.security.judges.resolver import UnresolvedError, World
from tests.security.judges.templates import Template

BODY: dict[str, Any] = {
    "Parameters": {"Stage": {"Type": "String", "Default": "dev"}, "Open": {"Type": "String"}},
    "Mappings": {"Sizes": {"dev": {"Memory": 256}}},
    "Conditions": {
        "Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
        "Prod": {"Fn::Not": [{"Condition": "Dev"}]},
        "Either": {"Fn::Or": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
    },
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Named": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "mine"}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Group": {"Type": "AWS::Logs::LogGroup"},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/team/"}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventBusName": {"Ref": "Bus"}}},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "bus"}},
        "Table": {"Type": "AWS::DynamoDB::Table"},
    },
    "Outputs": {
        "Queue": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": "one:Queue"}}
    },
}
WORLD = World([Template("one", BODY), Template("two", {"Resources": {}}, account="222233334444")])
QUEUE = "arn:aws:sqs:eu-central-1:111122223333:one-Queue"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::StackName"}, "one"),
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "Open"}, "parameter-Open"),
        ({"Ref": "Queue"}, "https://sqs.eu-central-1.amazonaws.com/111122223333/one-Queue"),
        ({"Ref": "Bucket"}, "one-bucket"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, QUEUE),
        ({"Fn::GetAtt": "Queue.Arn"}, QUEUE),
        ({"Fn::GetAtt": ["Named", "QueueName"]}, "mine"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::one-bucket"),
        (
            {"Fn::GetAtt": ["Group", "Arn"]},
            "arn:aws:logs:eu-central-1:111122223333:log-group:one-Group:*",
        ),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::111122223333:role/team/one-Role"),
        (
            {"Fn::GetAtt": ["Rule", "Arn"]},
            "arn:aws:events:eu-central-1:111122223333:rule/bus/one-Rule",
        ),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, "a-dev"),
        (
            {"Fn::Sub": "${AWS::Region}/${Stage}/${Queue.Arn}/${!x}"},
            f"eu-central-1/dev/{QUEUE}/${{x}}",
        ),
        ({"Fn::Sub": ["${a}-${Stage}", {"a": {"Ref": "Stage"}}]}, "dev-dev"),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}, 256),
        ({"Fn::If": ["Dev", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Prod", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"kept": 1, "gone": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        ([1, {"Fn::If": ["Prod", 2, {"Ref": "AWS::NoValue"}]}], [1]),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a": "dev"}'),
        ({"Fn::ImportValue": "one:Queue"}, QUEUE),
        ({"Fn::GetStackOutput": {"StackName": "one", "OutputName": "Queue"}}, QUEUE),
    ],
)
def test_resolve(value: Any, expected: Any) -> None:
    assert WORLD.resolve(value, "one") == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Unheard": 1},
        {"Ref": "Nowhere"},
        {"Fn::GetAtt": ["Nowhere", "Arn"]},
        {"Fn::ImportValue": "nowhere"},
        {"Fn::FindInMap": ["Sizes", "no", "Memory"]},
        {"Fn::GetStackOutput": {"StackName": "one", "OutputName": "Nothing"}},
    ],
)
def test_what_cannot_be_resolved_is_an_error(value: Any) -> None:
    with pytest.raises(UnresolvedError, match="one"):
        WORLD.resolve(value, "one")


def test_a_stack_keeps_the_account_it_is_bound_to() -> None:
    assert WORLD.resolve({"Ref": "AWS::AccountId"}, "two") == "222233334444"


def test_arns_lead_back_to_resources() -> None:
    found = WORLD.find("arn:aws:logs:eu-central-1:111122223333:log-group:one-Group:*")
    assert found is not None and found.label == "one/Group"
    assert WORLD.find("mine", "AWS::SQS::Queue") is not None
    assert WORLD.find("mine", "AWS::S3::Bucket") is None
    assert WORLD.find("arn:aws:sqs:eu-central-1:111122223333:other") is None
    assert WORLD.find(None) is None


def test_joined_resolves_other_stacks_only() -> None:
    value = {"a": {"Fn::ImportValue": "one:Queue"}, "b": [{"Ref": "Queue"}]}
    assert WORLD.joined(value, "one") == {"a": QUEUE, "b": [{"Ref": "Queue"}]}


def test_another_partition() -> None:
    china = World([Template("one", BODY)], Place("aws-cn", "cn-north-1"))
    assert china.resolve({"Ref": "AWS::URLSuffix"}, "one") == "amazonaws.com.cn"
    assert china.resolve({"Fn::GetAtt": ["Bucket", "Arn"]}, "one") == "arn:aws-cn:s3:::one-bucket"


CONTEXT = {"aws:sourceaccount": "1", "aws:sourcearn": "arn:aws:s3:::b", "flag": "true"}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringEquals": {"AWS:sourceaccount": ["2", "1"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "2"}}, False),
        ({"StringEquals": {"absent": "1"}}, False),
        ({"StringEqualsIfExists": {"absent": "1"}}, True),
        ({"StringNotEquals": {"absent": "1"}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, False),
        ({"StringLike": {"aws:SourceArn": "arn:*:b"}}, True),
        ({"StringNotLike": {"aws:SourceArn": "arn:*:c"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:*:b"}}, False),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}}, True),
        ({"Bool": {"flag": True}}, True),
        ({"Bool": {"flag": "false"}}, False),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"flag": "true"}}, False),
        ({"ForAllValues:StringEquals": {"absent": "1"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:SourceAccount": ["1"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"flag": "false"}}, False),
        ({"Unheard": {"flag": "true"}}, False),
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    assert (unmet(condition, CONTEXT) == []) is holds


def test_wildcards_are_iams_not_the_shells() -> None:
    assert wildcard("a*c?", "abbcd")
    assert not wildcard("[ab]", "a")
    assert wildcard("[ab]", "[ab]")


def test_a_denial_wins() -> None:
    call = Call("sqs:SendMessage", "arn:q", "events.amazonaws.com")
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "SQS:Send*", "Resource": "arn:*"}
    denied = {**allowed, "Effect": "Deny", "NotAction": "sqs:ReceiveMessage"}
    del denied["Action"]
    assert decide([allowed], call).allowed
    assert not decide([allowed, denied], call).allowed
    assert not decide([], call).allowed
    assert not decide([{**allowed, "NotResource": "arn:q", "Resource": None}], call).allowed
