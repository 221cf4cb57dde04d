"""ImageBackfill in a stranger's stack: the split of the quota, its queue, its state machine."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest

from sagelens import BackfillShare, ImageAnalysis, ImageBackfill, Pace, QueueOptions, S3Folder
from sagelens import SecureBucket as Bucket
from sagelens.backfill_definition import LABELS
from tests.constructs.conftest import Parts, actions, resources, statements

DAY = 86_400
HALF = BackfillShare()


def make(
    stack: cdk.Stack, parts: Parts, share: BackfillShare | None = HALF, **changes: Any
) -> ImageBackfill:
    """A backfill with the fewest arguments that are enough."""
    data = Bucket(stack, "Data", encryption_key=parts.encryption_key)
    quotas = {"DetectModerationLabels": changes.pop("quota", 50)}
    analysis = ImageAnalysis(
        stack,
        "Analysis",
        **parts.arguments(backfill=share, quotas=quotas, **changes.pop("analysis", {})),
    )
    arguments: dict[str, Any] = {
        "analysis": analysis,
        "runs": S3Folder(bucket=data, prefix="backfill/"),
        "inventories": S3Folder(bucket=data, prefix="inventory/"),
        "alarm_topic": parts.alarm_topic,
    }
    return ImageBackfill(stack, "Backfill", **arguments | changes)


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.8])
@pytest.mark.parametrize("quota", [1, 5, 50, 1_000])
def test_both_sides_together_keep_to_the_quota(share: float, quota: int) -> None:
    pace = Pace.of({"DetectLabels": quota}, timeout_seconds=60, backfill_share=share)
    workers = pace.workers + pace.backfill_workers
    assert min(pace.workers, pace.backfill_workers) >= 2
    assert 0.95 * quota <= workers * pace.calls["DetectLabels"] <= quota
    # In whole workers.
    assert abs(pace.backfill_workers - share * workers) <= 0.5
    expected = pace.backfill_workers * pace.calls["DetectLabels"]
    assert pace.backfill_images == pytest.approx(expected, rel=0.01)


def test_without_a_backfill_new_images_have_all() -> None:
    pace = Pace.of({"DetectLabels": 50}, timeout_seconds=60)
    assert (pace.backfill_workers, pace.backfill_images) == (0, 0)


def test_the_two_queues_share_the_function(stack: cdk.Stack, parts: Parts) -> None:
    made = make(stack, parts, BackfillShare(quota_share=0.25))
    found = resources(stack)
    sources = found.of("AWS::Lambda::EventSourceMapping")
    assert len({json.dumps(each["EventSourceArn"]) for each in sources}) == 2
    assert len({json.dumps(each["FunctionName"]) for each in sources}) == 1
    most = [each["ScalingConfig"]["MaximumConcurrency"] for each in sources]
    assert sorted(most) == [5, 15]
    assert made.work.queue is not made.work.dead_letter_queue
    roles = [statements(each) for each in found.of("AWS::IAM::Role") if "Policies" in each]
    (image,) = [each for each in roles if "WorkBackfillQueue" in each]
    assert image["WorkBackfillQueue"]["Resource"] != image["WorkQueue"]["Resource"]


def test_the_queue_is_filled_to_a_quarter_of_what_it_works_off(
    stack: cdk.Stack, parts: Parts
) -> None:
    options = QueueOptions(retention_days=2)
    made = make(stack, parts, analysis={"queue": options}, retention_days=2)
    pace = 50 * 0.96 / 2
    assert made.deepest == pytest.approx(2 * DAY * pace / 4, rel=0.01)
    # Late is what has waited for twice as long.
    (late,) = [
        each for each in resources(stack).of("AWS::CloudWatch::Alarm") if each["Threshold"] == DAY
    ]
    assert late["MetricName"] == "ApproximateAgeOfOldestMessage"


def test_the_feeder_can_read_no_image(stack: cdk.Stack, parts: Parts) -> None:
    make(stack, parts, BackfillShare(prefixes=["archive/"]))
    roles = [
        statements(each) for each in resources(stack).of("AWS::IAM::Role") if "Policies" in each
    ]
    (feeder,) = [each for each in roles if "FillQueue" in each]
    assert actions(feeder.values()) == {
        "dynamodb:BatchGetItem",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:ListBucket",
        "s3:PutObject",
        "sqs:GetQueueAttributes",
        "sqs:SendMessage",
    }
    places = json.dumps(feeder["FindVersions"]["Resource"])
    assert sorted(re.findall(r"/(\w+)/\*", places)) == ["archive", "incoming"]
    assert "/backfill/*" in json.dumps(feeder["KeepRuns"]["Resource"])


def test_every_map_is_distributed_batched_and_exported(stack: cdk.Stack, parts: Parts) -> None:
    made = make(stack, parts)
    maps = {k: v for k, v in made.definition["States"].items() if v["Type"] == "Map"}
    assert {each["Label"] for each in maps.values()} == set(LABELS)
    for each in maps.values():
        assert each["ItemProcessor"]["ProcessorConfig"] == {
            "Mode": "DISTRIBUTED",
            "ExecutionType": "STANDARD",
        }
        assert each["ItemBatcher"]["MaxInputBytesPerBatch"] < 262_144
        assert each["ResultWriter"]["WriterConfig"]["Transformation"] == "COMPACT"
        assert "ToleratedFailurePercentage" not in each
        assert each["MaxConcurrency"] >= 2
    # Each listed state leads on to one that there is.
    _walk(made.definition["States"])
    for each in maps.values():
        _walk(each["ItemProcessor"]["States"])


def _walk(states: dict[str, Any]) -> None:
    following = {
        each[field]
        for state in states.values()
        for each in (state, *state.get("Choices", ()))
        for field in ("Next", "Default")
        if field in each
    }
    assert following <= set(states)
    assert set(states) - following <= {next(iter(states))}


def test_its_definition_is_in_the_template_with_nothing_left_out(
    stack: cdk.Stack, parts: Parts
) -> None:
    make(stack, parts)
    (machine,) = resources(stack).of("AWS::StepFunctions::StateMachine")
    parts_of = machine["DefinitionString"]["Fn::Join"][1]
    text = "".join(each if isinstance(each, str) else "token" for each in parts_of)
    definition = json.loads(text)
    assert (
        definition["States"]["FeedPrefix"]["ResultWriter"]["WriterConfig"]["OutputType"] == "JSONL"
    )
    assert definition["States"]["FeedInventory"]["ItemReader"]["ReaderConfig"] == {
        "InputType": "MANIFEST"
    }


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        (BackfillShare(quota_share=0.1), "backfill.quota_share: got 0.1, allowed is 0.2 to 0.8"),
        (BackfillShare(prefixes=["archive"]), "got 'archive', allowed is a folder"),
        (
            BackfillShare(prefixes=["incoming/old/"]),
            "got 'incoming/old/', allowed is a folder apart",
        ),
        (BackfillShare(prefixes=["a/", "a/b/"]), "got 'a/b/', allowed is a folder apart"),
        (None, "without a queue for backfills"),
    ],
)
def test_a_wrong_share_is_refused(
    stack: cdk.Stack, parts: Parts, share: BackfillShare | None, problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        make(stack, parts, share)


def test_a_run_may_not_write_where_images_are_taken_from(stack: cdk.Stack, parts: Parts) -> None:
    for prefix in ("incoming/", "incoming/runs/", "/runs"):
        inside = S3Folder(bucket=parts.bucket, prefix=prefix)
        child = cdk.Stack(stack, prefix.strip("/").replace("/", "-") + str(len(prefix)))
        with pytest.raises(ValueError, match=r"runs\.prefix: got .*, allowed is a folder"):
            make(child, parts, runs=inside)


def test_arguments_are_all_told_at_once(stack: cdk.Stack, parts: Parts) -> None:
    with pytest.raises(ValueError, match="settle_seconds") as told:
        make(stack, parts, settle_seconds=0, inventories=S3Folder(bucket=parts.bucket, prefix="x/"))
    assert "inventories: got another bucket" in str(told.value)


def test_whoever_is_granted_may_start_a_run(stack: cdk.Stack, parts: Parts) -> None:
    role = cdk.aws_iam.Role(
        stack, "Role", assumed_by=cdk.aws_iam.ServicePrincipal("lambda.amazonaws.com")
    )
    make(stack, parts).grant_start(role)
    found = [
        each["PolicyDocument"]["Statement"] for each in resources(stack).of("AWS::IAM::Policy")
    ]
    granted = {statement.get("Sid") for each in found for statement in each}
    assert {"StartMachine", "SeeExecutions"} <= granted
