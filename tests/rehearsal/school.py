"""The training stack deployed onto the embedded AWS, as its tests use it: by AWS calls alone."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import app
import config
from ml_src.churn import generate
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from rehearsal.scenarios.support import pipelines
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.pipelines import Execution
from tests.rehearsal.listening import wait_for

SETTINGS = Path(__file__).with_name("training.yaml")
ROWS = 1000
PATIENCE = 120.0  # seconds for a run on a machine with other work to do; alone it takes five


def customers(folder: Path, rows: int = ROWS, seed: int = 1) -> bytes:
    """A table that the model's own generator writes."""
    path = folder / f"customers-{rows}-{seed}.csv"
    generate.write(path, generate.blocks(rows, seed=seed))
    return path.read_bytes()


@dataclass
class School:
    """The deployed environment `school`.

    Attributes:
        aws: The embedded AWS.
        outputs: Outputs of its stacks.
        data: Address of the folder with the generated customers.
    """

    aws: Rehearsal
    outputs: Mapping[str, str]
    data: str = ""
    _context: Context = field(init=False)

    def __post_init__(self) -> None:
        self._context = Context(self.aws, self.outputs, lambda _: None)

    @classmethod
    def deploy(cls, aws: Rehearsal, folder: Path, settings: Path = SETTINGS) -> School:
        """Synthesize and deploy it, and upload 1,000 customers, which start nothing: see heard."""
        assembly = folder / "assembly"
        app.compose(app.new_app(outdir=str(assembly)), config.load(str(settings))).synth()
        stacks = deploy(aws, assembly)
        outputs = {name: value for each in stacks.values() for name, value in each.items()}
        school = cls(aws, outputs)
        school._events(heard=False)
        school.data = school.upload("good/customers.csv", customers(folder))
        return school

    # --- data ------------------------------------------------------------------------------------

    @property
    def bucket(self) -> str:
        """Name of the data bucket."""
        return self.outputs["DataBucketName"]

    def upload(self, name: str, content: bytes) -> str:
        """Put an object below the data prefix; return the address of its folder."""
        key = f"{self.outputs['ChurnDataPrefix']}{name}"
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key.rpartition('/')[0]}/"

    def remove(self, folder: str) -> None:
        """Delete all objects below an address."""
        for uri in pipelines.keys_below(self._context, folder):
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            self.aws.client("s3").delete_object(Bucket=bucket, Key=key)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Let uploads start runs, as they do; outside of it the rule is off."""
        self._events(heard=True)
        yield
        self._events(heard=False)

    def _events(self, *, heard: bool) -> None:
        events = self.aws.client("events")
        found = events.list_rules(NamePrefix="sagelens-school-training")["Rules"]
        (rule,) = [each["Name"] for each in found if "aws.s3" in each.get("EventPattern", "")]
        (events.enable_rule if heard else events.disable_rule)(Name=rule)

    # --- runs ------------------------------------------------------------------------------------

    @property
    def pipeline(self) -> str:
        """Name of the pipeline."""
        return self.outputs["ChurnPipelineName"]

    @property
    def sagemaker(self) -> Any:
        """A client of the root user."""
        return self.aws.client("sagemaker")

    def start(self, data: str = "", **parameters: Any) -> str:
        """Start an execution on the generated customers, or on other data; return its ARN."""
        given = {name: str(value) for name, value in parameters.items()}
        return pipelines.start(self._context, self.pipeline, DataUrl=data or self.data, **given)

    def end(self, arn: str) -> Execution:
        """An execution that has ended."""
        return pipelines.ended(self._context, arn, PATIENCE)

    def run(self, data: str = "", **parameters: Any) -> Execution:
        """Start an execution and wait for its end."""
        return self.end(self.start(data, **parameters))

    def stop(self, arn: str) -> Execution:
        """Stop an execution and wait for its end."""
        self.sagemaker.stop_pipeline_execution(
            PipelineExecutionArn=arn, ClientRequestToken=uuid4().hex
        )
        return self.end(arn)

    def retry(self, arn: str) -> Execution:
        """Let an execution that failed go on, and wait for its end."""
        self.sagemaker.retry_pipeline_execution(
            PipelineExecutionArn=arn, ClientRequestToken=uuid4().hex
        )
        return self.end(arn)

    def started_by(self, cause: str) -> list[str]:
        """The ARNs of all executions so far that something started by itself."""
        pages = self.sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=self.pipeline
        )
        return [
            each["PipelineExecutionArn"]
            for page in pages
            for each in page["PipelineExecutionSummaries"]
            if each.get("PipelineExecutionDescription") == f"Started by {cause}"
        ]

    def schedules(self, start: str) -> list[str]:
        """The names of the schedules of a start, which is `data` or `drift`."""
        prefix = f"{self.pipeline}-{start}"
        found = self.aws.client("scheduler").list_schedules(NamePrefix=prefix)["Schedules"]
        return [each["Name"] for each in found]

    def running(self, arn: str, step: str) -> str:
        """The name of a step's job, as soon as it runs."""

        def look() -> str | None:
            found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
            for each in found["PipelineExecutionSteps"]:
                if each["StepName"] == step and each.get("Metadata"):
                    (made,) = each["Metadata"].values()
                    return str(made["Arn"]).rpartition("/")[2]
            return None

        return wait_for(look, PATIENCE, f"the job of {step}")

    def trained(self, execution: Execution) -> dict[str, Any]:
        """What DescribeTrainingJob says of an execution's training."""
        name = execution.job("Train")
        found: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return found

    def package(self, execution: Execution) -> dict[str, Any]:
        """The version that an execution registered."""
        arn = execution.step("Register")["Metadata"]["RegisterModel"]["Arn"]
        found: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        return found

    # --- what runs leave --------------------------------------------------------------------------

    def read(self, uri: str) -> bytes:
        """The object at an address."""
        return pipelines.read_s3(self._context, uri)

    def unpacked(self, uri: str) -> dict[str, bytes]:
        """The files of a tar.gz at an address."""
        with tarfile.open(fileobj=io.BytesIO(self.read(uri)), mode="r:gz") as archive:
            files = {each.name: archive.extractfile(each) for each in archive if each.isfile()}
            return {name: file.read() for name, file in files.items() if file is not None}

    def model(self, execution: Execution) -> dict[str, bytes]:
        """The files of the model that an execution trained."""
        return self.unpacked(self.trained(execution)["ModelArtifacts"]["S3ModelArtifacts"])

    def written(self, execution: Execution) -> list[str]:
        """The keys below an execution's own folder of the models bucket."""
        place = f"s3://{self.outputs['ModelsBucketName']}/churn/runs/{id_of(execution)}/"
        found = pipelines.keys_below(self._context, place)
        return [key.removeprefix(place) for key in found]


def id_of(execution: Execution | str) -> str:
    """The id of an execution or of its ARN."""
    arn = execution if isinstance(execution, str) else execution.arn
    return arn.rpartition("/")[2]
