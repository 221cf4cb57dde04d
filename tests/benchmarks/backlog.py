"""A backlog of images against a Rekognition that has a quota."""

from __future__ import annotations

import io
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from rehearsal.process import Rehearsal
from tests.benchmarks.measure import Figure
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import ACCEPTED, OPERATION, Platform, synthesize

# Images, calls a second that the account has, seconds that a call takes.
CASES = ((1000, 20, 0.3), (400, 20, 1.0), (1000, 50, 0.3))
SETTINGS = """
name: quick
vision:
  quotas: {{DetectModerationLabels: {quota}}}
"""


def figures() -> list[Figure]:
    """For each case the share of the quota in use, of calls refused, and the images lost."""
    return [figure for case in CASES for figure in _case(*case)]


def _case(images: int, quota: int, call_seconds: float) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, Rehearsal.start() as aws:
        settings = Path(folder, "settings.yaml")
        settings.write_text(SETTINGS.format(quota=quota))
        platform = Platform.deploy(aws, synthesize(Path(folder, "assembly"), settings))
        aws.rekognition.latency(OPERATION, call_seconds)
        aws.rekognition.quota(OPERATION, quota)
        _queue_up(platform, images)
        started = time.monotonic()
        wait_for(platform.is_idle, seconds=300, what="an empty queue")
        seconds = time.monotonic() - started
        recorded = recorded_in(platform)
        usage = aws.rekognition.usage()[OPERATION]
    calls = sum(usage.counts.values())
    refused = calls - usage.counts["ok"]
    case = f"{quota} calls/s of {call_seconds:g} s"
    how = f"{images} images in {seconds:.1f} s"
    return [
        Figure(f"{case}: share of quota", usage.rate() / quota, aim=0.9, at_least=True, detail=how),
        Figure(
            f"{case}: share throttled", refused / calls, aim=0.01, detail=f"{refused} of {calls}"
        ),
        Figure(f"{case}: lost", images - recorded, aim=0, detail=f"{recorded} recorded"),
    ]


def _queue_up(platform: Platform, images: int) -> None:
    """Upload all images while the queue's consumer rests, so that they wait together."""
    functions = platform.aws.client("lambda")
    (source,) = functions.list_event_source_mappings(
        FunctionName=platform.vision["ImageFunctionName"]
    )["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    keys = [f"incoming/{number}.png" for number in range(images)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _upload(platform, keys[number], number), range(images)))
    queue = platform.vision["ImageQueueUrl"]
    wait_for(lambda: platform.waiting(queue) == images, seconds=60, what="a full queue")
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


def _upload(platform: Platform, key: str, number: int) -> None:
    platform.upload(key, _image(number), ACCEPTED)


def _image(number: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (80, 80), (number % 256, number // 256, 7)).save(content, "PNG")
    return content.getvalue()


def recorded_in(platform: Platform) -> int:
    """How many images have a result that is announced."""
    pages = (
        platform.aws.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=platform.foundation["ResultsTableName"],
            FilterExpression="announced = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
            Select="COUNT",
        )
    )
    return sum(page["Count"] for page in pages)
