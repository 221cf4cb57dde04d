"""Where the expressions of a step get their values from."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rehearsal.sagemaker.pipelines.calls import Calls
from rehearsal.sagemaker.pipelines.errors import StepError, UndefinedValueError
from rehearsal.sagemaker.pipelines.paths import look_up
from rehearsal.sagemaker.pipelines.state import Execution, StepRun, iso_milliseconds
from rehearsal.sagemaker.tables import now


class StepScope:
    """The values that one step of one execution sees (expressions.Scope).

    Args:
        execution: that the step belongs to.
        calls: the step's own, to read from S3 as the pipeline's role.
        job_name: of the step's job, if it has one.
    """

    def __init__(self, execution: Execution, calls: Calls, job_name: str = "") -> None:
        self._execution = execution
        self._calls = calls
        self._job_name = job_name
        self._documents: dict[str, Any] = {}

    def parameter(self, name: str) -> Any:
        """The value of a parameter, of its own type."""
        return self._execution.parameters[name]

    def variable(self, name: str) -> Any:
        """The value of an execution variable."""
        execution = self._execution
        values: dict[str, Any] = {
            "CurrentDateTime": iso_milliseconds(now()),
            "PipelineArn": execution.pipeline_arn,
            "PipelineExecutionArn": execution.arn,
            "PipelineExecutionId": execution.id,
            "PipelineName": execution.pipeline,
            "ProcessingJobName": self._job_name,
            "StartDateTime": iso_milliseconds(execution.started),
            "TrainingJobName": self._job_name,
        }
        return values[name]

    def property(self, step: str, path: str) -> Any:
        """A property of a step that has run."""
        return look_up(self._run(step).properties, path, f"the step {step}")

    def property_file(self, step: str, name: str) -> Any:
        """The document in a step's property file, read from where its output lies."""
        run = self._run(step)
        output, path = run.step.property_files[name]
        what = f"the step {step}"
        place = look_up(run.properties, f"ProcessingOutputConfig.Outputs['{output}']", what)
        folder: Mapping[str, Any] = place.get("S3Output") or {}
        return self.document(f"{str(folder.get('S3Uri', '')).rstrip('/')}/{path}")

    def document(self, s3_uri: str) -> Any:
        """The JSON document at an S3 URI, read as the pipeline's role."""
        if s3_uri not in self._documents:
            parts = urlsplit(s3_uri)
            where = {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}
            try:
                body = self._calls.invoke("s3", "GetObject", where)["Body"].read()
                self._documents[s3_uri] = json.loads(body)
            except StepError as error:
                text = f"{error.reason} (the JSON document {s3_uri})"
                raise StepError(text, error.kind) from error
            except ValueError as error:
                raise UndefinedValueError(f"{s3_uri} is not JSON: {error}") from error
        return self._documents[s3_uri]

    def _run(self, step: str) -> StepRun:
        run = self._execution.steps.get(step)
        if run is None or run.skipped or not run.properties:
            raise UndefinedValueError(f"the step {step} has not run in this execution")
        return run
