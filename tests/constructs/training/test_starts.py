"""What starts a pipeline: schedules, new data, events."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler
from pipeline_start import settings as start_settings

from sagelens import (
    AlarmTopic,
    EncryptionKey,
    PipelineSchedule,
    PipelineStartOnData,
    PipelineStartOnEvent,
    PipelineTarget,
    PlatformBus,
    SecureBucket,
)
from tests.constructs.conftest import Resources, resources, statements

NAME = "sagelens-test-churn"


@pytest.fixture
def target(stack: cdk.Stack) -> PipelineTarget:
    key = EncryptionKey(stack, "Key")
    return PipelineTarget(
        name=NAME,
        arn=stack.format_arn(service="sagemaker", resource="pipeline", resource_name=NAME),
        group=scheduler.CfnScheduleGroup(stack, "Starts"),
        encryption_key=key,
        alarm_topic=AlarmTopic(stack, "Alarms", encryption_key=key),
    )


def on_data(stack: cdk.Stack, target: PipelineTarget, **changes: Any) -> PipelineStartOnData:
    bucket = SecureBucket(
        stack, "Data", encryption_key=target.encryption_key, event_notifications=True
    )
    arguments = {
        "target": target,
        "schedule_name": f"{NAME}-data",
        "bucket": bucket,
        "prefix": "churn/customers/",
        "interval_minutes": 60,
        "environment_name": "test",
    }
    return PipelineStartOnData(stack, "OnData", **{**arguments, **changes})


def on_event(stack: cdk.Stack, target: PipelineTarget, **changes: Any) -> PipelineStartOnEvent:
    bus = PlatformBus(stack, "Bus", encryption_key=target.encryption_key, description="news")
    arguments = {
        "target": target,
        "schedule_name": f"{NAME}-drift",
        "bus": bus,
        "model": "churn",
        "period_days": 7,
        "environment_name": "test",
    }
    return PipelineStartOnEvent(stack, "OnEvent", **{**arguments, **changes})


def role(found: Resources, part: str) -> dict[str, dict[str, Any]]:
    """The statements of the only role whose logical id holds ``part``, by their id."""
    (one,) = [
        resource["Properties"]
        for name, resource in found.by_id.items()
        if resource["Type"] == "AWS::IAM::Role" and part in name
    ]
    return statements(one)


def settings_of(found: Resources) -> start_settings.Settings:
    """The function's settings as the function itself reads them, with references in words."""
    (function,) = [one for one in found.of("AWS::Lambda::Function") if "ENVIRONMENT" in str(one)]
    variables = function["Environment"]["Variables"]
    texts = {
        name: text if isinstance(text, str) else plain(text) for name, text in variables.items()
    }
    return start_settings.read(texts)


