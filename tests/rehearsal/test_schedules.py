"""EventBridge Scheduler on the embedded AWS: each schedule does what its role may."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:counted"
PUT = "arn:aws:scheduler:::aws-sdk:dynamodb:putItem"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True)
class Clockwork:
    """A table that schedules write to, a queue for what they cannot, and their role."""

    aws: Rehearsal
    role: str
    queue: str

    @property
    def scheduler(self) -> Any:
        return self.aws.client("scheduler")

    def schedule(self, name: str, seconds: float = 60, **more: Any) -> None:
        """Make a one-time schedule of the group `ours` that writes one item."""
        self.scheduler.create_schedule(**self.request(name, seconds, **more))

    def request(self, name: str, seconds: float = 60, **more: Any) -> dict[str, Any]:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        item = {"TableName": "things", "Item": {"pk": {"S": name}}}
        target = {"Arn": PUT, "RoleArn": self.role, "Input": json.dumps(item)}
        dead = {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"}}
        return {
            "Name": name,
            "GroupName": "ours",
            "ScheduleExpression": f"at({moment:%Y-%m-%dT%H:%M:%S})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {**target, **dead, **more.pop("Target", {})},
            **more,
        }

    def items(self) -> list[str]:
        found = self.aws.client("dynamodb").scan(TableName="things")["Items"]
        return sorted(item["pk"]["S"] for item in found)

    def kept(self) -> list[dict[str, Any]]:
        """What could not be done; gone from the queue afterwards."""
        sqs = self.aws.client("sqs")
        found = sqs.receive_message(QueueUrl=self.queue, MessageAttributeNames=["All"])
        for each in found.get("Messages", []):
            sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return found.get("Messages", [])


@pytest.fixture
def clockwork(engine: Rehearsal) -> Clockwork:
    engine.client("dynamodb").create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    engine.client("scheduler").create_schedule_group(Name="ours")
    queue = engine.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:scheduler:*:*:schedule-group/ours"}},
    }
    may = {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem", "sqs:SendMessage", "states:StartExecution"],
        "Resource": "*",
    }
    iam = engine.client("iam")
    role = iam.create_role(RoleName="clockwork", AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName="clockwork", PolicyName="p", PolicyDocument=document(may))
    return Clockwork(engine, role["Role"]["Arn"], queue)


def test_a_schedule_fires_when_it_is_due_once_and_is_gone_if_so_asked(
    clockwork: Clockwork,
) -> None:
    clockwork.schedule("soon", 1.5, ActionAfterCompletion="DELETE")
    clockwork.schedule("later", 600)
    wait_for(lambda: clockwork.items() == ["soon"], what="the item")
    wait_for(lambda: len(clockwork.scheduler.list_schedules()["Schedules"]) == 1)
    clockwork.aws.client("dynamodb").delete_item(TableName="things", Key={"pk": {"S": "soon"}})
    clockwork.aws.fire_schedules(within=900)
    wait_for(lambda: clockwork.items() == ["later"], what="the second item")


def test_a_schedule_that_was_changed_fires_again(clockwork: Clockwork) -> None:
    clockwork.schedule("again", 60)
    clockwork.aws.fire_schedules(within=90)
    wait_for(lambda: clockwork.items() == ["again"], what="the item")
    clockwork.aws.client("dynamodb").delete_item(TableName="things", Key={"pk": {"S": "again"}})
    clockwork.scheduler.update_schedule(**clockwork.request("again", 120))
    clockwork.aws.fire_schedules(within=150)
    wait_for(lambda: clockwork.items() == ["again"], what="the item once more")


def test_what_its_role_may_not_do_is_kept(clockwork: Clockwork) -> None:
    policy = {"RoleName": "clockwork", "PolicyName": "p"}
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    clockwork.aws.client("iam").put_role_policy(**policy, PolicyDocument=document(send))
    clockwork.schedule("refused")
    clockwork.aws.fire_schedules(within=90)
    (kept,) = wait_for(clockwork.kept, what="the dead letter")
    assert json.loads(kept["Body"])["TableName"] == "things"
    said = {name: each["StringValue"] for name, each in kept["MessageAttributes"].items()}
    assert "not authorized to perform: dynamodb:PutItem" in said["ERROR_MESSAGE"]
    assert said["SCHEDULE_ARN"].endswith(":schedule/ours/refused") and said["TARGET_ARN"] == PUT
    assert clockwork.items() == []


def test_a_state_machine_is_started_and_another_target_kept(clockwork: Clockwork) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam, states = clockwork.aws.client("iam"), clockwork.aws.client("stepfunctions")
    role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=document(trust))
    machine = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    states.create_state_machine(
        name="counted", definition=json.dumps(machine), roleArn=role["Role"]["Arn"]
    )
    given = {"Arn": MACHINE, "Input": '{"n": 7}'}
    clockwork.schedule("machine", Target=given)
    clockwork.schedule("odd", Target={"Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c"})
    clockwork.aws.fire_schedules(within=90)

    def started() -> list[Any]:
        found: list[Any] = states.list_executions(stateMachineArn=MACHINE)["executions"]
        return found

    (execution,) = wait_for(started, what="the execution")
    told = states.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(told["input"]) == {"n": 7}
    (kept,) = wait_for(clockwork.kept, what="the dead letter")
    assert "arn:aws:ecs" in kept["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": -60}, "it lies in the past"),
        ({"GroupName": "default"}, "must allow AWS EventBridge Scheduler to assume the role"),
        ({"Target": {"RoleArn": "arn:aws:iam::000000000000:role/none"}}, "to assume the role"),
    ],
)
def test_a_wrong_schedule_is_refused(
    clockwork: Clockwork, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        clockwork.schedule("wrong", **change)


def test_its_maker_needs_the_group_and_the_role(
    clockwork: Clockwork, role_with: Callable[..., str]
) -> None:
    place = "arn:aws:scheduler:us-east-1:000000000000:schedule"
    make = {"Effect": "Allow", "Action": "scheduler:CreateSchedule"}
    ours = role_with(clockwork.aws, "ours", [{**make, "Resource": f"{place}/ours/*"}])
    other = role_with(clockwork.aws, "other", [{**make, "Resource": f"{place}/default/*"}])
    for arn, action in ((ours, "iam:PassRole"), (other, "scheduler:CreateSchedule")):
        client = clockwork.aws.session(arn).client("scheduler")
        with pytest.raises(ClientError, match=f"not authorized to perform: {action}"):
            client.create_schedule(**clockwork.request("mine"))
