"""Functions: event sources, destinations, keys, logs, and what their roles reach."""

from __future__ import annotations

from tests.security.examples.build import (
    GONE,
    INLINE,
    KEY_POLICY,
    LAMBDA,
    OTHER_ACCOUNT,
    SAME_ACCOUNT,
    STREAMS,
    TRUST,
    USE_KEY,
    Break,
    Example,
    Resources,
    allow,
    arn,
    bucket_policy,
    encrypted_bucket,
    function,
    key,
    less,
    queue,
    resource,
    role,
    topic,
)

POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
DECRYPT = allow("kms:Decrypt", arn("Key"))


MAPPING: Resources = {
    "Key": key(),
    "Queue": queue(),
    "Role": role(LAMBDA, allow(POLL, arn("Queue")), DECRYPT),
    "Function": function(),
    "Mapping": resource(
        "Lambda::EventSourceMapping",
        EventSourceArn=arn("Queue"),
        FunctionName={"Ref": "Function"},
    ),
}
STREAM: Resources = {
    "Key": key(),
    "Table": resource(
        "DynamoDB::Table", SSESpecification={"KMSMasterKeyId": arn("Key"), "SSEEnabled": True}
    ),
    "Role": role(
        LAMBDA,
        allow(
            [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            {"Fn::GetAtt": ["Table", "StreamArn"]},
        ),
        DECRYPT,
    ),
    "Function": function(),
    "Mapping": resource(
        "Lambda::EventSourceMapping",
        EventSourceArn={"Fn::GetAtt": ["Table", "StreamArn"]},
        FunctionName={"Ref": "Function"},
    ),
}
FILTER_KEY: Resources = {
    **MAPPING,
    "Key": key(allow("kms:Decrypt", service=LAMBDA, when=SAME_ACCOUNT)),
    "Mapping": resource(
        "Lambda::EventSourceMapping",
        EventSourceArn=arn("Queue"),
        FunctionName={"Ref": "Function"},
        KmsKeyArn=arn("Key"),
    ),
}
DESTINATIONS: Resources = {
    "Key": key(),
    "Queue": queue(),
    "Topic": topic(),
    "Bus": resource("Events::EventBus", Name="bus"),
    "Role": role(
        LAMBDA,
        allow("sqs:SendMessage", arn("Queue")),
        allow("sns:Publish", {"Ref": "Topic"}),
        allow("events:PutEvents", arn("Bus")),
        USE_KEY,
    ),
    "Function": function(DeadLetterConfig={"TargetArn": arn("Queue")}),
    "Config": resource(
        "Lambda::EventInvokeConfig",
        FunctionName={"Ref": "Function"},
        DestinationConfig={
            "OnFailure": {"Destination": {"Ref": "Topic"}},
            "OnSuccess": {"Destination": arn("Bus")},
        },
    ),
}
FUNCTION_KEY: Resources = {
    "Key": key(),
    "Role": role(LAMBDA, DECRYPT),
    "Function": function(KmsKeyArn=arn("Key")),
}
FUNCTION_LOGS: Resources = {
    "Group": resource("Logs::LogGroup"),
    "Role": role(LAMBDA, allow(["logs:CreateLogStream", "logs:PutLogEvents"], STREAMS)),
    "Function": function(LoggingConfig={"LogGroup": {"Ref": "Group"}}),
}
READER: Resources = {
    "Key": key(),
    "Bucket": encrypted_bucket(),
    "BucketPolicy": bucket_policy("Bucket"),
    "Queue": queue(),
    "Table": STREAM["Table"],
    "Role": role(
        LAMBDA,
        allow(["s3:GetObject", "s3:PutObject"], {"Fn::Sub": "${Bucket.Arn}/in/*"}),
        allow("sqs:SendMessage", arn("Queue")),
        allow("dynamodb:PutItem", arn("Table")),
        USE_KEY,
    ),
}


EXAMPLES = (
    Example(
        "queue-to-function",
        MAPPING,
        (
            *less(f"{INLINE}.0.Action", POLL),
            Break("no key", f"{INLINE}.1", GONE, "kms:Decrypt"),
            Break("key of others", f"{INLINE}.1.Resource", "arn:aws:kms:::other", "not cover"),
            Break("key alone decides", f"{KEY_POLICY}.0", GONE, "nor hands the decision"),
            Break(
                "denied",
                f"{KEY_POLICY}.0.Effect",
                "Deny",
                "a statement without a Sid applies",
            ),
        ),
    ),
    Example(
        "table-to-function",
        STREAM,
        (
            *less(
                f"{INLINE}.0.Action",
                STREAM["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0][
                    "Action"
                ],
            ),
            Break("no key", f"{INLINE}.1", GONE, "kms:Decrypt"),
        ),
    ),
    Example(
        "mapping-to-key",
        FILTER_KEY,
        (Break("key closed", f"{KEY_POLICY}.1", GONE, "does not let lambda.amazonaws.com"),),
    ),
    Example(
        "function-to-destination",
        DESTINATIONS,
        (
            Break("no queue", f"{INLINE}.0", GONE, "may not sqs:SendMessage"),
            Break("no topic", f"{INLINE}.1", GONE, "may not sns:Publish"),
            Break("no bus", f"{INLINE}.2", GONE, "may not events:PutEvents"),
            Break("no key", f"{INLINE}.3", GONE, "kms:GenerateDataKey"),
        ),
    ),
    Example(
        "function-to-role",
        FUNCTION_KEY,
        (
            Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "may not assume"),
            Break("other service", f"{TRUST}.Principal", {"Service": "a"}, "may not assume"),
        ),
    ),
    Example(
        "function-to-key",
        FUNCTION_KEY,
        (Break("no key", f"{INLINE}.0.Action", "kms:Encrypt", "may not kms:Decrypt"),),
    ),
    Example(
        "function-to-log-group",
        FUNCTION_LOGS,
        less(f"{INLINE}.0.Action", ["logs:CreateLogStream", "logs:PutLogEvents"]),
    ),
    Example(
        "role-to-encrypted-resource",
        READER,
        (
            Break("no key", f"{INLINE}.3", GONE, "S3::Bucket stack/Bucket"),
            Break("no key, queue", f"{INLINE}.3", GONE, "SQS::Queue stack/Queue"),
            Break("no key, table", f"{INLINE}.3", GONE, "DynamoDB::Table stack/Table"),
            Break("read only", f"{INLINE}.3.Action", "kms:Decrypt", "kms:GenerateDataKey"),
            Break("write only", f"{INLINE}.3.Action", "kms:GenerateDataKey", "kms:Decrypt"),
            Break(
                "by another service",
                f"{INLINE}.3.Condition",
                {"StringLike": {"kms:ViaService": "ec2.*"}},
                "kms:ViaService",
            ),
        ),
    ),
)
