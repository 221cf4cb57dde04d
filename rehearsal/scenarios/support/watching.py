"""Watching an event bus with a rule and a queue that are there for the scenario alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rehearsal.scenarios.support.context import Context


@dataclass
class Watch:
    """The events that a rule has matched so far."""

    sqs: Any
    queue_url: str
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def events(self) -> list[dict[str, Any]]:
        """Return all events so far, as EventBridge delivered them, oldest first."""
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
            messages: list[dict[str, Any]] = answer.get("Messages", [])
            if not messages:
                return self.seen
            self.seen += [json.loads(message["Body"]) for message in messages]
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages)
            ]
            self.sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)


@contextmanager
def watching(context: Context, bus: str, pattern: Mapping[str, Any]) -> Generator[Watch]:
    """Collect the events of a bus that match a pattern; rule and queue are removed at the end.

    Args:
        context: the scenario's context.
        bus: name of the event bus.
        pattern: an EventBridge event pattern.
    """
    sqs, events = context.client("sqs"), context.client("events")
    name = f"rehearsal-watch-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn)})
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        try:
            events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
            yield Watch(sqs, url)
        finally:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
            events.delete_rule(Name=name, EventBusName=bus)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _policy(arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
