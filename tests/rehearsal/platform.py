"""The platform deployed onto the embedded AWS, as its tests use it: by AWS calls alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

import app
import config
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.policies import Policy

OPERATION = "DetectModerationLabels"
QUICK = Path(__file__).with_name("quick.yaml")
# The same with every analysis on.
FULL = Path(__file__).with_name("full.yaml")
ACCEPTED: dict[str, Any] = {"ModerationLabels": [], "ModerationModelVersion": "7.0"}
REJECTED: dict[str, Any] = {
    "ModerationLabels": [
        {"Name": "Weapons", "ParentName": "Violence", "Confidence": 91.5, "TaxonomyLevel": 2},
        {"Name": "Violence", "ParentName": "", "Confidence": 91.5, "TaxonomyLevel": 1},
    ],
    "ModerationModelVersion": "7.0",
}


def synthesize(folder: Path, settings: Path = QUICK) -> Path:
    """Write the cloud assembly of the quick environment."""
    app.compose(app.new_app(outdir=str(folder)), config.load(str(settings))).synth()
    return folder


@dataclass(frozen=True)
class Platform:
    """A deployed environment.

    Attributes:
        aws: The embedded AWS.
        foundation: Outputs of its foundation stack.
        vision: Outputs of its vision stack.
        news: Hears every event of the platform's bus.
        name: The environment's name.
        results: Outputs of its results stack, if it has one.
    """

    aws: Rehearsal
    foundation: dict[str, str]
    vision: dict[str, str]
    news: Tap
    name: str = "quick"
    results: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def deploy(cls, aws: Rehearsal, assembly: Path, name: str = "quick") -> Platform:
        """Deploy an assembly of the environment of that name and listen to its bus."""
        deployed = deploy(aws, assembly)
        foundation, vision = (
            deployed[f"sagelens-{name}-foundation"],
            deployed[f"sagelens-{name}-vision"],
        )
        news = _listen(aws, foundation["EventBusName"], f"news-{name}")
        results = deployed.get(f"sagelens-{name}-results", {})
        return cls(aws, foundation, vision, news, name, results)

    @property
    def bucket(self) -> str:
        """Name of the images bucket."""
        return self.foundation["ImagesBucketName"]

    def upload(
        self,
        key: str,
        body: bytes,
        answer: dict[str, Any] | None = None,
        **answers: dict[str, Any],
    ) -> str:
        """Put an object, after saying what Rekognition sees in it; return its version id.

        Args:
            key: Of the object.
            body: Its bytes.
            answer: What moderation sees.
            answers: What other operations see.
        """
        if answer is not None:
            self.aws.rekognition.script(body, {"DetectModerationLabels": answer, **answers})
        put = self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return put["VersionId"]

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Let uploads go unnoticed, as if their events were still on their way."""
        events = self.aws.client("events")
        (rule,) = events.list_rules(NamePrefix=f"sagelens-{self.name}-vision")["Rules"]
        events.disable_rule(Name=rule["Name"])
        yield
        events.enable_rule(Name=rule["Name"])

    def items(self, key: str) -> list[dict[str, Any]]:
        """All items of an object in the results table."""
        found = self.aws.client("dynamodb").query(
            TableName=self.foundation["ResultsTableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"s3://{self.bucket}/{key}"}},
            ConsistentRead=True,
        )
        read = TypeDeserializer().deserialize
        return [{name: read(value) for name, value in item.items()} for item in found["Items"]]

    def item(self, key: str, sort: str) -> dict[str, Any] | None:
        """One item of an object, or None."""
        return next((item for item in self.items(key) if item["sk"] == sort), None)

    def record(self, key: str, version: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """The finished and announced record of a version, when it is there."""

        def look() -> dict[str, Any] | None:
            found = self.item(key, f"version#{version}")
            return found if found and found.get("announced") else None

        return wait_for(look, seconds=seconds, what=f"the record of {key!r}")

    def send(self, body: str) -> None:
        """Put a message of one's own into the work queue."""
        self.aws.client("sqs").send_message(QueueUrl=self.vision["ImageQueueUrl"], MessageBody=body)

    def event(self, key: str, version: str, *, sequencer: str = "0055AED6DCD90281E5") -> str:
        """The message that EventBridge puts into the queue for a version of an object."""
        head = self.aws.client("s3").head_object(Bucket=self.bucket, Key=key, VersionId=version)
        detail = {
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": {
                "key": key,
                "size": head["ContentLength"],
                "etag": head["ETag"].strip('"'),
                "version-id": version,
                "sequencer": sequencer,
            },
            "reason": "PutObject",
        }
        return json.dumps(
            {
                "version": "0",
                "id": "17793124-05d4-b198-2fde-7ededc63b103",
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": "000000000000",
                "time": "2026-01-02T03:04:05Z",
                "region": self.aws.region,
                "resources": [f"arn:aws:s3:::{self.bucket}"],
                "detail": detail,
            }
        )

    def waiting(self, queue: str) -> int:
        """Messages in a queue, seen and unseen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return sum(int(value) for value in found["Attributes"].values())

    def is_idle(self) -> bool:
        """Whether nothing waits or is being worked on."""
        followers = [url for name, url in self.results.items() if name.endswith("QueueUrl")]
        # In the order in which work passes on from one to the next.
        return all(self.waiting(url) == 0 for url in (self.vision["ImageQueueUrl"], *followers))

    def settle(self) -> None:
        """Wait until nothing waits or is being worked on."""
        wait_for(self.is_idle, seconds=60, what="an empty queue")

    def heard(self) -> list[dict[str, Any]]:
        """The details of the events on the platform's bus since the last time of asking."""
        return [event["detail"] for event in self.news.news()]

    def logged(self, words: str, since: float) -> list[str]:
        """What the image function logged with these words in it, since a time in epoch seconds."""
        function = self.aws.client("lambda").get_function_configuration(
            FunctionName=self.vision["ImageFunctionName"]
        )
        found = self.aws.client("logs").filter_log_events(
            logGroupName=function["LoggingConfig"]["LogGroup"], startTime=int(since * 1000)
        )
        return [event["message"] for event in found["events"] if words in event["message"]]

    def function_policy(self) -> Policy:
        """The policy of the image function's role."""
        function = self.aws.client("lambda").get_function_configuration(
            FunctionName=self.vision["ImageFunctionName"]
        )
        return Policy(self.aws, function["Role"])

    def calls(self) -> int:
        """Moderation calls that Rekognition answered so far."""
        return self.aws.rekognition.calls().get("DetectModerationLabels", {}).get("ok", 0)

    def tags(self, key: str, version: str) -> dict[str, str]:
        """Tags of a version of an object."""
        found = self.aws.client("s3").get_object_tagging(
            Bucket=self.bucket, Key=key, VersionId=version
        )
        return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}


def _listen(aws: Rehearsal, bus: str, name: str) -> Tap:
    events, news = aws.client("events"), Tap.make(aws, name)
    pattern = json.dumps({"source": ["sagelens.vision"]})
    events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": news.arn}])
    return news
