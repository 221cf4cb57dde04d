"""The scenario passes on the deployed system, and fails on one that does not keep its promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from rehearsal.report.model import ImageCard
from rehearsal.samples.catalogue import load
from rehearsal.scenarios import choose
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.uploads import ImagesBucket
from rehearsal.scenarios.support.waiting import NotInTime


@pytest.fixture(scope="module")
def context(assembly: Callable[[str], Path]) -> Iterator[Context]:
    """The demo environment, deployed onto an embedded AWS of its own."""
    with Rehearsal.start() as aws:
        stacks = deploy(aws, assembly("demo"))
        merged = {name: value for found in stacks.values() for name, value in found.items()}
        yield Context(aws, merged, lambda _: None)


def test_moderation_passes_and_leaves_nothing_of_its_own(context: Context) -> None:
    (scenario,) = choose("moderation")
    outcome = scenario.run(context)
    assert list(outcome.problems) == []
    assert outcome.facts["decisions"] == {"accept": 3, "reject": 5, "unusable": 3}
    # Eight pictures; what overwrites two of them has been looked at before.
    assert outcome.facts["rekognition_calls"] == 8
    assert all(outcome.facts["checks"].values())
    images = [card for card in outcome.cards if isinstance(card, ImageCard)]
    assert len(images) == 11
    rules = context.client("events").list_rules()["Rules"]
    roles = context.client("iam").list_roles()["Roles"]
    queues = context.client("sqs").list_queues()["QueueUrls"]
    assert not [rule for rule in rules if rule["Name"].startswith("rehearsal-")]
    assert not [role for role in roles if role["RoleName"].startswith("rehearsal-")]
    assert not [url for url in queues if "rehearsal-watch" in url]


def test_vision_passes(context: Context) -> None:
    (scenario,) = choose("vision")
    outcome = scenario.run(context)
    assert list(outcome.problems) == []
    assert outcome.facts["analyses"] == [
        "celebrities", "faces", "image_quality", "labels", "moderation", "text"
    ]  # fmt: skip
    assert outcome.facts["calls"] == dict.fromkeys(
        ["DetectFaces", "DetectLabels", "DetectModerationLabels", "DetectText",
         "RecognizeCelebrities"], 3
    )  # fmt: skip
    decisions = {each["key"]: each["decision"] for each in outcome.facts["results"]}
    assert decisions == {
        "incoming/market.jpg": "accept",
        "incoming/notice.png": "review",
        "incoming/shaken.jpg": "review",
    }
    market = next(card for card in outcome.cards if isinstance(card, ImageCard))
    assert market.picture and market.picture != load("vision")[0].content


def test_keys_in_the_log_are_noticed(context: Context) -> None:
    client, name = context.client("lambda"), context.outputs["ImageFunctionName"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    loud = {**variables, "LOG_KEYS": "1"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": loud})
    try:
        (scenario,) = choose("vision")
        (problem,) = scenario.run(context).problems
        assert problem.startswith("The function's log tells of each picture without keys")
        assert "incoming/market.jpg" in problem
    finally:
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )


def test_missing_quarantine_is_noticed(context: Context) -> None:
    bucket = context.outputs["ImagesBucketName"]
    context.client("s3").delete_bucket_policy(Bucket=bucket)
    (scenario,) = choose("moderation")
    problems = "\n".join(scenario.run(context).problems)
    assert "A role that may read the bucket is refused every rejected image" in problems
    assert "incoming/pistol.jpg" in problems and "could be read" in problems


def test_key_and_queue_policies_decide_about_deliveries(context: Context) -> None:
    """The report says so; a queue whose policy lets nobody in gets no event."""
    sqs, url = context.client("sqs"), context.outputs["ImageQueueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    try:
        bucket = ImagesBucket(context)
        upload = bucket.upload(load("moderation")[0], "incoming/undelivered.jpg")
        with pytest.raises(NotInTime):
            bucket.wait_for_records([upload], seconds=1.5)
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=policy)
