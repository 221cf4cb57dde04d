"""Queues to their dead-letter queues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.security.judges.edges.checks import Edge, unjudged
from tests.security.judges.findings import Finding
from tests.security.judges.policies import as_list
from tests.security.judges.resolver import World

PAGE = "Amazon SQS, Using dead-letter queues in Amazon SQS"


def findings(world: World) -> Iterator[Finding]:
    """Judge every redrive policy: the dead-letter queue must take it and be of the same kind."""
    for queue in world.of("AWS::SQS::Queue"):
        properties = world.properties(queue)
        target_arn = _loaded(properties.get("RedrivePolicy")).get("deadLetterTargetArn")
        if target_arn is None:
            continue
        target = world.find(target_arn, "AWS::SQS::Queue")
        if target is None:
            yield unjudged(queue, f"the dead-letter queue {target_arn} is not in these templates")
            continue
        edge = Edge("queue-to-dead-letter-queue", queue, target, "sqs.amazonaws.com", PAGE)
        theirs = world.properties(target)
        allow = _loaded(theirs.get("RedriveAllowPolicy"))
        permission = allow.get("redrivePermission", "allowAll")
        listed = world.arn(queue) in as_list(allow.get("sourceQueueArns"))
        if permission == "denyAll" or (permission == "byQueue" and not listed):
            yield edge.finding(
                f"its RedriveAllowPolicy ({permission}) does not take this queue's messages"
            )
        if properties.get("FifoQueue", False) != theirs.get("FifoQueue", False):
            yield edge.finding(
                "a FIFO queue's dead-letter queue must be FIFO, a standard queue's standard"
            )


def _loaded(policy: object) -> dict[str, Any]:
    loaded = json.loads(policy) if isinstance(policy, str) else policy
    return loaded if isinstance(loaded, dict) else {}
