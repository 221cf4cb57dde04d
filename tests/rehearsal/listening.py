"""What tests of the rehearsal hear, and how they wait for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rehearsal.process import Rehearsal

T = TypeVar("T")


def wait_for(look: Callable[[], T], seconds: float = 60.0, what: str = "it") -> T:
    """Look again and again until there is something; fail in words after ``seconds``.

    The time is for a machine with other work to do: what is waited for takes a second or two.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds:g} s")


@dataclass
class Tap:
    """A queue that EventBridge may send to, and what it has sent so far.

    Attributes:
        url: Its URL.
        arn: Its ARN.
        heard: All events that were read from it.
    """

    sqs: Any
    url: str
    arn: str
    heard: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def make(cls, aws: Rehearsal, name: str) -> Tap:
        """Make a queue to listen with."""
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        send = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return cls(sqs, url, arn)

    def news(self) -> list[dict[str, Any]]:
        """The events since the last time of asking."""
        before = len(self.heard)
        while messages := self.sqs.receive_message(QueueUrl=self.url).get("Messages"):
            for message in messages:
                self.heard.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.heard[before:]

    def events(self) -> list[dict[str, Any]]:
        """All events so far."""
        self.news()
        return self.heard
