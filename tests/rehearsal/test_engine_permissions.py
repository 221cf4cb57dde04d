"""What IAM decides on the embedded AWS: identity policies, bucket policies and their conditions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.deploy import deploy_template
from rehearsal.process import Rehearsal

TAG = "sagelens-quarantine"
READ_ALL = {
    "Effect": "Allow",
    "Action": ["s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*", "s3:ListBucket"],
    "Resource": ["arn:aws:s3:::images", "arn:aws:s3:::images/*"],
}


def code(call: Callable[..., Any], **arguments: Any) -> str:
    """The error code of a call, or `ok`."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


@pytest.fixture
def quarantine(engine: Rehearsal, role_with: Any) -> tuple[Any, Any, str, str]:
    """A versioned bucket with the platform's policy, and an object of two versions, one tagged.

    Returns clients of a reader and of the reviewer, then the clean and the tagged version.
    """
    reader = role_with(engine, "reader", [READ_ALL], path="/sagelens/dev/")
    reviewer = role_with(engine, "reviewer", [READ_ALL], path="/sagelens/dev/")
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="images")
    s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": "Enabled"})
    clean = s3.put_object(Bucket="images", Key="a/b c.jpg", Body=b"clean")["VersionId"]
    tagged = s3.put_object(Bucket="images", Key="a/b c.jpg", Body=b"bad")["VersionId"]
    s3.put_object_tagging(
        Bucket="images",
        Key="a/b c.jpg",
        VersionId=tagged,
        Tagging={"TagSet": [{"Key": TAG, "Value": "rejected"}]},
    )
    everyone = {"Effect": "Deny", "Principal": "*", "Resource": "arn:aws:s3:::images/*"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                **everyone,
                "Action": [
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:PutObjectTagging",
                    "s3:PutObjectVersionTagging",
                    "s3:DeleteObjectTagging",
                    "s3:DeleteObjectVersionTagging",
                ],
                "Condition": {
                    "StringEquals": {f"s3:ExistingObjectTag/{TAG}": "rejected"},
                    "ArnNotEquals": {"aws:PrincipalArn": reviewer},
                },
            },
            {
                **everyone,
                "Action": "s3:PutObject",
                "Condition": {"Null": {f"s3:RequestObjectTag/{TAG}": "false"}},
            },
            {
                **everyone,
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::images", "arn:aws:s3:::images/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    s3.put_bucket_policy(Bucket="images", Policy=json.dumps(policy))
    return engine.session(reader).client("s3"), engine.session(reviewer).client("s3"), clean, tagged


def test_tagged_version_is_denied_to_all_but_the_reviewer(
    engine: Rehearsal, quarantine: tuple[Any, Any, str, str]
) -> None:
    reader, reviewer, clean, tagged = quarantine
    item = {"Bucket": "images", "Key": "a/b c.jpg"}
    for who in (reader, engine.client("s3")):  # the account's root user too, as on AWS
        assert code(who.get_object, **item) == "AccessDenied"
        assert code(who.get_object, **item, VersionId=tagged) == "AccessDenied"
        assert code(who.get_object, **item, VersionId=clean) == "ok"
        assert code(who.head_object, **item, VersionId=tagged) == "403"
    assert reviewer.get_object(**item)["Body"].read() == b"bad"
    assert reviewer.get_object(**item, VersionId=tagged)["Body"].read() == b"bad"


def test_quarantine_tag_cannot_be_taken_off(
    engine: Rehearsal, quarantine: tuple[Any, Any, str, str]
) -> None:
    reader, reviewer, clean, tagged = quarantine
    item = {"Bucket": "images", "Key": "a/b c.jpg"}
    empty = {"Tagging": {"TagSet": []}}
    assert code(reader.put_object_tagging, **item, VersionId=tagged, **empty) == "AccessDenied"
    assert code(reader.delete_object_tagging, **item, VersionId=tagged) == "AccessDenied"
    assert code(reader.delete_object_tagging, **item) == "AccessDenied"
    assert code(reader.put_object_tagging, **item, VersionId=clean, **empty) == "ok"
    assert code(reviewer.put_object_tagging, **item, VersionId=tagged, **empty) == "ok"
    assert code(reader.get_object, **item) == "ok"


def test_copy_of_a_tagged_version_is_denied(quarantine: tuple[Any, Any, str, str]) -> None:
    """A copy reads its source: with and without the version's id."""
    reader, _, clean, tagged = quarantine
    source = {"Bucket": "images", "Key": "a/b c.jpg"}
    target = {"Bucket": "images", "Key": "copy.jpg"}
    assert code(reader.copy_object, **target, CopySource=source) == "AccessDenied"
    versioned = {**source, "VersionId": tagged}
    assert code(reader.copy_object, **target, CopySource=versioned) == "AccessDenied"
    assert code(reader.copy_object, **target, CopySource={**source, "VersionId": clean}) == "ok"


def test_upload_cannot_carry_the_quarantine_tag(quarantine: tuple[Any, Any, str, str]) -> None:
    reader, *_ = quarantine
    item = {"Bucket": "images", "Key": "new.jpg", "Body": b"x"}
    assert code(reader.put_object, **item, Tagging=f"{TAG}=rejected") == "AccessDenied"
    assert code(reader.put_object, **item, Tagging=f"a=b&{TAG}=") == "AccessDenied"
    assert code(reader.put_object, **item, Tagging="a=b") == "ok"
    assert code(reader.put_object, **item) == "ok"


def test_multipart_upload_cannot_carry_the_quarantine_tag(
    quarantine: tuple[Any, Any, str, str],
) -> None:
    reader, *_ = quarantine
    item = {"Bucket": "images", "Key": "big.jpg"}
    start = reader.create_multipart_upload
    assert code(start, **item, Tagging=f"{TAG}=rejected") == "AccessDenied"


def test_request_tags_of_a_tagging_request(engine: Rehearsal, role_with: Any) -> None:
    role = role_with(
        engine,
        "tagger",
        [
            {
                "Effect": "Allow",
                "Action": "s3:PutObjectTagging",
                "Resource": "*",
                "Condition": {"StringEquals": {f"s3:RequestObjectTag/{TAG}": "rejected"}},
            }
        ],
    )
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="images")
    s3.put_object(Bucket="images", Key="a", Body=b"x")
    tagger = engine.session(role).client("s3")

    def tag(value: str) -> str:
        tags = {"TagSet": [{"Key": TAG, "Value": value}]}
        return code(tagger.put_object_tagging, Bucket="images", Key="a", Tagging=tags)

    assert tag("rejected") == "ok"
    assert tag("approved") == "AccessDenied"


