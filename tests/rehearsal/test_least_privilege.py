"""Each statement of the function's role is needed: without it the flow stops, with it it goes on.

What the embedded AWS does not enforce is listed with the judge that covers it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import ACCEPTED, REJECTED, Platform
from tests.rehearsal.policies import Policy

# By statement: the action that the function is then denied.
ENFORCED = {
    "Analyse": "rekognition:DetectModerationLabels",
    "Announce": "events:PutEvents",
    "FindAnswers": "dynamodb:Query",
    "Quarantine": "s3:GetObjectVersionTagging",
    "ReadImages": "s3:GetObjectVersion",
    "Record": "dynamodb:UpdateItem",
}
COVERED_BY_JUDGES = {
    "JoinNetwork": "iam: as AWS documents it; in prod only, the embedded AWS has no network",
    "NotByTheCode": "iam: a Deny grants nothing; in prod only, with JoinNetwork",
    "WriteLogs": "edges: the role writes to the function's log group",
}
PROVEN_ELSEWHERE = dict.fromkeys(
    ("KeepLargeResults", "ReadAnswers"), "tests/rehearsal/test_all_analyses.py"
)
# Without these the event source cannot even take a message from its queue.
TO_BE_CALLED = ("UseKey", "WorkQueue")
LISTING = "TellGoneFromDenied"


@pytest.fixture(scope="module")
def role(deployed: Platform) -> Policy:
    return deployed.function_policy()


def denials(platform: Platform, since: float) -> list[dict[str, Any]]:
    """What the function logged of being denied something."""
    lines = [json.loads(line) for line in platform.logged('"kind"', since)]
    return [line for line in lines if line["kind"] == "denied"]


def test_every_statement_is_accounted_for(role: Policy, assembly: Callable[[str], Path]) -> None:
    accounted = {*ENFORCED, *COVERED_BY_JUDGES, *PROVEN_ELSEWHERE, *TO_BE_CALLED, LISTING}
    in_a_network = {"JoinNetwork", "NotByTheCode"}
    assert role.statements == accounted - in_a_network
    template = assembly("prod") / "sagelens-prod-vision.template.json"
    (prod,) = (
        resource["Properties"]["Policies"][0]["PolicyDocument"]
        for resource in json.loads(template.read_text())["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    )
    assert {statement["Sid"] for statement in prod["Statement"]} == accounted


@pytest.mark.parametrize("sid", ENFORCED)
def test_without_it_the_flow_stops_and_with_it_it_goes_on(
    sid: str, platform: Platform, role: Policy, picture: Callable[..., bytes]
) -> None:
    key = f"incoming/least/{sid}.jpg"
    started = time.time()
    with role.without(sid):
        version = platform.upload(key, picture(60_100 + list(ENFORCED).index(sid)), REJECTED)
        (denied, *_) = wait_for(lambda: denials(platform, started), what="a denial")
        assert ENFORCED[sid] in denied["reason"]
        assert not (platform.item(key, f"version#{version}") or {}).get("announced")
    assert platform.record(key, version, seconds=40)["decision"] == "reject"


def test_without_listing_an_object_that_is_gone_looks_denied(
    platform: Platform, role: Policy, picture: Callable[..., bytes]
) -> None:
    key = "incoming/least/gone.jpg"
    started = time.time()
    with platform.unheard():
        version = platform.upload(key, picture(60_001))
    event = platform.event(key, version)
    platform.aws.client("s3").delete_object(Bucket=platform.bucket, Key=key, VersionId=version)
    with role.without(LISTING):
        platform.send(event)
        wait_for(lambda: denials(platform, started), what="a denial")
    (reason,) = platform.record(key, version, seconds=40)["reasons"]
    assert reason["code"] == "object_gone"


@pytest.mark.parametrize("sid", TO_BE_CALLED)
def test_without_its_queue_or_key_the_function_is_not_even_called(
    sid: str, platform: Platform, role: Policy, picture: Callable[..., bytes]
) -> None:
    key = f"incoming/least/{sid}.jpg"
    with role.without(sid):
        image = picture(60_200 + TO_BE_CALLED.index(sid))
        version = platform.upload(key, image, ACCEPTED)
        queue = platform.vision["ImageQueueUrl"]
        wait_for(lambda: platform.waiting(queue) == 1, what="the message")
        time.sleep(2)
        assert platform.calls() == 0
        assert not platform.items(key)
    assert platform.record(key, version, seconds=40)["decision"] == "accept"
