"""What a ``VideoAnalysis`` promises, in a stack of a stranger's."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from sagelens import VideoAnalysis, VideoPolling
from sagelens.analysis_calls import known_video_analyses, video_operations
from sagelens.video_options import EVENTS_A_LOOK, MOST_EVENTS
from tests.constructs.conftest import Parts, Resources, actions, resources, statements
from tests.unit.lambda_src.world import model
from video_analysis import flow, handler, spans
from video_analysis.settings import Polling


def made(stack: cdk.Stack, parts: Parts, **changes: Any) -> Resources:
    arguments = parts.arguments(**{"prefix": "videos/", **changes})
    VideoAnalysis(stack, "Analysis", results_bucket=parts.bucket, **arguments)
    return resources(stack)


def definition(found: Resources) -> dict[str, Any]:
    text = found.one("AWS::StepFunctions::StateMachine")["DefinitionString"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    return json.loads("".join(part if isinstance(part, str) else "X" for part in parts))


def role(found: Resources, words: str) -> dict[str, Any]:
    (wanted,) = [
        each for each in found.of("AWS::IAM::Role") if words in each.get("Description", "")
    ]
    return wanted


def test_videos_are_chosen_by_bucket_and_prefix_only(stack: cdk.Stack, parts: Parts) -> None:
    rule = made(stack, parts).one("AWS::Events::Rule")
    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"prefix": "videos/"}]}
    (target,) = rule["Targets"]
    assert "StateMachine" not in target["Id"] and target["DeadLetterConfig"] and target["RoleArn"]


def test_the_role_calls_what_the_analyses_call_and_no_more(stack: cdk.Stack, parts: Parts) -> None:
    granted = statements(role(made(stack, parts), "steps of"))
    assert actions([granted["Analyse"]]) == {
        "rekognition:GetContentModeration", "rekognition:StartContentModeration"
    }  # fmt: skip
    assert set(granted) == {
        "Analyse", "ReadVideos", "TellGoneFromDenied", "Quarantine", "Record", "Announce",
        "KeepResults", "UseKey", "WriteLogs",
    }  # fmt: skip


def test_operations_are_those_of_the_service() -> None:
    known = set(model("rekognition").operation_names)
    assert set(video_operations(known_video_analyses())) <= known
    assert len(video_operations(known_video_analyses())) == 12


def test_the_machine_knows_every_error_and_step_of_the_function(
    stack: cdk.Stack, parts: Parts
) -> None:
    machine = definition(made(stack, parts, denied_seconds=600))
    states = machine["States"]
    tasks = [state for state in states.values() if state["Type"] == "Task"]
    steps = [state["Parameters"]["Payload"]["step"] for state in tasks]
    assert steps == ["begin", "look", "finish"]
    named = [name for retry in tasks[0]["Retry"] for name in retry["ErrorEquals"]]
    assert named == ["Malformed", "Denied", "Failed", "States.ALL"]
    for name in named[:-1]:
        assert hasattr(handler, name), name
    denied = tasks[0]["Retry"][1]
    assert denied["IntervalSeconds"] == 600 and denied["BackoffRate"] == 1.0
    rules = {rule["StringEquals"]: rule["Next"] for rule in states["WhatNext"]["Choices"]}
    assert rules == {"look": "Look", "wait": "Wait", "finish": "Finish"}
    assert states["Wait"]["SecondsPath"] == "$.seconds"
    assert machine["TimeoutSeconds"] == 168 * 3600


def test_everything_is_encrypted_and_executions_are_logged_without_data(
    stack: cdk.Stack, parts: Parts
) -> None:
    found = made(stack, parts)
    machine = found.one("AWS::StepFunctions::StateMachine")
    assert machine["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert all("KmsKeyId" in group for group in found.of("AWS::Logs::LogGroup"))
    assert found.one("AWS::SQS::Queue")["KmsMasterKeyId"]


def test_what_goes_wrong_rings(stack: cdk.Stack, parts: Parts) -> None:
    found = made(stack, parts, backlog_alarm_minutes=30)
    alarms = {each["MetricName"]: each for each in found.of("AWS::CloudWatch::Alarm")}
    assert set(alarms) == {
        "ApproximateNumberOfMessagesVisible", "ExecutionsAborted", "ExecutionsFailed",
        "ExecutionsTimedOut", "VideoStepsDenied", "VideoWaitMilliseconds",
    }  # fmt: skip
    wait = alarms["VideoWaitMilliseconds"]
    assert (wait["Threshold"], wait["Statistic"]) == (1_800_000, "Maximum")
    assert (handler.WAIT, handler.DENIED) == ("VideoWaitMilliseconds", "VideoStepsDenied")


def test_large_settings_lie_beside_the_code(stack: cdk.Stack, parts: Parts) -> None:
    labels = {f"Label {number}": {"accept": [0, 100]} for number in range(200)}
    policy = {"moderation": {"*": {"accept": [0, 100]}, **labels}}
    function = made(stack, parts, policy=policy).one("AWS::Lambda::Function")
    assert function["Environment"]["Variables"]["SETTINGS_FILE"] == "settings.json"


def test_metrics_and_grants(stack: cdk.Stack, parts: Parts) -> None:
    analysis = VideoAnalysis(
        stack, "Analysis", results_bucket=parts.bucket, **parts.arguments(prefix="videos/")
    )
    names = {*handler.METRICS.values(), handler.PARTIAL, handler.REPEATED, handler.MINUTES}
    names |= {handler.WAIT, handler.RETRIED, handler.DENIED, handler.FAILED}
    told = VideoAnalysis.metric.__doc__ or ""
    assert names == set(re.findall(r"``(\w+)``", told))
    assert analysis.metric("VideosAccepted").namespace == "Sagelens"
    reader = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    analysis.grant_read_results(reader)
    analysis.grant_start(reader)
    (policy,) = [
        each for each in resources(stack).of("AWS::IAM::Policy")
        if "Reader" in each["PolicyName"]
    ]  # fmt: skip
    sids = {each["Sid"] for each in policy["PolicyDocument"]["Statement"]}
    assert {"ReadRecords", "ReadResults", "DecryptResults", "StartMachine"} <= sids


def test_everything_wrong_is_said_at_once(stack: cdk.Stack, parts: Parts) -> None:
    with pytest.raises(ValueError) as raised:
        made(
            stack, parts, prefix="/videos", analyses={"smell": {}}, denied_seconds=0,
            polling=VideoPolling(first_seconds=5, most_seconds=5, give_up_hours=336),
        )  # fmt: skip
    for words in ("prefix: got '/videos'", "analyses: got ['smell']", "policy: got one for",
                  "denied_seconds: got 0 s", "entries in the execution's history"):  # fmt: skip
        assert words in str(raised.value)


def test_the_history_holds_every_look_and_the_lease_outlasts_every_pause() -> None:
    polling = VideoPolling()
    assert polling.looks() * EVENTS_A_LOOK < MOST_EVENTS
    # The function waits as the construct counts.
    told, elapsed, looks = Polling(30, 300), 0.0, 0
    while elapsed < 168 * 3600:
        elapsed += told.seconds(elapsed)
        looks += 1
    assert looks == pytest.approx(polling.looks(), rel=0.01)
    assert 2 * polling.most_seconds + 900 <= flow.LEASE_SECONDS
    assert spans.GAP_MS > spans.MOMENT_MS