def test_plain_http_is_denied(engine: Rehearsal, quarantine: tuple[Any, Any, str, str]) -> None:
    """A request counts as TLS unless it says otherwise; then the bucket policy denies it."""
    reader, *_ = quarantine

    def plain(request: Any, **_: Any) -> None:
        request.headers["x-forwarded-proto"] = "http"

    reader.meta.events.register("before-sign.s3", plain)
    assert code(reader.list_objects_v2, Bucket="images") == "AccessDenied"


def test_root_can_always_mend_a_bucket_policy(engine: Rehearsal) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="locked")
    resources = ["arn:aws:s3:::locked", "arn:aws:s3:::locked/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    s3.put_bucket_policy(Bucket="locked", Policy=policy)
    assert code(s3.list_objects_v2, Bucket="locked") == "AccessDenied"
    s3.delete_bucket_policy(Bucket="locked")
    assert code(s3.list_objects_v2, Bucket="locked") == "ok"


def test_missing_key_is_404_only_for_those_who_may_list(engine: Rehearsal, role_with: Any) -> None:
    """("GetObject", permissions, Amazon S3 API Reference.)"""
    engine.client("s3").create_bucket(Bucket="images")
    get = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::images/*"}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::images"}
    blind = engine.session(role_with(engine, "blind", [get])).client("s3")
    seeing = engine.session(role_with(engine, "seeing", [get, listing])).client("s3")
    item = {"Bucket": "images", "Key": "missing.jpg"}
    assert code(seeing.head_object, **item) == "404"
    assert code(seeing.get_object, **item) == "NoSuchKey"
    assert code(blind.head_object, **item) == "403"
    assert code(blind.get_object, **item) == "AccessDenied"


def test_tags_belong_to_a_version(engine: Rehearsal) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="bucket", Key="k", Body=b"1", Tagging="n=1")["VersionId"]
    second = s3.put_object(Bucket="bucket", Key="k", Body=b"2")["VersionId"]

    def tags(**version: str) -> list[dict[str, str]]:
        return list(s3.get_object_tagging(Bucket="bucket", Key="k", **version)["TagSet"])

    assert tags(VersionId=first) == [{"Key": "n", "Value": "1"}]
    assert tags(VersionId=second) == tags() == []
    more = {"TagSet": [{"Key": str(i), "Value": "x"} for i in range(11)]}
    assert (
        code(s3.put_object_tagging, Bucket="bucket", Key="k", VersionId=first, Tagging=more)
        == "BadRequest"
    )


def test_least_privilege_of_other_services(engine: Rehearsal, role_with: Any) -> None:
    """Without the grant each call is refused, with it on the right resource it is not."""
    engine.client("sqs").create_queue(QueueName="q")
    engine.client("sqs").create_queue(QueueName="other")
    base = "http://localhost/000000000000"
    arn = "arn:aws:sqs:us-east-1:000000000000:q"
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    sender = engine.session(role_with(engine, "sender", [allow])).client("sqs")
    assert code(sender.send_message, QueueUrl=f"{base}/q", MessageBody="x") == "ok"
    assert code(sender.send_message, QueueUrl=f"{base}/other", MessageBody="x") != "ok"
    assert code(sender.receive_message, QueueUrl=f"{base}/q") != "ok"


def test_a_role_is_named_with_its_path(engine: Rehearsal, role_with: Any) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    iam, place = engine.client("iam"), "arn:aws:iam::000000000000:role"
    made = {"AssumeRolePolicyDocument": json.dumps(trust)}
    iam.create_role(RoleName="one-below", Path="/team/", **made)
    iam.create_role(RoleName="one-beside", **made)
    allow = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": f"{place}/team/one-*"}
    reader = engine.session(role_with(engine, "role-reader", [allow])).client("iam")
    assert code(reader.get_role, RoleName="one-below") == "ok"
    assert code(reader.get_role, RoleName="one-beside") == "AccessDenied"


def test_log_events_are_read_by_stream(engine: Rehearsal, role_with: Any) -> None:
    logs = engine.client("logs")
    logs.create_log_group(logGroupName="group")
    for name in ("mine", "theirs"):
        logs.create_log_stream(logGroupName="group", logStreamName=name)
    place = "arn:aws:logs:us-east-1:000000000000:log-group:group:log-stream:mine"
    allow = {"Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": place}
    reader = engine.session(role_with(engine, "log-reader", [allow])).client("logs")
    asked = {"logGroupName": "group", "logStreamName": "mine"}
    assert code(reader.get_log_events, **asked) == "ok"
    assert code(reader.get_log_events, **{**asked, "logStreamName": "theirs"}) == (
        "AccessDeniedException"
    )


def test_permissions_boundary_narrows(engine: Rehearsal) -> None:
    iam = engine.client("iam")
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    only_sqs = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [only_sqs]}
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=json.dumps(document))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(
        RoleName="wide",
        AssumeRolePolicyDocument=json.dumps(trust),
        PermissionsBoundary=boundary["Policy"]["Arn"],
    )["Role"]["Arn"]
    full = json.dumps({"Version": "2012-10-17", "Statement": [anything]})
    iam.put_role_policy(RoleName="wide", PolicyName="p", PolicyDocument=full)
    session = engine.session(role)
    assert code(session.client("sqs").list_queues) == "ok"
    assert code(session.client("dynamodb").list_tables) == "AccessDeniedException"


def key_with(aws: Rehearsal, *statements: dict[str, Any]) -> str:
    """A customer-managed key that leaves the rest to IAM; its ARN."""
    root = {"AWS": "arn:aws:iam::000000000000:root"}
    base = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [base, *statements]}
    key = aws.client("kms").create_key(Policy=json.dumps(policy))
    return str(key["KeyMetadata"]["Arn"])


def test_encrypted_resources_need_their_key(engine: Rehearsal, role_with: Any) -> None:
    """The action alone is not enough: the caller needs the resource's key as well."""
    key = key_with(engine)
    template = {
        "Resources": {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {
                                "ServerSideEncryptionByDefault": {
                                    "SSEAlgorithm": "aws:kms",
                                    "KMSMasterKeyID": key,
                                }
                            }
                        ]
                    }
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": key}},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": key}},
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                    "SSESpecification": {
                        "SSEEnabled": True,
                        "SSEType": "KMS",
                        "KMSMasterKeyId": key,
                    },
                    "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
                },
            },
        },
        "Outputs": {n: {"Value": {"Ref": n}} for n in ("Bucket", "Queue", "Topic", "Table")},
    }
    out = deploy_template(engine, "s", template)
    engine.client("s3").put_object(Bucket=out["Bucket"], Key="k", Body=b"x")
    engine.client("sqs").send_message(QueueUrl=out["Queue"], MessageBody="x")
    allow = {"Effect": "Allow", "Action": ["s3:*", "sqs:*", "sns:*", "dynamodb:*"], "Resource": "*"}

    def codes(name: str, *kms_actions: str) -> dict[str, str]:
        grant = {"Effect": "Allow", "Action": list(kms_actions), "Resource": key}
        statements = [allow, grant] if kms_actions else [allow]
        session = engine.session(role_with(engine, name, statements))
        item = {"Bucket": out["Bucket"], "Key": "k"}
        row = {"pk": {"S": "a"}}
        return {
            "get": code(session.client("s3").get_object, **item),
            "put": code(session.client("s3").put_object, **item, Body=b"y"),
            "send": code(
                session.client("sqs").send_message, QueueUrl=out["Queue"], MessageBody="y"
            ),
            "receive": code(session.client("sqs").receive_message, QueueUrl=out["Queue"]),
            "publish": code(session.client("sns").publish, TopicArn=out["Topic"], Message="y"),
            "row": code(session.client("dynamodb").put_item, TableName=out["Table"], Item=row),
        }

    def allowed(name: str, *actions: str) -> set[str]:
        return {what for what, found in codes(name, *actions).items() if found == "ok"}

    assert allowed("none") == set()
    assert allowed("decrypts", "kms:Decrypt") == {"get", "receive", "row"}
    assert allowed("encrypts", "kms:GenerateDataKey") == {"put"}
    assert len(allowed("both", "kms:Decrypt", "kms:GenerateDataKey*")) == 6
    life = engine.client("dynamodb").describe_time_to_live(TableName=out["Table"])
    assert life["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_denial_names_what_is_missing_on_the_key(engine: Rehearsal, role_with: Any) -> None:
    key = key_with(engine)
    url = engine.client("sqs").create_queue(QueueName="q", Attributes={"KmsMasterKeyId": key})
    allow = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    client = engine.session(role_with(engine, "r", [allow])).client("sqs")
    with pytest.raises(ClientError, match=f"lacks kms:GenerateDataKey on {key}"):
        client.send_message(QueueUrl=url["QueueUrl"], MessageBody="x")


def test_alarm_needs_the_topic_and_its_key(engine: Rehearsal, eventually: Any) -> None:
    """CloudWatch is a service principal in the key's policy, or the topic stays silent."""
    cloudwatch = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
    }
    sns, sqs = engine.client("sns"), engine.client("sqs")
    for name, key in (("open", key_with(engine, cloudwatch)), ("closed", key_with(engine))):
        topic = sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": key})["TopicArn"]
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        send = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
        sqs.create_queue(QueueName=name, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        engine.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
        )
    engine.client("cloudwatch").put_metric_data(
        Namespace="N", MetricData=[{"MetricName": "M", "Value": 1.0}]
    )

    def told(name: str) -> Any:
        url = f"{engine.endpoint}/000000000000/{name}"
        return sqs.receive_message(QueueUrl=url).get("Messages")

    eventually(lambda: told("open"))
    assert told("closed") is None
