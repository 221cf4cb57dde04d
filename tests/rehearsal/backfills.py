"""A deployed environment with a backfill, as its tests use it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import ACCEPTED, Platform, synthesize
from tests.rehearsal.policies import Policy

SETTINGS = Path(__file__).with_name("backfill.yaml")
# Of an hour's wait some 4 s are left, of a minute's a twentieth of a second.
WAITS = 0.001


def image(number: int) -> bytes:
    """A small picture, another one for each number."""
    content = io.BytesIO()
    Image.new("RGB", (80, 80), (number % 256, number // 256, 7)).save(content, "PNG")
    return content.getvalue()


@dataclass(frozen=True)
class Backfills:
    """Backfills of a deployed platform."""

    platform: Platform

    @classmethod
    def deploy(cls, aws: Rehearsal, folder: Path, settings: Path = SETTINGS) -> Backfills:
        """Deploy the environment of these settings, named ``backfill``."""
        return cls(Platform.deploy(aws, synthesize(folder, settings), "backfill"))

    @property
    def aws(self) -> Rehearsal:
        """The embedded AWS."""
        return self.platform.aws

    @property
    def machine(self) -> str:
        """ARN of the state machine."""
        return self.platform.vision["BackfillMachineArn"]

    @property
    def queue(self) -> str:
        """URL of the backfill's queue."""
        return self.platform.vision["BackfillQueueUrl"]

    def put(self, key: str, number: int, answer: dict[str, Any] = ACCEPTED) -> str:
        """Put a picture that Rekognition knows; return its version id."""
        return self.platform.upload(key, image(number), answer)

    def start(self, **given: Any) -> str:
        """Start a backfill; return the ARN of its execution."""
        return self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.machine, input=json.dumps(given)
        )["executionArn"]

    def end(self, execution: str, *, seconds: float = 60) -> dict[str, Any]:
        """The execution when it has ended."""
        client = self.aws.client("stepfunctions")

        def look() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return wait_for(look, seconds=seconds, what="the end of a backfill")

    def run(self, **given: Any) -> dict[str, Any]:
        """Run a backfill to its end; return its report."""
        return self.report(self.start(**given))

    def report(self, execution: str) -> dict[str, Any]:
        """The report of a backfill when it has ended."""
        ended = self.end(execution)
        assert ended["status"] == "SUCCEEDED", (ended["cause"], self.causes(execution))
        return json.loads(ended["output"])

    def causes(self, execution: str) -> list[str]:
        """Why child executions failed."""
        client = self.aws.client("stepfunctions")
        runs = client.list_map_runs(executionArn=execution)["mapRuns"]
        children = [
            child["executionArn"]
            for run in runs
            for child in client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")[
                "executions"
            ]
        ]
        return [client.describe_execution(executionArn=each)["cause"] for each in children]

    def redrive(self, execution: str) -> dict[str, Any]:
        """Redrive a backfill that failed; return its report."""
        self.aws.client("stepfunctions").redrive_execution(executionArn=execution)
        return self.report(execution)

    def functions(self) -> Mapping[str, dict[str, Any]]:
        """The configurations of the image function and of the backfill's own, by handler."""
        client = self.aws.client("lambda")
        found = client.list_functions()["Functions"]
        return {each["Handler"]: each for each in found}

    @property
    def feeder(self) -> dict[str, Any]:
        """The configuration of the function that feeds."""
        return self.functions()["image_analysis.backfill.handler.handler"]

    @property
    def worker(self) -> dict[str, Any]:
        """The configuration of the image function."""
        return self.functions()["image_analysis.handler.handler"]

    def configure(self, function: Mapping[str, Any], **variables: str) -> None:
        """Change variables of a function, as a deployment would."""
        now = {**function["Environment"]["Variables"], **variables}
        self.aws.client("lambda").update_function_configuration(
            FunctionName=function["FunctionName"], Environment={"Variables": now}
        )

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let nothing be taken out of the backfill's queue."""
        client = self.aws.client("lambda")
        arn = self.platform.vision["BackfillQueueArn"]
        (source,) = client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        client.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
        try:
            yield
        finally:
            client.update_event_source_mapping(UUID=source["UUID"], Enabled=True)

    def waiting(self) -> int:
        """Messages in the backfill's queue, seen and unseen."""
        return self.platform.waiting(self.queue)

    def policies(self) -> dict[str, Policy]:
        """The policies of the feeder's role, of the machine's, and of the machine's children."""
        described = self.aws.client("stepfunctions").describe_state_machine(
            stateMachineArn=self.machine
        )
        role = described["roleArn"]
        (children,) = [
            name
            for name in self.aws.client("iam").list_role_policies(RoleName=role.rpartition("/")[2])[
                "PolicyNames"
            ]
            if name != "backfill"
        ]
        return {
            "feeder": Policy(self.aws, self.feeder["Role"]),
            "machine": Policy(self.aws, role, "backfill"),
            "children": Policy(self.aws, role, children),
        }
