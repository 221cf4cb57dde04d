"""A Custom Labels model on the embedded AWS: its data, its trainings, its keeper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from rehearsal.process import PROJECT as PROJECT_FOLDER
from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import ACCEPTED, Platform, synthesize

SETTINGS = PROJECT_FOLDER / "rehearsal" / "environments" / "shelves.yaml"
NAME = "shelves"
PROJECT = "sagelens-shelves-shelf"
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
SEEN = {"CustomLabels": [{"Name": "full", "Confidence": 91.5}]}


def line(bucket: str, key: str, label: str) -> str:
    """A line of a manifest: one image with one label of the whole of it."""
    metadata = {
        "class-name": label,
        "confidence": 1,
        "human-annotated": "yes",
        "creation-date": "2026-11-23T00:00:00",
        "type": "groundtruth/image-classification",
        "job-name": "labels",
    }
    return json.dumps(
        {"source-ref": f"s3://{bucket}/{key}", "shelf": 1, "shelf-metadata": metadata}
    )


@dataclass(frozen=True)
class Shelves:
    """The deployed environment with its model.

    Attributes:
        platform: The environment.
        outputs: Of the Custom Labels stack.
        picture: Bytes of an image.
    """

    platform: Platform
    outputs: dict[str, str]
    picture: bytes

    @classmethod
    def deploy(cls, aws: Rehearsal, folder: Path, picture: bytes) -> Shelves:
        """Deploy the environment, and store images to train on."""
        platform = Platform.deploy(aws, synthesize(folder, SETTINGS), NAME)
        stack = f"sagelens-{NAME}-custom-labels"
        (found,) = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
        shelves = cls(platform, outputs, picture)
        for key in shelves.images():
            shelves.put(key, picture)
        aws.scale_waits(0.001)
        aws.rekognition.model_times(training=0, start=0, stop=0)
        return shelves

    @property
    def aws(self) -> Rehearsal:
        """The embedded AWS."""
        return self.platform.aws

    @property
    def bucket(self) -> str:
        """The data bucket."""
        return self.platform.foundation["DataBucketName"]

    def put(self, key: str, content: bytes) -> None:
        """Store a file in the model's folder."""
        key = self.outputs["ShelfDataPrefix"] + key
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)

    def images(self) -> list[str]:
        """The images to train and test on, by label."""
        return [f"{part}/{label}-{n}.jpg" for part, n, label in _IMAGES]

    def lines(self, part: str) -> list[str]:
        """The lines of a good manifest."""
        prefix = self.outputs["ShelfDataPrefix"]
        return [
            line(self.bucket, f"{prefix}{part}/{label}-{n}.jpg", label)
            for name, n, label in _IMAGES
            if name == part
        ]

    def manifests(self, f1: float = 0.9, recalls: Mapping[str, float] | None = None) -> None:
        """Store two good manifests, and say what a training on them comes to."""
        train = "\n".join([*self.lines("train"), ""]).encode()
        self.put("train.manifest", train)
        self.put("test.manifest", "\n".join(self.lines("test")).encode())
        found = {"full": 0.9, "empty": 0.8, **(recalls or {})}
        self.aws.rekognition.script_training(train, f1=f1, recalls=found)

    def train(self) -> dict[str, Any]:
        """Train to the end; return how the execution ended."""
        states = self.aws.client("stepfunctions")
        arn = states.start_execution(
            stateMachineArn=self.outputs["ShelfTrainingArn"], name=f"v-{uuid4().hex[:12]}"
        )["executionArn"]

        def ended() -> dict[str, Any] | None:
            found = states.describe_execution(executionArn=arn)
            return found if found["status"] in ENDS else None

        return wait_for(ended, seconds=60, what="the end of a training")

    def versions(self) -> dict[str, str]:
        """The status of each version, by ARN."""
        client = self.aws.client("rekognition")
        (project,) = client.describe_projects(ProjectNames=[PROJECT])["ProjectDescriptions"]
        found = client.describe_project_versions(ProjectArn=project["ProjectArn"])
        return {
            each["ProjectVersionArn"]: each["Status"]
            for each in found["ProjectVersionDescriptions"]
        }

    def items(self, pk: str) -> list[dict[str, Any]]:
        """The items of the models' table under a key."""
        found = self.aws.client("dynamodb").query(
            TableName=self.outputs["CustomModelsTableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        read = TypeDeserializer().deserialize
        return [{name: read(value) for name, value in item.items()} for item in found["Items"]]

    def state(self) -> dict[str, Any]:
        """The model's own item; empty if there is none."""
        return next((item for item in self.items("model#shelf") if item["sk"] == "state"), {})

    def note(self, **fields: Any) -> None:
        """Change the model's own item."""
        write = TypeSerializer().serialize
        item = {**self.state(), "pk": "model#shelf", "sk": "state", **fields}
        self.aws.client("dynamodb").put_item(
            TableName=self.outputs["CustomModelsTableName"],
            Item={name: write(value) for name, value in item.items()},
        )

    def sweep(self) -> str:
        """Let the keeper sweep now; return why it failed, if it did."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs["CustomModelKeeperName"], Payload=b"{}"
        )
        return answer["Payload"].read().decode() if "FunctionError" in answer else ""

    def sweep_until(self, statuses: Sequence[str]) -> None:
        """Sweep until the live version has one of these statuses."""

        def reached() -> bool:
            failed = self.sweep()
            assert not failed, failed
            return self.versions()[self.state()["live"]] in statuses

        wait_for(reached, seconds=30, what=f"a version that is one of {statuses}")
        # What waits is sent back by the first sweep that finds the version running.
        assert not self.sweep()

    def upload(self, key: str, picture: bytes) -> str:
        """Upload an image for analysis; return its version id."""
        self.aws.rekognition.script(picture, {"DetectCustomLabels": SEEN})
        return self.platform.upload(key, picture, ACCEPTED)


_IMAGES = [
    (part, n, label)
    for part, count in (("train", 2), ("test", 1))
    for label in ("full", "empty")
    for n in range(count)
]
