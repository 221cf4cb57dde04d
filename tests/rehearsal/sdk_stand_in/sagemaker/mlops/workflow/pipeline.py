"""sagemaker.mlops.workflow.pipeline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sagemaker.core.helper.session_helper import Session


class PipelineExecution:
    """One execution."""

    def __init__(self, arn: str, client: Any) -> None:
        """Take its ARN."""
        self.arn = arn
        self._client = client

    def wait(self, delay: int | None = None, max_attempts: int | None = None) -> None:
        """Wait until it has ended; a failed one is an error, as with the SDK's waiter."""
        for _ in range(max_attempts or 60):
            found = self._client.describe_pipeline_execution(PipelineExecutionArn=self.arn)
            status = found["PipelineExecutionStatus"]
            if status == "Succeeded":
                return
            if status in ("Failed", "Stopped"):
                raise RuntimeError(f"the execution {status}: {found.get('FailureReason')}")
            time.sleep(delay if delay is not None else 30)
        raise RuntimeError("the execution has not ended in time")

    def list_steps(self) -> list[dict[str, Any]]:
        """Return its steps."""
        found = self._client.list_pipeline_execution_steps(PipelineExecutionArn=self.arn)
        steps: list[dict[str, Any]] = found["PipelineExecutionSteps"]
        return steps


class Pipeline:
    """A pipeline that exists."""

    def __init__(self, name: str, sagemaker_session: Session) -> None:
        """Take its name and the session."""
        self.name = name
        self._client = sagemaker_session.sagemaker_client

    def start(
        self,
        parameters: Mapping[str, str | int | float | bool] | None = None,
        execution_display_name: str | None = None,
    ) -> PipelineExecution:
        """Start it with these parameters."""
        given = [{"Name": key, "Value": str(value)} for key, value in (parameters or {}).items()]
        named = {"PipelineExecutionDisplayName": execution_display_name}
        started = self._client.start_pipeline_execution(
            PipelineName=self.name,
            PipelineParameters=given,
            **{key: value for key, value in named.items() if value},
        )
        return PipelineExecution(started["PipelineExecutionArn"], self._client)
