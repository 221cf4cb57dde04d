"""Pipelines and executions in the service's tables, and how they are found."""

import threading
from dataclasses import dataclass, field
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.pipelines.caching import StepCache
from rehearsal.sagemaker.pipelines.definition import Definition
from rehearsal.sagemaker.pipelines.state import EXECUTING, STOPPING, Execution
from rehearsal.sagemaker.tables import Resource, Table

RUNNING = (EXECUTING, STOPPING)


@dataclass
class Pipeline:
    """What the engine keeps of a pipeline, beside what Describe answers.

    Attributes:
        versions: its definitions, the first as version 1.
        cache: of its steps.
    """

    versions: list[Definition]
    cache: StepCache = field(default_factory=StepCache)


class Records:
    """The two tables, and the tokens by which a request that comes twice is done once.

    Args:
        context: of the service.

    Attributes:
        pipelines, executions: the tables.
        tokens: held from once() to remember(), so that two equal requests at once are one.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pipelines: Table = context.tables.table("pipeline", self._no_pipeline, _taken)
        self.executions: Table = context.tables.table("pipeline-execution", _no_execution)
        self._tokens: dict[tuple[str, str], tuple[Any, str]] = {}
        self.tokens = threading.RLock()
        context.at_reset(self._forget)

    def pipeline(self, name_or_arn: str) -> Resource:
        """A pipeline by its name or ARN; ResourceNotFound if there is none."""
        return self.pipelines.require(name_or_arn.rpartition("pipeline/")[2])

    def execution(self, arn: str) -> Execution:
        """An execution by its ARN; ResourceNotFound if there is none."""
        execution: Execution = self.executions.require(arn).internal["execution"]
        return execution

    def executions_of(self, pipeline_arn: str) -> list[Resource]:
        """The executions of a pipeline, the oldest first."""
        return [
            each
            for each in self.executions.live()
            if each.internal["execution"].pipeline_arn == pipeline_arn
        ]

    def running(self, pipeline_arn: str) -> list[Execution]:
        """The executions of a pipeline that have not ended."""
        found = [each.internal["execution"] for each in self.executions_of(pipeline_arn)]
        return [execution for execution in found if execution.status in RUNNING]

    def once(self, call: Call) -> str | None:
        """What a request with the same ClientRequestToken was answered before, if it was.

        Raises:
            ServiceError: the token came with other parameters.
        """
        with self.tokens:
            known = self._tokens.get((call.operation, call.parameters["ClientRequestToken"]))
        if known is None:
            return None
        if known[0] != call.parameters:
            raise ServiceError(
                "ConflictException",
                "The ClientRequestToken was used before with other parameters.",
            )
        return known[1]

    def remember(self, call: Call, arn: str) -> None:
        """Keep what a request with a token was answered."""
        with self.tokens:
            key = (call.operation, call.parameters["ClientRequestToken"])
            self._tokens[key] = (call.parameters, arn)

    def _forget(self) -> None:
        for each in self.executions.live():
            each.internal["execution"].abandoned.set()
        with self.tokens:
            self._tokens.clear()

    def _no_pipeline(self, name: str) -> ServiceError:
        arn = self.context.arn("pipeline", name)
        return ServiceError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")


def _taken(arn: str) -> ServiceError:
    name = arn.rpartition("/")[2]
    return ServiceError(
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. "
        f"Pipeline with name ({name}) already exists.",
    )


def _no_execution(arn: str) -> ServiceError:
    return ServiceError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")


def version_of(resource: Resource, wanted: int | None) -> tuple[int, Definition]:
    """A version of a pipeline and its number; the newest if none is named.

    Raises:
        ServiceError: there is no such version.
    """
    versions = resource.internal["pipeline"].versions
    number = wanted or len(versions)
    if number > len(versions):
        raise ServiceError(
            "ResourceNotFound",
            f"Pipeline '{resource.arn}' has no version {number}; it has 1 to {len(versions)}.",
        )
    return number, versions[number - 1]