def plain(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((kind, inner),) = value.items()
    if kind == "Fn::Join":
        return "".join(map(plain, inner[1]))
    return f"<{inner if isinstance(inner, str) else '.'.join(inner)}>"


def test_a_schedule_starts_this_pipeline_and_keeps_what_failed(
    stack: cdk.Stack, target: PipelineTarget
) -> None:
    PipelineSchedule(
        stack, "Weekly", target=target, expression="rate(7 days)", parameters={"Least": "0.8"}
    )
    found = resources(stack)
    schedule = found.one("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(7 days)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert "KmsKeyArn" in schedule
    parameters = schedule["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"]
    assert parameters == [{"Name": "Least", "Value": "0.8"}]
    assert NAME in str(schedule["Target"]["Arn"])
    queue = found.one("AWS::SQS::Queue")
    assert "KmsMasterKeyId" in queue and queue["MessageRetentionPeriod"] == 14 * 86_400
    assert "DeadLetterConfig" in schedule["Target"]
    (alarm,) = found.of("AWS::CloudWatch::Alarm")
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"


def test_only_schedules_of_the_group_start_this_pipeline_and_nothing_else(
    stack: cdk.Stack, target: PipelineTarget
) -> None:
    PipelineSchedule(stack, "Weekly", target=target, expression="rate(7 days)")
    found = resources(stack)
    allowed = role(found, "StartRole")
    assert allowed["StartPipeline"]["Action"] == "sagemaker:StartPipelineExecution"
    assert "*" not in str([one["Resource"] for one in allowed.values()])
    (trust,) = found.one("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"]["ArnEquals"] == {"aws:SourceArn": {"Fn::GetAtt": ["Starts", "Arn"]}}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_new_data_reach_the_function_by_a_queue(stack: cdk.Stack, target: PipelineTarget) -> None:
    on_data(stack, target)
    found = resources(stack)
    pattern = found.one("AWS::Events::Rule")["EventPattern"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "churn/customers/"}]}
    assert pattern["detail-type"] == ["Object Created"]
    mapping = found.one("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert len(found.of("AWS::SQS::Queue")) == 2


def test_the_function_understands_what_the_construct_tells_it(
    stack: cdk.Stack, target: PipelineTarget
) -> None:
    on_data(stack, target)
    told = settings_of(resources(stack))
    assert (told.mode, told.seconds, told.pipeline) == ("data", 3600, NAME)
    assert told.schedule == f"{NAME}-data"
    assert told.target.endswith(":scheduler:::aws-sdk:sagemaker:startPipelineExecution")
    assert told.dead_letters.startswith("<OnDataWorkDeadLetterQueue")
    assert told.role.startswith("<OnDataStartRole")
    assert told.group == "<Starts>"


def test_an_event_is_told_apart_by_model(stack: cdk.Stack, target: PipelineTarget) -> None:
    on_event(stack, target)
    found = resources(stack)
    told = settings_of(found)
    assert (told.mode, told.seconds) == ("event", 7 * 86_400)
    rule = found.one("AWS::Events::Rule")
    assert rule["EventBusName"] == {"Ref": "BusEA82B648"}
    assert rule["EventPattern"] == {
        "source": ["sagelens.drift"],
        "detail-type": ["Retraining Requested"],
        "detail": {"model": ["churn"]},
    }
    assert told.event == {
        "source": "sagelens.drift",
        "detail-type": "Retraining Requested",
        "model": "churn",
    }


@pytest.mark.parametrize(
    ("make", "names", "actions"),
    [
        (on_data, f"{NAME}-data-*", {"scheduler:CreateSchedule"}),
        (
            on_event,
            f"{NAME}-drift",
            {"scheduler:CreateSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"},
        ),
    ],
)
def test_a_function_makes_its_own_schedules_only(
    make: Any, names: str, actions: set[str], stack: cdk.Stack, target: PipelineTarget
) -> None:
    make(stack, target)
    allowed = role(resources(stack), "WorkerRole")
    schedule = allowed["Schedule"]
    given = schedule["Action"] if isinstance(schedule["Action"], list) else [schedule["Action"]]
    assert set(given) == actions
    assert plain(schedule["Resource"]).endswith(f":schedule/<Starts>/{names}")
    assert allowed["PassStartRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}
    }
    assert "sagemaker:" not in json.dumps(list(allowed.values()))


def test_everything_wrong_with_the_arguments_is_said_at_once(
    stack: cdk.Stack, target: PipelineTarget
) -> None:
    with pytest.raises(ValueError) as caught:
        on_data(
            stack, target, prefix="/churn", interval_minutes=0, schedule_name="a name" + "x" * 60
        )
    for argument in ("prefix", "interval_minutes", "schedule_name"):
        assert f"{argument}: got" in str(caught.value)
    with pytest.raises(ValueError, match="period_days: got 0 days, allowed are 1 to 365 days"):
        on_event(stack, target, period_days=0)


def test_the_longest_name_leaves_room_for_the_number(
    stack: cdk.Stack, target: PipelineTarget
) -> None:
    on_data(stack, target, schedule_name="x" * 53)
    with pytest.raises(ValueError, match="allowed are 1 to 53"):
        on_data(cdk.Stack(stack, "Other"), target, schedule_name="x" * 54)
