"""Starting SageMaker Pipelines and following them, as any client of the platform would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import until

ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True)
class Execution:
    """One execution that has ended: its ARN, status, steps in the order of their start, reason."""

    arn: str
    status: str
    steps: Sequence[Mapping[str, Any]]
    reason: str
    seconds: float

    def step(self, name: str) -> Mapping[str, Any]:
        """Return a step as ListPipelineExecutionSteps tells it; an empty one if it never began."""
        found = [step for step in self.steps if step["StepName"] == name]
        return found[0] if found else {}

    def job(self, name: str) -> str:
        """Return the name of the job that a step ran."""
        (made,) = self.step(name)["Metadata"].values()
        return str(made["Arn"]).rpartition("/")[2]

    def words(self) -> str:
        """Return the status and, of a failed execution, why."""
        return f"{self.status}: {self.reason}" if self.reason else self.status


def start(context: Context, pipeline: str, **parameters: str) -> str:
    """Start an execution with these parameters and return its ARN."""
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    started = context.client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline, PipelineParameters=given
    )
    return str(started["PipelineExecutionArn"])


def ended(context: Context, arn: str, seconds: float = 120) -> Execution:
    """Wait for the end of an execution, saying which steps run meanwhile.

    Raises:
        NotInTime: it has not ended within `seconds`.
    """
    client = context.client("sagemaker")

    def look() -> str | None:
        status = str(
            client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        )
        running = [step["StepName"] for step in _steps(client, arn) if _runs(step)]
        if running:
            context.say(f"running: {', '.join(running)}")
        return status if status in ENDED else None

    status = until(look, f"the end of {arn}", seconds)
    steps = _steps(client, arn)
    reasons = [_reason(client, step) for step in steps if step.get("FailureReason")]
    told = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    took = (told["LastModifiedTime"] - told["CreationTime"]).total_seconds()
    reason = "; ".join(reasons) or str(told.get("FailureReason", ""))
    return Execution(arn, status, steps, reason, took)


def _reason(client: Any, step: Mapping[str, Any]) -> str:
    """Return why a step failed; a processing job's own words are its exit message."""
    reason = str(step["FailureReason"])
    job = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
    if not job:
        return reason
    told = client.describe_processing_job(ProcessingJobName=job.rpartition("/")[2])
    return f"{reason}: {told['ExitMessage']}" if told.get("ExitMessage") else reason


def _runs(step: Mapping[str, Any]) -> bool:
    return step["StepStatus"] in ("Starting", "Executing")


def _steps(client: Any, arn: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def read_s3(context: Context, uri: str) -> bytes:
    """Return the object that an s3:// address names."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bytes(context.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def read_json(context: Context, uri: str) -> dict[str, Any]:
    """Return the JSON document that an s3:// address names."""
    document: dict[str, Any] = json.loads(read_s3(context, uri))
    return document


def keys_below(context: Context, uri: str) -> list[str]:
    """Return the addresses of all objects below an s3:// address."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = context.client("s3").get_paginator("list_objects_v2")
    return [
        f"s3://{bucket}/{found['Key']}"
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for found in page.get("Contents", [])
    ]
