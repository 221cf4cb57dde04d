"""What the platform needs of the embedded AWS's services, and what our adapter adds to them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.deploy import delete, deploy_template
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal

ACCOUNT = "000000000000"
Make = Callable[..., Any]


def queue(aws: Rehearsal, name: str, **attributes: str) -> tuple[str, str]:
    """Make a queue; return its URL and ARN."""
    url = aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def allow_events(aws: Rehearsal, url: str, arn: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def depth(aws: Rehearsal, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(value) for value in answer["Attributes"].values())


def dead_letter_pair(aws: Rehearsal, receives: int = 1, **more: str) -> tuple[str, str, str, str]:
    dead, dead_arn = queue(aws, "dead")
    redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": receives}
    url, arn = queue(aws, "main", RedrivePolicy=json.dumps(redrive), **more)
    return url, arn, dead, dead_arn


def test_redrive_from_the_dead_letter_queue(engine: Rehearsal, eventually: Make) -> None:
    url, _, dead, dead_arn = dead_letter_pair(engine, VisibilityTimeout="0")
    sqs = engine.client("sqs")
    sent = sqs.send_message(QueueUrl=url, MessageBody="again")["MessageId"]
    sqs.receive_message(QueueUrl=url)

    def swept() -> int:
        sqs.receive_message(QueueUrl=url)
        return depth(engine, dead)

    eventually(swept)
    handle = sqs.start_message_move_task(SourceArn=dead_arn)["TaskHandle"]
    assert handle
    tasks = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"]
    assert [(t["Status"], t["ApproximateNumberOfMessagesMoved"]) for t in tasks] == [
        ("COMPLETED", 1)
    ]
    assert depth(engine, dead) == 0
    message = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert message["Body"] == "again"
    assert message["MessageId"] != sent
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_redrive_errors(engine: Rehearsal) -> None:
    sqs = engine.client("sqs")
    _, arn, dead, dead_arn = dead_letter_pair(engine)
    with pytest.raises(ClientError, match="Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=arn)
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.start_message_move_task(SourceArn=dead_arn + "x")
    sqs.send_message(QueueUrl=dead, MessageBody="sent here by hand")
    sqs.start_message_move_task(SourceArn=dead_arn)
    task = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]
    assert task["FailureReason"] == "CouldNotDetermineMessageSource"
    assert depth(engine, dead) == 1


POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
BACKING_OFF = """
import json, os, boto3
sqs = boto3.client("sqs")
def handler(event, context):
    failures = []
    for record in event["Records"]:
        print(json.dumps({"id": record["body"]}))
        if record["body"] == "slow":
            sqs.change_message_visibility(QueueUrl=os.environ["QUEUE"],
                ReceiptHandle=record["receiptHandle"], VisibilityTimeout=30)
        if record["body"] in ("slow", "bad"):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
