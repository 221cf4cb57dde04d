"""An execution and its steps, as they stand at a moment."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.sagemaker.pipelines.caching import StepCache
from rehearsal.sagemaker.pipelines.definition import Definition, Step

STARTING, EXECUTING, STOPPING = "Starting", "Executing", "Stopping"
SUCCEEDED, FAILED, STOPPED = "Succeeded", "Failed", "Stopped"
MOST_REASON = 1024
STEPS_FAILED = "Step failure: One or multiple steps failed."


@dataclass
class StepRun:
    """One step of one execution.

    Attributes:
        step: as defined.
        status: Starting to Succeeded, Failed or Stopped.
        start, end: epoch seconds; 0 while it has not.
        attempts: how often it was tried; 0 if a cached run was taken.
        metadata: as ListPipelineExecutionSteps shows it.
        properties: that later steps may refer to.
        failure: FailureReason; empty if it did not fail.
        cached_from: the execution whose run was taken; empty if none.
        skipped: it stands in a branch that was not taken, or needs one that does.
    """

    step: Step
    status: str = ""
    start: float = 0.0
    end: float = 0.0
    attempts: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failure: str = ""
    cached_from: str = ""
    skipped: bool = False

    def as_listed(self) -> dict[str, Any]:
        """One item of ListPipelineExecutionSteps."""
        item: dict[str, Any] = {
            "StepName": self.step.name,
            "StartTime": self.start,
            "StepStatus": self.status,
            "Metadata": dict(self.metadata),
            "AttemptCount": self.attempts,
        }
        optional = {
            "StepDisplayName": self.step.raw.get("DisplayName"),
            "StepDescription": self.step.raw.get("Description"),
            "EndTime": self.end,
            "FailureReason": self.failure,
        }
        item |= {name: value for name, value in optional.items() if value}
        if self.cached_from:
            item["CacheHitResult"] = {"SourcePipelineExecutionArn": self.cached_from}
        return item


@dataclass
class Execution:
    """One execution of a pipeline.

    Attributes:
        arn, id: of the execution.
        pipeline, pipeline_arn: that it belongs to.
        role_arn: that every step assumes.
        definition: as it was when the execution started.
        parameters: values by name, each of its own type.
        given: the parameters as they were given.
        cache: of the pipeline.
        parallel: steps at a time; None: as many as can.
        status: Executing, Stopping, Stopped, Failed or Succeeded.
        stopping: set when it was asked to stop.
        abandoned: set when the server forgets everything.
        lock: to be held while statuses are read or changed together.
        steps: by name, those that have been started.
    """

    arn: str
    id: str
    pipeline: str
    pipeline_arn: str
    role_arn: str
    definition: Definition
    parameters: Mapping[str, Any]
    given: list[dict[str, str]]
    display_name: str
    description: str
    started: float
    cache: StepCache
    parallel: int | None = None
    status: str = EXECUTING
    ended: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    steps: dict[str, StepRun] = field(default_factory=dict[str, StepRun])

    def listed(self) -> list[StepRun]:
        """The steps that have been started, the earliest first."""
        with self.lock:
            return [run for run in self.steps.values() if run.status]


def iso(seconds: float) -> str:
    """A time as events carry it, to the second: 2021-03-15T16:10:11Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(seconds: float) -> str:
    """A time as expressions give it: 2023-08-02T06:55:59.009Z."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
