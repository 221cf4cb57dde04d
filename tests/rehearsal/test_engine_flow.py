"""A whole flow on the embedded AWS: S3 → EventBridge → SQS → Lambda → Rekognition → DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rehearsal.deploy import delete, deploy_template
from rehearsal.process import Rehearsal

HANDLER = """
import json, logging, os, boto3
log = logging.getLogger()
log.setLevel("INFO")
rekognition = boto3.client("rekognition")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

def handler(event, context):
    failures = []
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        log.info("looking at %s", detail["object"]["key"])
        if "poison" in detail["object"]["key"]:
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        answer = rekognition.detect_moderation_labels(Image={"S3Object": {
            "Bucket": detail["bucket"]["name"], "Name": detail["object"]["key"],
            "Version": detail["object"]["version-id"]}}, MinConfidence=60)
        table.put_item(Item={"pk": detail["object"]["key"], "detail": json.dumps(detail),
                             "labels": [l["Name"] for l in answer["ModerationLabels"]]})
    return {"batchItemFailures": failures}
"""
ANSWER = {
    "DetectModerationLabels": {
        "ModerationLabels": [
            {"Name": "Weapons", "ParentName": "Violence", "Confidence": 91.5, "TaxonomyLevel": 2},
            {"Name": "Smoking", "ParentName": "", "Confidence": 55.0, "TaxonomyLevel": 1},
        ],
        "ModerationModelVersion": "7.0",
        "ContentTypes": [],
    }
}


def template() -> dict[str, Any]:
    queue_policy = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
    }
    key_statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        },
    ]
    allow = {
        "sqs:ReceiveMessage|sqs:DeleteMessage|sqs:GetQueueAttributes": {
            "Fn::GetAtt": ["Queue", "Arn"]
        },
        "kms:Decrypt": {"Fn::GetAtt": ["Key", "Arn"]},
        "rekognition:DetectModerationLabels": "*",
        "s3:GetObject|s3:GetObjectVersion": {"Fn::Sub": "${Bucket.Arn}/*"},
        "dynamodb:PutItem": {"Fn::GetAtt": ["Table", "Arn"]},
    }
    statements = [
        {"Effect": "Allow", "Action": actions.split("|"), "Resource": resource}
        for actions, resource in allow.items()
    ]
    return {
        "Resources": {
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": key_statements}},
            },
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "NotificationConfiguration": {
                        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
                    },
                    "Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}],
                },
            },
            "Empty": {
                "Type": "Custom::S3AutoDeleteObjects",
                "Properties": {"ServiceToken": "unused", "BucketName": {"Ref": "Bucket"}},
            },
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "VisibilityTimeout": 4,  # longer than a cold start
                    "KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                        "maxReceiveCount": 2,
                    },
                },
            },
            "QueuePolicy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Queue"}],
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [queue_policy]},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": {
                        "source": ["aws.s3"],
                        "detail-type": ["Object Created"],
                        "detail": {
                            "bucket": {"name": [{"Ref": "Bucket"}]},
                            "object": {"key": [{"prefix": "incoming/"}]},
                        },
                    },
                    "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Path": "/sagelens/test/",
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "lambda.amazonaws.com"},
                                "Action": "sts:AssumeRole",
                            }
                        ],
                    },
                    "Policies": [
                        {
                            "PolicyName": "p",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                        }
                    ],
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": HANDLER},
                    "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
                },
            },
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "BatchSize": 10,
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "ScalingConfig": {"MaximumConcurrency": 2},
                },
            },
        },
        "Outputs": {
            "Bucket": {"Value": {"Ref": "Bucket"}},
            "Table": {"Value": {"Ref": "Table"}},
            "Dead": {"Value": {"Ref": "Dead"}},
            "Function": {"Value": {"Ref": "Function"}},
        },
    }


def test_image_is_looked_at_and_poison_is_put_aside(
    engine: Rehearsal, picture: Callable[..., bytes], eventually: Callable[..., Any]
) -> None:
    """The event carries what the platform reads, keys as they are; its log reaches CloudWatch."""
    out = deploy_template(engine, "flow", template())
    image = picture(1)
    engine.rekognition.script(image, ANSWER)
    s3, dynamodb = engine.client("s3"), engine.client("dynamodb")
    key = "incoming/a b+c/Größe.jpg"
    version = s3.put_object(Bucket=out["Bucket"], Key=key, Body=image)["VersionId"]
    s3.put_object(Bucket=out["Bucket"], Key="incoming/poison.jpg", Body=image)
    s3.put_object(Bucket=out["Bucket"], Key="elsewhere/c.jpg", Body=image)

    item = eventually(
        lambda: dynamodb.get_item(TableName=out["Table"], Key={"pk": {"S": key}}).get("Item")
    )
    assert [label["S"] for label in item["labels"]["L"]] == ["Weapons"]
    found = json.loads(item["detail"]["S"])["object"]
    assert found["version-id"] == version
    assert found["size"] == len(image)
    assert len(found["sequencer"]) == 18
    assert '"' not in found["etag"]

    sqs = engine.client("sqs")
    poison = eventually(
        lambda: sqs.receive_message(QueueUrl=out["Dead"], VisibilityTimeout=0).get("Messages")
    )
    assert "poison" in poison[0]["Body"]

    logs = engine.client("logs")
    lines = [
        event["message"]
        for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{out['Function']}")["events"]
    ]
    assert any(
        "looking at incoming/a b+c" in line and line.startswith("[INFO]\t") for line in lines
    )
    assert engine.client("dynamodb").scan(TableName=out["Table"])["Count"] == 1

    delete(engine, ["flow"])
    assert out["Bucket"] not in [b["Name"] for b in s3.list_buckets()["Buckets"]]