"""


def test_handler_changes_the_visibility_of_a_message_in_flight(
    engine: Rehearsal, role_with: Make, function_of: Make, eventually: Make
) -> None:
    """A failed item comes back after the queue's time, or after the handler's own backoff."""
    url, arn, dead, _ = dead_letter_pair(engine, 2, VisibilityTimeout="3")
    actions = [*POLL, "sqs:ChangeMessageVisibility"]
    role = role_with(engine, "r", [{"Effect": "Allow", "Action": actions, "Resource": arn}])
    function_of(engine, "f", BACKING_OFF, role, Environment={"Variables": {"QUEUE": url}})
    # Started once before: a cold start could take longer than the visibility lasts.
    engine.client("lambda").invoke(FunctionName="f", Payload='{"Records": []}')
    sqs = engine.client("sqs")
    entries = [{"Id": b, "MessageBody": b} for b in ("good", "slow", "bad")]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    engine.client("lambda").create_event_source_mapping(
        FunctionName="f",
        EventSourceArn=arn,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
    )
    message = eventually(lambda: sqs.receive_message(QueueUrl=dead).get("Messages"))[0]
    assert message["Body"] == "bad"
    assert depth(engine, url) == 1  # slow, still invisible
    events = engine.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
    seen = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
    assert sorted(s["id"] for s in seen) == ["bad", "bad", "good", "slow"]


@pytest.mark.parametrize("missing", POLL)
def test_event_source_polls_only_with_permission(
    engine: Rehearsal, role_with: Make, function_of: Make, eventually: Make, missing: str
) -> None:
    url, arn = queue(engine, "q")
    actions = [action for action in POLL if action != missing]
    role = role_with(engine, "r", [{"Effect": "Allow", "Action": actions, "Resource": arn}])
    function_of(engine, "f", "def handler(e, c): pass", role)
    mapping = engine.client("lambda").create_event_source_mapping(
        FunctionName="f", EventSourceArn=arn
    )["UUID"]
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    get = engine.client("lambda").get_event_source_mapping
    eventually(lambda: "PROBLEM" in get(UUID=mapping)["LastProcessingResult"])
    assert depth(engine, url) == 1


def test_timeout_kills_the_worker_and_the_message_comes_back(
    engine: Rehearsal, role_with: Make, function_of: Make, eventually: Make
) -> None:
    url, arn, dead, _ = dead_letter_pair(engine, 1, VisibilityTimeout="5")
    role = role_with(engine, "r", [{"Effect": "Allow", "Action": POLL, "Resource": arn}])
    code = "import time\ndef handler(e, c):\n    print('began')\n    time.sleep(60)"
    function_of(engine, "f", code, role, Timeout=3)
    engine.client("lambda").create_event_source_mapping(FunctionName="f", EventSourceArn=arn)
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    eventually(lambda: depth(engine, dead))
    logs = engine.client("logs")

    def told(text: str) -> bool:
        events = logs.filter_log_events(logGroupName="/aws/lambda/f")["events"]
        return any(text in event["message"] for event in events)

    eventually(lambda: told("Task timed out after 3"))
    assert told("began")


def test_lambda_reports_the_exception_it_ended_with(
    engine: Rehearsal, role_with: Make, function_of: Make
) -> None:
    code = "class Odd(Exception): pass\ndef handler(e, c):\n    raise Odd('so')"
    function_of(engine, "f", code, role_with(engine, "r", []))
    answer = engine.client("lambda").invoke(FunctionName="f", Payload="{}")
    body = json.load(answer["Payload"])
    assert answer["FunctionError"] == "Unhandled"
    assert (body["errorType"], body["errorMessage"]) == ("Odd", "so")


LOGGING = """
import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    logging.getLogger("mine").info("hello %s", "there")
    logging.getLogger("mine").debug("unheard")
    return context.aws_request_id
"""


def test_logger_reaches_cloudwatch_in_lambdas_layout(
    engine: Rehearsal, role_with: Make, function_of: Make
) -> None:
    function_of(engine, "f", LOGGING, role_with(engine, "r", []))
    request = json.load(engine.client("lambda").invoke(FunctionName="f", Payload="{}")["Payload"])
    events = engine.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
    lines = [e["message"] for e in events]
    [line] = [line for line in lines if "hello there" in line]
    level, moment, logged, _ = line.split("\t")
    assert (level, logged) == ("[INFO]", request)
    assert moment.endswith("Z")
    assert not any("unheard" in line for line in lines)


def test_json_logging_is_a_setting_of_the_function(
    engine: Rehearsal, role_with: Make, function_of: Make
) -> None:
    code = "import logging\ndef handler(e, c):\n    logging.getLogger('mine').info('hello')"
    function_of(
        engine,
        "f",
        code,
        role_with(engine, "r", []),
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
    )
    engine.client("lambda").invoke(FunctionName="f", Payload="{}")
    events = engine.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
    entries = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
    assert [(e["level"], e["message"]) for e in entries] == [("INFO", "hello")]


EMBEDDED = """
import json
def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [{"Namespace": "Ours",
        "Dimensions": [["Environment"]], "Metrics": [{"Name": "Denied", "Unit": "Count"}]}]},
        "Environment": "demo", "Denied": 2}))
