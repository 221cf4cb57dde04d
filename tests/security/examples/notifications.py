"""CloudWatch alarms, SNS subscriptions, S3 notifications and access logs."""

from __future__ import annotations

from tests.security.examples.build import (
    NO_PERMISSION,
    QUEUE_BREAKS,
    SAME_ACCOUNT,
    TOPIC_BREAKS,
    Break,
    Example,
    Resources,
    allow,
    arn,
    bucket_policy,
    closed_policy,
    function,
    key_for,
    permission,
    queue,
    queue_policy,
    resource,
    role,
    topic,
    topic_policy,
    without,
)

CLOUDWATCH = "cloudwatch.amazonaws.com"
ALARM: Resources = {
    "Key": key_for(CLOUDWATCH),
    "Topic": topic(),
    "TopicPolicy": topic_policy(
        "Topic", allow("sns:Publish", {"Ref": "Topic"}, service=CLOUDWATCH, when=SAME_ACCOUNT)
    ),
    "Alarm": resource("CloudWatch::Alarm", AlarmActions=[{"Ref": "Topic"}]),
}
ALARM_FUNCTION: Resources = {
    "Role": role("lambda.amazonaws.com"),
    "Function": function(),
    "Permission": permission("lambda.alarms.cloudwatch.amazonaws.com", arn("Alarm")),
    "Alarm": resource("CloudWatch::Alarm", OKActions=[arn("Function")]),
}

SNS = "sns.amazonaws.com"
BY_TOPIC = {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}}
SUBSCRIBED_QUEUE: Resources = {
    "Key": key_for(SNS),
    "Topic": resource("SNS::Topic"),
    "Queue": queue(),
    "QueuePolicy": queue_policy(
        "Queue", allow("sqs:SendMessage", arn("Queue"), service=SNS, when=BY_TOPIC)
    ),
    "Subscription": resource(
        "SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="sqs", Endpoint=arn("Queue")
    ),
}
SUBSCRIBED_FUNCTION: Resources = {
    "Topic": resource(
        "SNS::Topic", Subscription=[{"Protocol": "lambda", "Endpoint": arn("Function")}]
    ),
    "Role": role("lambda.amazonaws.com"),
    "Function": function(),
    "Permission": permission(SNS, {"Ref": "Topic"}),
}
TOPIC_DEAD_LETTERS: Resources = {
    **SUBSCRIBED_FUNCTION,
    "Topic": resource("SNS::Topic"),
    "Key": key_for(SNS),
    "Queue": queue(),
    "QueuePolicy": queue_policy(
        "Queue", allow("sqs:SendMessage", arn("Queue"), service=SNS, when=BY_TOPIC)
    ),
    "Subscription": resource(
        "SNS::Subscription",
        TopicArn={"Ref": "Topic"},
        Protocol="lambda",
        Endpoint=arn("Function"),
        RedrivePolicy={"deadLetterTargetArn": arn("Queue")},
    ),
}

S3 = "s3.amazonaws.com"
BY_BUCKET = {"ArnLike": {"aws:SourceArn": arn("Bucket")}, **SAME_ACCOUNT}
NOTIFIED_QUEUE: Resources = {
    "Key": key_for(S3),
    "Queue": queue(),
    "QueuePolicy": queue_policy(
        "Queue", allow("sqs:SendMessage", arn("Queue"), service=S3, when=BY_BUCKET)
    ),
    "Bucket": resource(
        "S3::Bucket",
        NotificationConfiguration={
            "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": arn("Queue")}]
        },
    ),
}
NOTIFIED_TOPIC: Resources = {
    "Key": key_for(S3),
    "Topic": topic(),
    "TopicPolicy": topic_policy(
        "Topic", allow("sns:Publish", {"Ref": "Topic"}, service=S3, when=BY_BUCKET)
    ),
    "Bucket": resource(
        "S3::Bucket",
        NotificationConfiguration={"TopicConfigurations": [{"Topic": {"Ref": "Topic"}}]},
    ),
}
NOTIFIED_FUNCTION: Resources = {
    "Role": role("lambda.amazonaws.com"),
    "Function": function(),
    "Permission": permission(S3, arn("Bucket")),
    "Bucket": resource(
        "S3::Bucket",
        NotificationConfiguration={"LambdaConfigurations": [{"Function": arn("Function")}]},
    ),
}
LOGGING = "logging.s3.amazonaws.com"
ACCESS_LOGS: Resources = {
    "Logs": resource("S3::Bucket"),
    "LogsPolicy": bucket_policy(
        "Logs",
        allow("s3:PutObject", {"Fn::Sub": "${Logs.Arn}/*"}, service=LOGGING, when=BY_BUCKET),
    ),
    "Bucket": resource(
        "S3::Bucket",
        LoggingConfiguration={"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "b/"},
    ),
}


EXAMPLES = (
    Example("alarm-to-topic", ALARM, without(TOPIC_BREAKS, "no policy")),
    Example("alarm-to-function", ALARM_FUNCTION, NO_PERMISSION),
    Example("topic-to-queue", SUBSCRIBED_QUEUE, without(QUEUE_BREAKS, "key unknown")),
    Example("topic-to-function", SUBSCRIBED_FUNCTION, NO_PERMISSION),
    Example("topic-to-dead-letter-queue", TOPIC_DEAD_LETTERS, without(QUEUE_BREAKS, "key unknown")),
    Example("bucket-to-queue", NOTIFIED_QUEUE, without(QUEUE_BREAKS, "key unknown")),
    Example("bucket-to-topic", NOTIFIED_TOPIC, TOPIC_BREAKS),
    Example("bucket-to-function", NOTIFIED_FUNCTION, NO_PERMISSION),
    Example(
        "access-logs-to-bucket",
        ACCESS_LOGS,
        (
            *closed_policy("LogsPolicy", "s3:PutObject"),
            Break(
                "encrypted with a key",
                "Logs.Properties.BucketEncryption",
                {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
                    ]
                },
                "only under SSE-S3",
            ),
            Break(
                "locked",
                "Logs.Properties.ObjectLockConfiguration",
                {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}},
                "Object Lock",
            ),
        ),
    ),
)
