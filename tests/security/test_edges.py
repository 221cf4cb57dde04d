"""The edges judge: an open edge passes, and each way of closing it is named, kind by kind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security.examples import (
    delivery,
    events,
    functions,
    hosting,
    notifications,
    training,
    workbench,
)
from tests.security.examples.build import (
    GONE,
    INLINE,
    KEY_POLICY,
    POLICY,
    SAME_ACCOUNT,
    Break,
    Example,
    Resources,
    allow,
    arn,
    broken,
    key,
    resource,
)
from tests.security.judges import edges
from tests.security.judges.templates import Template

EXAMPLES = (
    *events.EXAMPLES,
    *notifications.EXAMPLES,
    *functions.EXAMPLES,
    *delivery.EXAMPLES,
    *training.EXAMPLES,
    *hosting.EXAMPLES,
    *workbench.EXAMPLES,
)
BREAKS = [(example, item) for example in EXAMPLES for item in example.breaks]


def _judge(resources: Resources) -> list[tuple[str, str]]:
    found = edges.judge([Template("stack", {"Resources": resources})])
    return [(item.rule, item.message) for item in found]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_open(example: Example) -> None:
    assert _judge(example.resources) == []


@pytest.mark.parametrize(
    ("example", "change"), BREAKS, ids=[f"{e.rule}, {b.name}" for e, b in BREAKS]
)
def test_closed(example: Example, change: Break) -> None:
    found = _judge(broken(example.resources, change))
    assert any(rule == example.rule and change.says in text for rule, text in found), found


def test_a_key_that_is_not_in_the_templates_is_not_judged() -> None:
    change = Break("", "Queue.Properties.KmsMasterKeyId", "alias/theirs", "")
    found = _judge(broken(events.TO_QUEUE, change))
    assert any(rule == "edge-not-judged" and "alias/theirs" in text for rule, text in found)


@pytest.mark.parametrize(
    ("resources", "path"),
    [
        (events.TO_QUEUE, "Rule.Properties.Targets.0.Arn"),
        (notifications.ALARM, "Alarm.Properties.AlarmActions.0"),
        (notifications.SUBSCRIBED_QUEUE, "Subscription.Properties.Endpoint"),
        (
            events.BUDGET_TO_TOPIC,
            "Budget.Properties.NotificationsWithSubscribers.0.Subscribers.1.Address",
        ),
        (notifications.ACCESS_LOGS, "Bucket.Properties.LoggingConfiguration.DestinationBucketName"),
        (hosting.HOSTING, "Model.Properties.ExecutionRoleArn"),
        (workbench.NOTEBOOK, "Notebook.Properties.RoleArn"),
        (hosting.HOSTING, "Configuration.Properties.KmsKeyId"),
        (hosting.HOSTING, "Configuration.Properties.DataCaptureConfig.DestinationS3Uri"),
        (hosting.HOSTING, "Endpoint.Properties.EndpointConfigName"),
        (hosting.HOSTING, "Logs.Properties.LogGroupName"),
        (hosting.HOSTING, "Alarm.Properties.AlarmName"),
    ],
)
def test_a_target_that_is_not_in_the_templates_is_not_judged(
    resources: Resources, path: str
) -> None:
    found = _judge(broken(resources, Break("", path, "arn:aws:batch:::job/x", "")))
    assert any(rule == "edge-not-judged" for rule, _ in found)


def test_a_topic_without_a_policy_takes_its_own_accounts_alarms() -> None:
    assert _judge(broken(notifications.ALARM, Break("", "TopicPolicy", GONE, ""))) == []


def test_a_subscription_by_mail_is_no_edge() -> None:
    mail = resource(
        "SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="email", Endpoint="a@example.com"
    )
    assert _judge({"Topic": resource("SNS::Topic"), "Mail": mail}) == []


def test_a_service_that_a_policy_lets_in_needs_the_key_before_its_first_rule() -> None:
    waiting = {name: body for name, body in events.TO_TOPIC.items() if name != "Rule"}
    assert _judge(waiting) == []
    by_account = Break("", f"{KEY_POLICY}.1.Condition", SAME_ACCOUNT, "")
    found = _judge(broken(waiting, by_account))
    assert {rule for rule, _ in found} == {"admitted-service-to-key"}
    assert "not supported for EventBridge-to-encrypted topics" in found[0][1]


def test_the_finding_names_edge_policy_lack_and_page() -> None:
    ((rule, text),) = [
        item
        for item in _judge(
            broken(events.TO_QUEUE, Break("", f"{KEY_POLICY}.1.Action", "kms:Decrypt", ""))
        )
        if item[0] == "rule-to-queue"
    ]
    assert rule == "rule-to-queue"
    for words in (
        "AWS::Events::Rule stack/Rule -> AWS::SQS::Queue stack/Queue",
        "the policy of the key stack/Key does not let events.amazonaws.com kms:GenerateDataKey",
        "AWS documentation: Amazon SQS, Key management",
    ):
        assert words in text


def test_a_partition_written_by_hand_closes_the_edge_in_the_others() -> None:
    by_hand = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-central-1:111122223333:rule/*"}}
    found = _judge(
        broken(events.TO_QUEUE, Break("", f"QueuePolicy.{POLICY}.0.Condition", by_hand, ""))
    )
    assert any("arn:aws-cn:events:cn-north-1" in text for _, text in found)


def test_a_statement_in_a_policy_of_its_own_counts_for_the_role() -> None:
    inline = functions.MAPPING["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy = resource("IAM::Policy", PolicyName="p", Roles=[{"Ref": "Role"}], PolicyDocument=inline)
    apart = broken(functions.MAPPING, Break("", "Role.Properties.Policies", GONE, ""))
    assert _judge({**apart, "Policy": policy}) == []


def test_a_key_policy_that_names_the_role_is_enough() -> None:
    named = allow("kms:Decrypt") | {"Principal": {"AWS": arn("Role")}}
    change = Break("", f"{INLINE}.1", GONE, "")
    assert _judge({**broken(functions.MAPPING, change), "Key": key(named)}) == []


def test_no_endpoint_is_needed_where_a_route_leads_out() -> None:
    route = resource("EC2::Route", RouteTableId={"Ref": "Routes"}, DestinationCidrBlock="0.0.0.0/0")
    without = {name: body for name, body in delivery.NETWORK.items() if name != "Interface"}
    assert _judge({**without, "Route": route}) == []


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        (
            {"Key": key(), "Domain": resource("SageMaker::Domain", KmsKeyId=arn("Key"))},
            "KmsKeyId points at AWS::KMS::Key",
        ),
        (
            {
                "Queue": resource("SQS::Queue"),
                "Pipe": resource("Pipes::Pipe", Target={"Fn::Sub": "${Queue.Arn}"}),
            },
            "Target points at AWS::SQS::Queue",
        ),
        (
            {
                **functions.FUNCTION_KEY,
                "Mapping": resource(
                    "Lambda::EventSourceMapping",
                    FunctionName={"Ref": "Function"},
                    EventSourceArn="arn:aws:kafka:::cluster/x",
                ),
            },
            "arn:aws:kafka",
        ),
    ],
)
def test_an_unknown_kind_of_edge_is_said_to_be_not_judged(resources: Resources, says: str) -> None:
    found = _judge(resources)
    assert any(rule == "edge-not-judged" and says in text for rule, text in found), found


def test_edges_cross_stacks() -> None:
    export = {"Value": arn("Key"), "Export": {"Name": "shared:Key"}}
    shared = {"Resources": {"Key": functions.MAPPING["Key"]}, "Outputs": {"Key": export}}

    def imported(value: object) -> object:
        if value == arn("Key"):
            return {"Fn::ImportValue": "shared:Key"}
        if isinstance(value, dict):
            return {name: imported(item) for name, item in value.items()}
        return [imported(item) for item in value] if isinstance(value, list) else value

    using = imported({name: body for name, body in functions.MAPPING.items() if name != "Key"})
    assert isinstance(using, dict)

    def judged(worker: Resources) -> list[str]:
        templates = [Template("shared", shared), Template("using", {"Resources": worker})]
        return [item.message for item in edges.judge(templates)]

    assert judged(using) == []
    found = judged(broken(using, Break("", f"{INLINE}.1", GONE, "")))
    assert any("may not kms:Decrypt with the key shared/Key" in text for text in found)


def test_every_kind_of_edge_has_examples() -> None:
    folder = Path(edges.__file__).parent
    named = re.compile(r'"((?!not-)[a-z]+(?:-[a-z]+)*-to-[a-z-]+)"')
    rules = {rule for file in folder.glob("*.py") for rule in named.findall(file.read_text())}
    shown = {example.rule for example in EXAMPLES}
    assert rules - shown == {"admitted-service-to-key"}  # it has a test of its own
    assert shown <= rules