"""


def test_embedded_metrics_and_their_alarm(
    engine: Rehearsal, role_with: Make, function_of: Make, eventually: Make
) -> None:
    """Only the alarm over the very dimensions fires, and it tells its topic's subscriber."""
    url, arn = queue(engine, "told")
    topic = engine.client("sns").create_topic(Name="alarms")["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    engine.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    engine.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloudwatch = engine.client("cloudwatch")
    for name in ("demo", "other"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Ours",
            MetricName="Denied",
            Dimensions=[{"Name": "Environment", "Value": name}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=2,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic],
        )
    function_of(engine, "f", EMBEDDED, role_with(engine, "r", []))
    engine.client("lambda").invoke(FunctionName="f", Payload="{}")
    receive = engine.client("sqs").receive_message
    told = eventually(lambda: receive(QueueUrl=url).get("Messages"))
    assert json.loads(json.loads(told[0]["Body"])["Message"])["AlarmName"] == "demo"

    def states() -> dict[str, str]:
        found = cloudwatch.describe_alarms()["MetricAlarms"]
        return {a["AlarmName"]: a["StateValue"] for a in found}

    eventually(lambda: states() == {"demo": "ALARM", "other": "OK"})


def test_alarms_of_queues_and_functions_fire(
    engine: Rehearsal, role_with: Make, function_of: Make, eventually: Make
) -> None:
    dead, _ = queue(engine, "dead")
    url, arn = queue(engine, "q", VisibilityTimeout="60")
    role = role_with(engine, "r", [{"Effect": "Allow", "Action": POLL, "Resource": arn}])
    function_of(engine, "f", "def handler(e, c): raise ValueError()", role)
    engine.client("lambda").create_event_source_mapping(FunctionName="f", EventSourceArn=arn)
    cloudwatch = engine.client("cloudwatch")

    def alarm(name: str, namespace: str, metric: str, dimension: str, value: str) -> None:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": value}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )

    alarm("depth", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "dead")
    alarm("age", "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "dead")
    alarm("errors", "AWS/Lambda", "Errors", "FunctionName", "f")

    def states() -> dict[str, str]:
        found = cloudwatch.describe_alarms()["MetricAlarms"]
        return {a["AlarmName"]: a["StateValue"] for a in found}

    eventually(lambda: set(states().values()) == {"OK"})
    engine.client("sqs").send_message(QueueUrl=dead, MessageBody="x")
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    eventually(lambda: set(states().values()) == {"ALARM"})


def test_event_reaches_a_queue_only_if_its_policy_allows(
    engine: Rehearsal, eventually: Make
) -> None:
    """A watched custom bus; what the queue refuses goes to the target's dead-letter queue."""
    events = engine.client("events")
    events.create_event_bus(Name="ours")
    closed, closed_arn = queue(engine, "closed")
    opened, open_arn = queue(engine, "open")
    dead, dead_arn = queue(engine, "dead")
    allow_events(engine, opened, open_arn)
    allow_events(engine, dead, dead_arn)
    events.put_rule(Name="all", EventBusName="ours", EventPattern='{"source": ["sagelens.vision"]}')
    targets = [
        {"Id": "open", "Arn": open_arn},
        {"Id": "closed", "Arn": closed_arn, "DeadLetterConfig": {"Arn": dead_arn}},
    ]
    events.put_targets(Rule="all", EventBusName="ours", Targets=targets)
    entry = {
        "EventBusName": "ours",
        "Source": "sagelens.vision",
        "DetailType": "Image Analysed",
        "Detail": '{"schema": "1"}',
    }
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    receive = engine.client("sqs").receive_message
    body = json.loads(eventually(lambda: receive(QueueUrl=opened).get("Messages"))[0]["Body"])
    assert (body["source"], body["detail-type"], body["detail"]) == (
        "sagelens.vision",
        "Image Analysed",
        {"schema": "1"},
    )
    eventually(lambda: depth(engine, dead))
    assert depth(engine, closed) == 0


def test_event_reaches_an_encrypted_queue_only_if_the_key_allows(
    engine: Rehearsal, eventually: Make
) -> None:
    kms, events = engine.client("kms"), engine.client("events")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    url, arn = queue(engine, "q", KmsMasterKeyId=key)
    allow_events(engine, url, arn)
    events.put_rule(Name="all", EventPattern='{"source": ["mine"]}')
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": arn}])
    entry = {"Source": "mine", "DetailType": "d", "Detail": "{}"}
    events.put_events(Entries=[entry])
    metrics = engine.client("cloudwatch").list_metrics
    eventually(lambda: metrics(Namespace="AWS/Events", MetricName="FailedInvocations")["Metrics"])
    assert depth(engine, url) == 0
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            },
        ],
    }
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    events.put_events(Entries=[entry])
    eventually(lambda: depth(engine, url) == 1)


