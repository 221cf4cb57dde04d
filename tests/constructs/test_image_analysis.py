"""What an ``ImageAnalysis`` promises, in a stack of a stranger's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from hypothesis import given
from hypothesis import strategies as st

from image_analysis import reuse, worker
from sagelens import (
    AnswerReuse,
    FunctionOptions,
    ImageAnalysis,
    Network,
    Pace,
    QueueOptions,
    Retry,
    ReviewShare,
)
from sagelens.analysis_calls import known_analyses, operations_of
from sagelens.assets import function_code
from sagelens.seen_objects import LARGE_RESULTS
from shared import results
from tests.constructs.conftest import Parts, Resources, actions, resources, statements


def made(stack: cdk.Stack, parts: Parts, **changes: Any) -> Resources:
    ImageAnalysis(stack, "Analysis", **parts.arguments(**changes))
    return resources(stack)


def worker_role(found: Resources) -> dict[str, Any]:
    (role,) = [
        role for role in found.of("AWS::IAM::Role") if "Analyses" in role.get("Description", "")
    ]
    return role


def test_the_shortest_use_is_enough_and_makes_no_custom_resource(
    stack: cdk.Stack, parts: Parts
) -> None:
    types = made(stack, parts).types()
    assert not [name for name in types if name.startswith("Custom::")]


def test_objects_are_chosen_by_bucket_and_prefix_only(stack: cdk.Stack, parts: Parts) -> None:
    pattern = made(stack, parts).one("AWS::Events::Rule")["EventPattern"]
    assert pattern["detail-type"] == ["Object Created"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "incoming/"}]}
    assert list(pattern["detail"]) == ["bucket", "object"]


def test_what_the_rule_cannot_deliver_is_kept(stack: cdk.Stack, parts: Parts) -> None:
    (target,) = made(stack, parts).one("AWS::Events::Rule")["Targets"]
    assert "DeadLetterQueue" in target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]


@pytest.mark.parametrize("seconds", [3, 60, 900])
def test_a_message_stays_hidden_for_six_times_the_time_out(
    stack: cdk.Stack, parts: Parts, seconds: int
) -> None:
    found = made(stack, parts, function=FunctionOptions(timeout_seconds=seconds))
    (queue,) = [queue for queue in found.of("AWS::SQS::Queue") if "RedrivePolicy" in queue]
    assert queue["VisibilityTimeout"] == 6 * seconds
    assert found.one("AWS::Lambda::Function")["Timeout"] == seconds


def test_the_dead_letter_queue_keeps_longer(stack: cdk.Stack, parts: Parts) -> None:
    queues = made(stack, parts).of("AWS::SQS::Queue")
    (source,) = [queue for queue in queues if "RedrivePolicy" in queue]
    (dead,) = [queue for queue in queues if "RedrivePolicy" not in queue]
    assert dead["MessageRetentionPeriod"] > source["MessageRetentionPeriod"]
    assert source["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert all("KmsMasterKeyId" in queue for queue in queues)


def test_the_function_is_what_the_design_says(stack: cdk.Stack, parts: Parts) -> None:
    found = made(stack, parts)
    function = found.one("AWS::Lambda::Function")
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert "KmsKeyArn" in function
    assert "ReservedConcurrentExecutions" not in function
    source = found.one("AWS::Lambda::EventSourceMapping")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"] == 2


def test_the_role_may_do_this_and_nothing_else(stack: cdk.Stack, parts: Parts) -> None:
    role = worker_role(made(stack, parts))
    assert "ManagedPolicyArns" not in role
    granted = statements(role)
    assert actions(granted.values()) == {
        "dynamodb:UpdateItem",
        "events:PutEvents",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "rekognition:DetectModerationLabels",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:ListBucket",
        "s3:PutObjectVersionTagging",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    unbounded = [sid for sid, found in granted.items() if found["Resource"] == "*"]
    assert unbounded == ["Analyse"]


def test_a_network_brings_its_rights_and_denies_them_to_the_code(
    stack: cdk.Stack, parts: Parts
) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        nat_gateways=0,
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="a", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        ],
    )
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    found = made(stack, parts, network=Network(vpc=vpc, security_groups=[group]))
    granted = statements(worker_role(found))
    assert granted["JoinNetwork"]["Action"] == granted["NotByTheCode"]["Action"]
    assert granted["NotByTheCode"]["Effect"] == "Deny"
    assert len(found.one("AWS::Lambda::Function")["VpcConfig"]["SubnetIds"]) == 2


def test_settings_reach_the_function(stack: cdk.Stack, parts: Parts) -> None:
    found = made(stack, parts, record_days=7, retry=Retry(first_seconds=1))
    variables = found.one("AWS::Lambda::Function")["Environment"]["Variables"]
    settings = json.loads(variables["SETTINGS"])
    assert settings["analyses"] == {"moderation": {"minimum_confidence": 60}}
    assert settings["policy"]["moderation"]["*"]["reject"] == [60, 100]
    assert settings["retry"] == {"first": 1, "most": 300, "denied": 900}
    assert variables["RECORD_DAYS"] == "7"


def test_large_settings_lie_beside_the_code(stack: cdk.Stack, parts: Parts) -> None:
    many = {f"label {number}": {"accept": [0, 100]} for number in range(150)}
    policy = {"moderation": {"*": {"accept": [0, 100]}, **many}}
    found = made(stack, parts, policy=policy)
    variables = found.one("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["SETTINGS_FILE"] == "settings.json" and "SETTINGS" not in variables
    root = stack.node.root
    assert isinstance(root, cdk.App)
    (code,) = Path(root.outdir).glob("asset.*")
    settings = json.loads((code / "settings.json").read_text())
    assert settings["policy"] == policy
    assert (code / "image_analysis" / "handler.py").is_file()
    assert not list(code.rglob("__pycache__"))
    assert (code / "settings.json").stat().st_mode & 0o444 == 0o444
    # The same settings make the same asset, wherever and whenever.
    again = cdk.Stack(cdk.App(outdir=str(Path(root.outdir).with_name("again"))), "Stranger")
    with function_code({"settings.json": (code / "settings.json").read_text()}) as same:
        same.bind(again)
    assert [each.name for each in Path(again.node.root.outdir).glob("asset.*")] == [code.name]


MODELS = tuple(
    f"arn:aws:rekognition:eu-west-1:123456789012:project/shelf/version/{name}/17" for name in "ab"
)
EVERY: dict[str, Any] = {
    "celebrities": {},
    "custom_labels": {"models": MODELS},
    "faces": {},
    "image_quality": {},
    "labels": {},
    "moderation": {},
    "text": {},
}
ACTIONS = {
    "celebrities": "RecognizeCelebrities",
    "custom_labels": "DetectCustomLabels",
    "faces": "DetectFaces",
    "image_quality": "DetectLabels",
    "labels": "DetectLabels",
    "moderation": "DetectModerationLabels",
    "text": "DetectText",
}


def rekognition_of(found: Resources) -> dict[str, Any]:
    """Actions of Amazon Rekognition that the function may call, with their resources."""
    allowed: dict[str, Any] = {}
    for statement in statements(worker_role(found)).values():
        for action in actions([statement]):
            if action.startswith("rekognition:"):
                allowed[action.removeprefix("rekognition:")] = statement["Resource"]
    return allowed


@pytest.mark.parametrize("name", EVERY)
def test_an_analysis_grants_its_own_operation_and_those_that_are_off_none(
    stack: cdk.Stack, parts: Parts, name: str
) -> None:
    found = made(stack, parts, analyses={name: EVERY[name]}, policy={name: {}})
    resource = list(MODELS) if name == "custom_labels" else "*"
    assert rekognition_of(found) == {ACTIONS[name]: resource}


def test_every_analysis_is_granted_once_and_models_by_their_arns(
    stack: cdk.Stack, parts: Parts
) -> None:
    found = made(stack, parts, analyses=EVERY, policy={name: {} for name in EVERY})
    granted = rekognition_of(found)
    assert granted.pop("DetectCustomLabels") == list(MODELS)
    assert granted == dict.fromkeys(set(ACTIONS.values()) - {"DetectCustomLabels"}, "*")
    assert sorted(EVERY) == known_analyses()


def test_calls_are_counted_as_they_are_made() -> None:
    counted = {each.name: each.calls for each in operations_of(EVERY)}
    assert counted == {**dict.fromkeys(ACTIONS.values(), 1), "DetectCustomLabels": 2}


def test_images_that_wait_for_a_model_ring(stack: cdk.Stack, parts: Parts) -> None:
    changes = {"analyses": {"custom_labels": {"models": MODELS}}, "policy": {"custom_labels": {}}}
    analysis = ImageAnalysis(stack, "Analysis", **parts.arguments(**changes))
    assert analysis.waiting_alarm
    assert analysis.pace.calls["DetectCustomLabels"] * analysis.pace.workers <= 5
    names = [alarm["MetricName"] for alarm in resources(stack).of("AWS::CloudWatch::Alarm")]
    assert "MessagesWaiting" in names


def test_every_alarm_reaches_the_topic(stack: cdk.Stack, parts: Parts) -> None:
    alarms = made(stack, parts).of("AWS::CloudWatch::Alarm")
    assert len(alarms) == 6
    assert all(len(alarm["AlarmActions"]) == 1 for alarm in alarms)
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms)


def test_a_shifted_share_of_reviews_rings_both_ways(stack: cdk.Stack, parts: Parts) -> None:
    share = ReviewShare(least=0.1, most=0.4, hours=2)
    alarms = made(stack, parts, review_share=share).of("AWS::CloudWatch::Alarm")
    watching = [alarm for alarm in alarms if alarm["MetricName"] == "ReviewShare"]
    assert {(alarm["ComparisonOperator"], alarm["Threshold"]) for alarm in watching} == {
        ("GreaterThanOrEqualToThreshold", 0.4), ("LessThanThreshold", 0.1)
    }  # fmt: skip
    for alarm in watching:
        assert (alarm["Statistic"], alarm["Period"]) == ("Average", 3600)
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 24)
        assert "Metrics" not in alarm  # no metric math


def test_nobody_watches_the_share_of_reviews_unless_asked(stack: cdk.Stack, parts: Parts) -> None:
    alarms = made(stack, parts, review_share=None).of("AWS::CloudWatch::Alarm")
    assert "ReviewShare" not in [alarm["MetricName"] for alarm in alarms]


def test_large_results_have_a_place_of_their_own(stack: cdk.Stack, parts: Parts) -> None:
    found = made(stack, parts, large_results=parts.bucket)
    granted = statements(worker_role(found))
    assert granted["KeepLargeResults"]["Action"] == "s3:PutObject"
    assert granted["KeepLargeResults"]["Resource"]["Fn::Join"][1][-1] == f"/{LARGE_RESULTS}*"
    assert granted["UseKey"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    variables = found.one("AWS::Lambda::Function")["Environment"]["Variables"]
    assert "RESULTS_BUCKET" in variables
    # Written once in the library and once in the function.
    assert LARGE_RESULTS == results.PREFIX


def test_answers_are_used_again_by_the_tables_index(stack: cdk.Stack, parts: Parts) -> None:
    found = made(stack, parts, reuse=AnswerReuse(days=7, image_price=0.002))
    granted = statements(worker_role(found))
    assert granted["FindAnswers"]["Action"] == "dynamodb:Query"
    assert granted["FindAnswers"]["Resource"]["Fn::Join"][1][-1] == f"/index/{reuse.INDEX}"
    assert granted["ReadAnswers"]["Action"] == "dynamodb:GetItem"
    indexes = found.one("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    (index,) = [each for each in indexes if each["IndexName"] == reuse.INDEX]
    assert [each["AttributeName"] for each in index["KeySchema"]] == ["content", "answered_at"]
    variables = found.one("AWS::Lambda::Function")["Environment"]["Variables"]
    assert json.loads(variables["SETTINGS"])["reuse"] == {"days": 7, "image_price": 0.002}


def test_bounds_of_reuse_that_make_no_sense_are_refused(stack: cdk.Stack, parts: Parts) -> None:
    with pytest.raises(ValueError, match=r"reuse\.days: got 0.*\n.*image_price: got -1"):
        made(stack, parts, reuse=AnswerReuse(days=0, image_price=-1))


def test_metrics_are_those_that_the_function_emits(stack: cdk.Stack, parts: Parts) -> None:
    analysis = ImageAnalysis(stack, "Analysis", **parts.arguments())
    emitted = {*worker.METRICS.values(), worker.REPEATED, worker.RETRIED, worker.DENIED}
    emitted |= {worker.REVIEW_SHARE, worker.WAITING, worker.MALFORMED, worker.FAILED}
    emitted |= {worker.CALLS_SAVED, worker.DOLLARS_SAVED}
    emitted |= {worker.PARKED}
    documented = set(re.findall(r"``(\w+)``", ImageAnalysis.metric.__doc__ or ""))
    assert documented == emitted
    metric = analysis.metric("ImagesRejected")
    assert metric.namespace == "Sagelens"
    assert metric.dimensions == {"Environment": "test"}


def test_whoever_is_granted_may_read_results_and_no_more(stack: cdk.Stack, parts: Parts) -> None:
    analysis = ImageAnalysis(stack, "Analysis", **parts.arguments())
    role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    analysis.grant_read_results(role)
    (policy,) = resources(stack).of("AWS::IAM::Policy")
    assert actions(policy["PolicyDocument"]["Statement"]) == {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "kms:Decrypt",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prefix": "incoming"}, "prefix: got 'incoming'"),
        ({"prefix": ""}, "prefix: got ''"),
        ({"analyses": {}, "policy": {}}, "analyses: got none"),
        (
            {"analyses": {"xray": {}}, "policy": {"xray": {}}},
            "got ['xray'], allowed are ['celebrities', ",
        ),
        ({"analyses": {"custom_labels": {}}, "policy": {"custom_labels": {}}}, "no resource"),
        ({"policy": {}}, "policy: got one for []"),
        ({"review_share": ReviewShare(least=0.5)}, "review_share: got least 0.5 and most 0.5"),
        ({"review_share": ReviewShare(hours=25)}, "review_share.hours: got 25, allowed are 1 to"),
        ({"queue": QueueOptions(max_receives=4)}, "max_receives: got 4, allowed are 5 to 1000"),
        (
            {"function": FunctionOptions(timeout_seconds=901)},
            "timeout_seconds: got 901 s, allowed are 1 to 900 s",
        ),
        ({"function": FunctionOptions(memory_mb=64)}, "memory_mb: got 64 MB"),
        (
            {"queue": QueueOptions(dead_letter_retention_days=2)},
            "dead_letter_retention_days: got 2, allowed is more than retention_days",
        ),
        ({"queue": QueueOptions(retention_days=20)}, "retention_days: got 20 days"),
        (
            {"policy": {"moderation": {f"label {i}": {"accept": [0, 100]} for i in range(40_000)}}},
            "allowed are 1,048,576",
        ),
        (
            {"policy": {"moderation": {f"{i}{cdk.Aws.REGION}": {} for i in range(150)}}},
            "values that only a deployment knows; allowed are 3,000",
        ),
    ],
)
def test_bad_arguments_are_refused_in_words(
    stack: cdk.Stack, parts: Parts, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError) as refused:
        made(stack, parts, **changes)
    assert words in str(refused.value)


@given(
    quotas=st.dictionaries(
        st.sampled_from(["DetectModerationLabels", "DetectFaces", "DetectLabels"]),
        st.floats(min_value=2, max_value=2000),
        min_size=1,
    ),
    timeout=st.integers(min_value=3, max_value=900),
)
def test_the_workers_together_fill_the_quota_and_never_exceed_it(
    quotas: dict[str, float], timeout: int
) -> None:
    pace = Pace.of(quotas, timeout_seconds=timeout)
    assert 2 <= pace.workers <= 1000
    assert 1 <= pace.batch <= 10
    assert pace.batch / min(pace.calls.values()) <= timeout / 2
    for operation, quota in quotas.items():
        assert 0.95 * quota <= pace.workers * pace.calls[operation] <= quota


def test_several_calls_an_image_take_as_many_turns() -> None:
    once = Pace.of({"DetectLabels": 50}, timeout_seconds=60)
    thrice = Pace.of({"DetectLabels": 50}, timeout_seconds=60, calls_an_image={"DetectLabels": 3})
    assert thrice.workers < once.workers
    assert thrice.workers * thrice.calls["DetectLabels"] <= 50
    with pytest.raises(ValueError, match="5 calls a second, 30 of them an image, leaves each"):
        Pace.of({"X": 5}, timeout_seconds=3, calls_an_image={"X": 30})


def test_a_quota_that_no_time_out_of_this_length_can_use_is_refused() -> None:
    words = r"DetectLabels at 1 calls a second leaves each of 2 workers no call in half of .* 3 s"
    with pytest.raises(ValueError, match=words):
        Pace.of({"DetectLabels": 1}, timeout_seconds=3)
