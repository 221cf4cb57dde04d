"""Watching a bus or a topic by a queue that is there for the scenario alone."""

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
    """What a queue has got so far."""

    sqs: Any
    queue_url: str
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def events(self) -> list[dict[str, Any]]:
        """Return all messages so far, as they were delivered, oldest first."""
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

    def texts(self) -> list[str]:
        """Return the texts that a topic has sent so far, oldest first."""
        return [str(event.get("Message", "")) for event in self.events()]


@contextmanager
def watching(context: Context, bus: str, pattern: Mapping[str, Any]) -> Generator[Watch]:
    """Collect the events of a bus that match a pattern; rule and queue are removed at the end.

    Args:
        context: the scenario's context.
        bus: name of the event bus.
        pattern: an EventBridge event pattern.
    """
    events = context.client("events")
    with _queue(context, "events.amazonaws.com") as (name, arn, watch):
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        try:
            events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
            yield watch
        finally:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
            events.delete_rule(Name=name, EventBusName=bus)


@contextmanager
def watching_topic(context: Context, topic: str) -> Generator[Watch]:
    """Collect what a topic sends; subscription and queue are removed at the end.

    Args:
        context: the scenario's context.
        topic: ARN of an SNS topic.
    """
    sns = context.client("sns")
    with _queue(context, "sns.amazonaws.com") as (_, arn, watch):
        made = sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )
        try:
            yield watch
        finally:
            sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])


@contextmanager
def _queue(context: Context, service: str) -> Generator[tuple[str, str, Watch]]:
    """Yield name, ARN and watch of a queue that a service may send to."""
    sqs = context.client("sqs")
    name = f"rehearsal-watch-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn, service)})
        yield name, arn, Watch(sqs, url)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _policy(arn: str, service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