def test_tags_of_an_object_are_events_of_their_own(engine: Rehearsal, eventually: Make) -> None:
    """On the default bus, for the very version, with the fields that AWS gives them."""
    s3, events, sqs = engine.client("s3"), engine.client("events"), engine.client("sqs")
    url, arn = queue(engine, "q")
    allow_events(engine, url, arn)
    events.put_rule(Name="all", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": arn}])
    for bucket in ("told", "silent"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration=on)
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    heard: list[dict[str, Any]] = []

    def hear(count: int) -> list[dict[str, Any]]:
        def look() -> bool:
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            heard.extend(json.loads(message["Body"]) for message in got)
            return len(heard) >= count

        eventually(look, what=f"{count} events")
        return heard

    first = s3.put_object(Bucket="told", Key="ä b", Body=b"one", Tagging="from=upload")
    s3.put_object(Bucket="told", Key="ä b", Body=b"two")
    hear(2)
    old = {"Bucket": "told", "Key": "ä b", "VersionId": first["VersionId"]}
    s3.put_object_tagging(**old, Tagging=tags)
    hear(3)
    s3.delete_object_tagging(**old)
    hear(4)
    s3.put_object(Bucket="silent", Key="k", Body=b"x")
    s3.put_object_tagging(Bucket="silent", Key="k", Tagging=tags)
    with pytest.raises(ClientError):
        s3.put_object_tagging(Bucket="told", Key="missing", Tagging=tags)
    s3.put_object(Bucket="told", Key="last", Body=b"x")
    *uploads, added, deleted, _ = hear(5)
    assert [each["detail-type"] for each in uploads] == ["Object Created"] * 2
    assert added["detail-type"] == "Object Tags Added"
    assert deleted["detail-type"] == "Object Tags Deleted"
    for each in (added, deleted):
        assert each["resources"] == ["arn:aws:s3:::told"]
        detail = dict(each["detail"])
        assert detail.pop("request-id")
        assert detail == {
            "version": "0",
            "event-version": "1.0",
            "bucket": {"name": "told"},
            "object": {
                "key": "ä b",
                "etag": first["ETag"].strip('"'),
                "version-id": first["VersionId"],
            },
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
        }
    assert len(heard) == 5


def test_condition_check_failure_returns_the_old_item(engine: Rehearsal) -> None:
    dynamodb = engine.client("dynamodb")
    dynamodb.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="table", Item={"pk": {"S": "a"}, "owner": {"S": "other"}})
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as failure:
        dynamodb.update_item(
            TableName="table",
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET #o = :me",
            ConditionExpression="attribute_not_exists(pk) OR #o = :me",
            ExpressionAttributeNames={"#o": "owner"},
            ExpressionAttributeValues={":me": {"S": "me"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failure.value.response["Item"]["owner"] == {"S": "other"}


def test_bucket_is_emptied_with_its_versions_only_if_it_asks_for_it(engine: Rehearsal) -> None:
    def template(tag: str) -> dict[str, Any]:
        bucket = {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": tag}],
            },
        }
        emptier = {
            "Type": "Custom::S3AutoDeleteObjects",
            "Properties": {"ServiceToken": "unused", "BucketName": {"Ref": "B"}},
        }
        outputs = {"B": {"Value": {"Ref": "B"}}}
        return {"Resources": {"B": bucket, "E": emptier}, "Outputs": outputs}

    s3 = engine.client("s3")
    name = deploy_template(engine, "s", template("true"))["B"]
    s3.put_object(Bucket=name, Key="k", Body=b"1")
    s3.put_object(Bucket=name, Key="k", Body=b"2")
    s3.delete_object(Bucket=name, Key="k")
    s3.put_object(Bucket=name, Key="l", Body=b"3")
    s3.create_multipart_upload(Bucket=name, Key="m")
    delete(engine, ["s"])
    assert name not in [b["Name"] for b in s3.list_buckets()["Buckets"]]

    name = deploy_template(engine, "t", template("false"))["B"]
    s3.put_object(Bucket=name, Key="k", Body=b"1")
    with pytest.raises(RehearsalError, match="DELETE_FAILED"):
        delete(engine, ["t"])
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 1


def test_sdk_call_custom_resource(engine: Rehearsal) -> None:
    call = {
        "service": "SSM",
        "action": "putParameter",
        "parameters": {"Name": "/n", "Value": "v", "Type": "String"},
        "physicalResourceId": {"id": "n"},
    }
    read = {
        "service": "SSM",
        "action": "getParameter",
        "parameters": {"Name": "/n"},
        "physicalResourceId": {"id": "r"},
    }
    template = {
        "Resources": {
            "P": {
                "Type": "Custom::AWS",
                "Properties": {"ServiceToken": "x", "Create": json.dumps(call)},
            },
            "R": {
                "Type": "Custom::AWS",
                "DependsOn": "P",
                "Properties": {"ServiceToken": "x", "Create": json.dumps(read)},
            },
        },
        "Outputs": {"V": {"Value": {"Fn::GetAtt": ["R", "Parameter.Value"]}}},
    }
    assert deploy_template(engine, "s", template) == {"V": "v"}


def test_unknown_type_is_recorded_aloud(engine: Rehearsal) -> None:
    template = {
        "Resources": {
            "Flow": {
                "Type": "AWS::EC2::FlowLog",
                "Properties": {"ResourceId": "vpc-1", "ResourceType": "VPC"},
            }
        },
        "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Flow", "Id"]}}},
    }
    out = deploy_template(engine, "s", template)
    [recorded] = engine.status()["recorded_only"]
    assert (recorded["type"], recorded["logical_id"], recorded["stack"]) == (
        "AWS::EC2::FlowLog",
        "Flow",
        "s",
    )
    assert recorded["physical_id"] == out["Id"]
    assert "RECORDED only: AWS::EC2::FlowLog" in (engine.folder / "server.log").read_text()
    delete(engine, ["s"])
    assert engine.status()["recorded_only"] == []


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"ResourceId": "vpc-1"}, r"required key \[ResourceType\] not found"),
        (
            {"ResourceId": "v", "ResourceType": "VPC", "Odd": 1},
            r"extraneous key \[Odd\] is not permitted",
        ),
    ],
)
def test_recorded_type_is_checked(
    engine: Rehearsal, properties: dict[str, Any], message: str
) -> None:
    template = {"Resources": {"Flow": {"Type": "AWS::EC2::FlowLog", "Properties": properties}}}
    with pytest.raises(RehearsalError, match=message):
        deploy_template(engine, "s", template)


