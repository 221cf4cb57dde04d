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
from tests.rehearsal.platform import ACCEPTED, OPERATION, Platform, synthesize, wait_for

IMAGES = 1000
QUOTA = 20
CALL_SECONDS = 0.3
SETTINGS = f"""
name: quick
vision:
  quotas: {{DetectModerationLabels: {QUOTA}}}
"""


def figures() -> list[Figure]:
    """Share of the quota in use, share of calls refused, and images lost."""
    with tempfile.TemporaryDirectory() as folder, Rehearsal.start() as aws:
        settings = Path(folder, "settings.yaml")
        settings.write_text(SETTINGS)
        platform = Platform.deploy(aws, synthesize(Path(folder, "assembly"), settings))
        aws.rekognition.latency(OPERATION, CALL_SECONDS)
        aws.rekognition.quota(OPERATION, QUOTA)
        _queue_up(platform)
        started = time.monotonic()
        wait_for(platform.is_idle, seconds=300, what="an empty queue")
        seconds = time.monotonic() - started
        recorded = _recorded(platform)
        usage = aws.rekognition.usage()[OPERATION]
    calls = sum(usage.counts.values())
    throttled = calls - usage.counts["ok"]
    how = f"{IMAGES} images, {QUOTA} calls/s, {CALL_SECONDS:g} s a call, in {seconds:.1f} s"
    return [
        Figure(
            "share of the quota in use", usage.rate() / QUOTA, aim=0.9, at_least=True, detail=how
        ),
        Figure(
            "share of calls throttled",
            throttled / calls,
            aim=0.01,
            detail=f"{throttled} of {calls}",
        ),
        Figure(
            "images lost", IMAGES - recorded, aim=0, detail=f"{recorded} recorded and announced"
        ),
    ]


def _queue_up(platform: Platform) -> None:
    """Upload all images while the queue's consumer rests, so that they wait together."""
    functions = platform.aws.client("lambda")
    (source,) = functions.list_event_source_mappings(
        FunctionName=platform.vision["ImageFunctionName"]
    )["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    keys = [f"incoming/{number}.png" for number in range(IMAGES)]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: platform.upload(keys[number], _image(number), ACCEPTED),
                range(IMAGES),
            )
        )
    queue = platform.vision["ImageQueueUrl"]
    wait_for(lambda: platform.waiting(queue) == IMAGES, seconds=60, what="a full queue")
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


def _image(number: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (80, 80), (number % 256, number // 256, 7)).save(content, "PNG")
    return content.getvalue()


def _recorded(platform: Platform) -> int:
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
