"""A Custom Labels model as its owner handles it: manifests, trainings, the keeper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import until

ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class Model:
    """The model of a deployed environment.

    Args:
        context: Of the environment.
        name: The model's name, as its stack's outputs begin with it.
        project: Its project's name.
    """

    def __init__(self, context: Context, name: str, project: str) -> None:
        self.context = context
        self.name = name
        self._project = project
        self._training = context.outputs[f"{name.capitalize()}TrainingArn"]
        self._prefix = context.outputs[f"{name.capitalize()}DataPrefix"]
        self.bucket = context.outputs["DataBucketName"]
        table = context.outputs["CustomModelsTableName"]
        self._table: Any = context.aws.session().resource("dynamodb").Table(table)

    def put(self, key: str, content: bytes) -> None:
        """Store a file in the model's folder."""
        place = {"Bucket": self.bucket, "Key": self._prefix + key}
        self.context.client("s3").put_object(**place, Body=content)

    def line(self, key: str, label: str | None) -> str:
        """A line of a manifest; without a label it is a wrong one."""
        metadata = {
            "human-annotated": "yes",
            "creation-date": "2026-11-23T00:00:00",
            "type": "groundtruth/image-classification",
            **({"class-name": label} if label else {}),
        }
        source = f"s3://{self.bucket}/{self._prefix}{key}"
        return json.dumps({"source-ref": source, "shelf": 1, "shelf-metadata": metadata})

    def train(self, what: str) -> Mapping[str, Any]:
        """Train to the end; return how the execution ended."""
        states = self.context.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=self._training)["executionArn"]

        def ended() -> Mapping[str, Any] | None:
            found = states.describe_execution(executionArn=arn)
            self.context.say(f"{what}: {found['status'].lower()}")
            return found if found["status"] in ENDS else None

        return until(ended, f"the end of the training ({what})", 90)

    def state(self) -> Mapping[str, Any]:
        """What the models' table says of the model."""
        return self._get("state") or {}

    def lineage(self, arn: str) -> Mapping[str, Any]:
        """What the table says of the training that made a version."""
        return self._get(f"version#{arn.split('/')[3]}") or {}

    def parked(self) -> Sequence[Mapping[str, Any]]:
        """What waits for models."""
        return self._table.query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": "parked"},
            ConsistentRead=True,
        )["Items"]

    def versions(self) -> dict[str, str]:
        """The status of each version, by ARN."""
        client = self.context.client("rekognition")
        (project,) = client.describe_projects(ProjectNames=[self._project])["ProjectDescriptions"]
        found = client.describe_project_versions(ProjectArn=project["ProjectArn"])
        return {
            each["ProjectVersionArn"]: each["Status"]
            for each in found["ProjectVersionDescriptions"]
        }

    def sweep_until(self, status: str, live: str) -> None:
        """Let the keeper sweep, as its schedule does each minute, until a version is so."""

        def reached() -> bool:
            self.context.say(f"the keeper sweeps; wanted: {status.lower()}")
            self.context.client("lambda").invoke(
                FunctionName=self.context.outputs["CustomModelKeeperName"], Payload=b"{}"
            )
            return self.versions()[live] == status

        until(reached, f"a version that is {status}", 60)

    def let_time_pass(self, seconds: int) -> None:
        """Take so many seconds off the note of the model's last use."""
        self._table.update_item(
            Key={"pk": f"model#{self.name}", "sk": "state"},
            UpdateExpression="SET used_at = used_at - :seconds",
            ExpressionAttributeValues={":seconds": seconds},
        )

    def _get(self, sort_key: str) -> Mapping[str, Any] | None:
        place = {"pk": f"model#{self.name}", "sk": sort_key}
        return self._table.get_item(Key=place, ConsistentRead=True).get("Item")