def test_type_that_does_not_exist_is_refused(engine: Rehearsal) -> None:
    with pytest.raises(RehearsalError, match="AWS::EC2::Nonsense"):
        deploy_template(engine, "s", {"Resources": {"X": {"Type": "AWS::EC2::Nonsense"}}})


def test_vpc_answers_its_block(engine: Rehearsal) -> None:
    template = {
        "Resources": {"V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.20.0.0/16"}}},
        "Outputs": {"B": {"Value": {"Fn::GetAtt": ["V", "CidrBlock"]}}},
    }
    assert deploy_template(engine, "s", template) == {"B": "10.20.0.0/16"}


def test_write_that_names_no_key_uses_awss_own(engine: Rehearsal) -> None:
    """As the CDK CLI uploads its assets to the bootstrap bucket."""
    by_default = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    encryption = {"ServerSideEncryptionConfiguration": [by_default]}
    template = {
        "Resources": {
            "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": encryption}}
        },
        "Outputs": {"B": {"Value": {"Ref": "B"}}},
    }
    name = deploy_template(engine, "s", template)["B"]
    s3 = engine.client("s3")
    stored = s3.put_object(Bucket=name, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    assert stored["SSEKMSKeyId"].endswith(":alias/aws/s3")
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}


def test_alarm_counts_periods_and_missing_data(engine: Rehearsal, eventually: Make) -> None:
    """Two of three periods must breach; what is missing counts as the alarm says."""
    cloudwatch = engine.client("cloudwatch")

    def alarm(name: str, metric: str, missing: str) -> None:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName=metric,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=3,
            DatapointsToAlarm=2,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData=missing,
        )

    now = time.time()
    for metric, ages in (("once", [30]), ("twice", [30, 90]), ("late", [30, 400])):
        data = [{"MetricName": metric, "Value": 1.0, "Timestamp": now - age} for age in ages]
        cloudwatch.put_metric_data(Namespace="N", MetricData=data)
        alarm(metric, metric, "notBreaching")
    alarm("silent", "nothing", "missing")
    alarm("watchful", "nothing", "breaching")
    wanted = {
        "once": "OK",
        "twice": "ALARM",
        "late": "OK",
        "silent": "INSUFFICIENT_DATA",
        "watchful": "ALARM",
    }

    def states() -> bool:
        found = cloudwatch.describe_alarms()["MetricAlarms"]
        return {a["AlarmName"]: a["StateValue"] for a in found} == wanted

    eventually(states, 20)  # the data grow older
