"""EventBridge: rules to their targets, buses to their keys, buckets to rules."""

from __future__ import annotations

from tests.security.examples.build import (
    GONE,
    INLINE,
    KEY_POLICY,
    KEY_USE,
    NO_PERMISSION,
    QUEUE_BREAKS,
    SAME_ACCOUNT,
    TOPIC_BREAKS,
    TRUST,
    Break,
    Example,
    Resources,
    allow,
    arn,
    function,
    key,
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

EVENTS = "events.amazonaws.com"
BY_RULE = {
    "ArnEquals": {"aws:SourceArn": arn("Rule")},
    "StringEquals": SAME_ACCOUNT["StringEquals"],
}
OF_TOPICS = {
    "ArnLike": {
        "kms:EncryptionContext:aws:sns:topicArn": {
            "Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"
        }
    }
}


def _rule(**target: object) -> dict[str, object]:
    return resource("Events::Rule", EventPattern={}, Targets=[{"Id": "It", **target}])


TO_QUEUE: Resources = {
    "Key": key_for(EVENTS),
    "Queue": queue(),
    "QueuePolicy": queue_policy(
        "Queue", allow("sqs:SendMessage", arn("Queue"), service=EVENTS, when=BY_RULE)
    ),
    "Rule": _rule(Arn=arn("Queue")),
}
TO_TOPIC: Resources = {
    "Key": key(allow(KEY_USE, service=EVENTS, when=OF_TOPICS)),
    "Topic": topic(),
    "TopicPolicy": topic_policy(
        "Topic", allow("sns:Publish", {"Ref": "Topic"}, service=EVENTS, when=SAME_ACCOUNT)
    ),
    "Rule": _rule(Arn={"Ref": "Topic"}),
}
BUDGETS = "budgets.amazonaws.com"
BUDGET_TO_TOPIC: Resources = {
    "Key": key(allow(KEY_USE, service=BUDGETS, when=OF_TOPICS)),
    "Topic": topic(),
    "TopicPolicy": topic_policy(
        "Topic", allow("sns:Publish", {"Ref": "Topic"}, service=BUDGETS, when=SAME_ACCOUNT)
    ),
    "Budget": resource(
        "Budgets::Budget",
        NotificationsWithSubscribers=[
            {
                "Subscribers": [
                    {"SubscriptionType": "EMAIL", "Address": "someone@example.com"},
                    {"SubscriptionType": "SNS", "Address": {"Ref": "Topic"}},
                ]
            }
        ],
    ),
}
TO_FUNCTION: Resources = {
    "Role": role("lambda.amazonaws.com"),
    "Function": function(),
    "Permission": permission(EVENTS, arn("Rule")),
    "Rule": _rule(Arn=arn("Function")),
}
TO_MACHINE: Resources = {
    "Role": role(EVENTS, allow("states:StartExecution", {"Ref": "Machine"})),
    "MachineRole": role("states.amazonaws.com"),
    "Machine": resource("StepFunctions::StateMachine", RoleArn=arn("MachineRole")),
    "Rule": _rule(Arn={"Ref": "Machine"}, RoleArn=arn("Role")),
}
TO_LOGS: Resources = {
    "Group": resource("Logs::LogGroup"),
    "LogsPolicy": resource(
        "Logs::ResourcePolicy",
        PolicyName="Events",
        PolicyDocument={
            "Fn::Sub": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
            '{"Service":"events.amazonaws.com"},"Action":["logs:CreateLogStream",'
            '"logs:PutLogEvents"],"Resource":"${Group.Arn}"}]}'
        },
    ),
    "Rule": _rule(Arn=arn("Group")),
}
TO_DEAD_LETTERS: Resources = {
    "Role": role("lambda.amazonaws.com"),
    "Function": function(),
    "Permission": permission(EVENTS, arn("Rule")),
    "Key": key_for(EVENTS),
    "Queue": queue(),
    "QueuePolicy": queue_policy(
        "Queue", allow("sqs:SendMessage", arn("Queue"), service=EVENTS, when=BY_RULE)
    ),
    "Rule": _rule(Arn=arn("Function"), DeadLetterConfig={"Arn": arn("Queue")}),
}
BUS: Resources = {
    "Key": key(allow([*KEY_USE, "kms:DescribeKey"], service=EVENTS, when=SAME_ACCOUNT)),
    "Bus": resource("Events::EventBus", Name="bus", KmsKeyIdentifier=arn("Key")),
}
FROM_BUCKET: Resources = {
    **TO_QUEUE,
    "Bucket": resource(
        "S3::Bucket",
        NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    ),
    "Rule": resource(
        "Events::Rule",
        EventBusName="default",
        EventPattern={
            "source": ["aws.s3"],
            "detail": {"bucket": {"name": [{"Ref": "Bucket"}]}},
        },
        Targets=[{"Id": "It", "Arn": arn("Queue")}],
    ),
}


EXAMPLES = (
    Example(
        "rule-to-queue",
        TO_QUEUE,
        (
            *without(QUEUE_BREAKS, "key unknown"),
            Break(
                "with a role",
                "Rule.Properties.Targets.0.RoleArn",
                "arn:aws:iam::1:role/r",
                "must not name a role",
            ),
        ),
    ),
    Example(
        "rule-to-topic",
        TO_TOPIC,
        (
            *without(TOPIC_BREAKS, "key: other account"),
            Break("key by account", f"{KEY_POLICY}.1.Condition", SAME_ACCOUNT, "absent from"),
            Break("key by rule", f"{KEY_POLICY}.1.Condition", BY_RULE, "absent from this call"),
        ),
    ),
    Example(
        "budget-to-topic",
        BUDGET_TO_TOPIC,
        (
            *without(TOPIC_BREAKS, "key: other account"),
            Break("key by account", f"{KEY_POLICY}.1.Condition", SAME_ACCOUNT, "absent from"),
        ),
    ),
    Example("rule-to-function", TO_FUNCTION, NO_PERMISSION),
    Example(
        "rule-to-target-with-role",
        TO_MACHINE,
        (
            Break("no role", "Rule.Properties.Targets.0.RoleArn", GONE, "needs a role"),
            Break("no right", f"{INLINE}.0.Action", "states:ListExecutions", "may not states:"),
            Break(
                "other service",
                f"{TRUST}.Principal",
                {"Service": "ec2.amazonaws.com"},
                "may not assume",
            ),
        ),
    ),
    Example(
        "rule-to-log-group",
        TO_LOGS,
        (Break("no policy", "LogsPolicy", GONE, "no AWS::Logs::ResourcePolicy"),),
    ),
    Example("rule-to-dead-letter-queue", TO_DEAD_LETTERS, without(QUEUE_BREAKS, "key unknown")),
    Example(
        "bus-to-key",
        BUS,
        (
            Break("key closed", f"{KEY_POLICY}.1", GONE, "no statement allows it"),
            Break("key: no description", f"{KEY_POLICY}.1.Action", KEY_USE, "kms:DescribeKey"),
        ),
    ),
    Example(
        "bucket-to-event-bus",
        FROM_BUCKET,
        (
            Break(
                "bucket is silent",
                "Bucket.Properties.NotificationConfiguration",
                GONE,
                "does not send its events",
            ),
            Break("wrong bus", "Rule.Properties.EventBusName", "mine", "S3 sends to the default"),
        ),
    ),
)
