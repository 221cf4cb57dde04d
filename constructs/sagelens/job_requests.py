"""The requests that a training pipeline's processing steps make of SageMaker.

Source: "CreateProcessingJob" (Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .algorithms import Algorithm
from .job_network import SelectedNetwork
from .jobs import Job, JobSurroundings, PipelineJobs, has_local_storage
from .pipeline_definition import Value, execution, parameter, step, url
from .recipe import Recipe
from .training_images import Images

CODE = "/opt/ml/code"
CODE_INPUT = "code"
INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
FAILURE_MESSAGE = "/opt/ml/output/message"

ENVIRONMENT = {
    # Idle OpenMP threads spin by default, which slows a busy machine down many times.
    "OMP_WAIT_POLICY": "PASSIVE",
    # A metric counts from when its line is in the log.
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, kw_only=True)
class JobRequests:
    """Makes the requests of processing jobs.

    Attributes:
        recipe: The model's scripts.
        algorithm: What trains.
        jobs: What the jobs run on.
        surroundings: What they run within.
        network: Its network as jobs name it.
        images: What runs.
        role_arn: The jobs' role.
        key_arn: Key of outputs and volumes.
        runs_url: Address of the folder of all runs, without a slash at its end.
        code_url: Address of the code archive.
        code_name: Its file's name.
        tags: The jobs' tags; AWS adds those of the execution, and not those of the pipeline.
    """

    recipe: Recipe
    algorithm: Algorithm
    jobs: PipelineJobs
    surroundings: JobSurroundings
    network: SelectedNetwork | None
    images: Images
    role_arn: str
    key_arn: str
    runs_url: str
    code_url: str
    code_name: str
    tags: Any

    def run_url(self, *parts: str) -> Value:
        """An address in the folder of the execution."""
        return url(self.runs_url, execution("PipelineExecutionId"), *parts)

    def prepare(self) -> dict[str, Any]:
        """The processing job that makes channels of raw data."""
        recipe = self.recipe
        arguments = ["--input", f"{INPUT}/data", "--output", OUTPUT]
        return self._processing(
            "prepare",
            self.images.prepare,
            self.jobs.prepare,
            [recipe.at(recipe.prepare) or "", *arguments, *recipe.prepare_arguments],
            inputs={"data": parameter("DataUrl")},
            outputs=recipe.prepared,
        )

    def evaluate(self, model_url: Value) -> dict[str, Any]:
        """The processing job that judges a model.

        Args:
            model_url: Address of its archive.
        """
        recipe = self.recipe
        arguments = ["--model", f"{INPUT}/model"]
        for name in recipe.evaluation_channels:
            arguments += [f"--{name}", f"{INPUT}/{name}"]
        arguments += ["--output", OUTPUT]
        return self._processing(
            "evaluate",
            self.images.evaluate,
            self.jobs.evaluate,
            [recipe.at(recipe.evaluate) or "", *arguments, *recipe.evaluate_arguments],
            inputs={
                "model": model_url,
                **{name: prepared(name) for name in recipe.evaluation_channels},
            },
            outputs=recipe.evaluated,
        )

    def _processing(
        self,
        name: str,
        image: str,
        job: Job,
        command: Sequence[str],
        *,
        inputs: Mapping[str, Value],
        outputs: Sequence[str],
    ) -> dict[str, Any]:
        script, *arguments = command
        cluster = {
            "InstanceType": parameter(f"{name.capitalize()}InstanceType"),
            "InstanceCount": 1,
            "VolumeSizeInGB": job.volume_gb,
            **self.volume_key(job),
        }
        return {
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {
                "ImageUri": image,
                "ContainerEntrypoint": start(INPUT),
                "ContainerArguments": [
                    f"{CODE}/{script}",
                    *arguments,
                    "--failure-file",
                    FAILURE_MESSAGE,
                ],
            },
            "Environment": dict(ENVIRONMENT),
            "RoleArn": self.role_arn,
            "NetworkConfig": {
                "EnableInterContainerTrafficEncryption": (
                    self.surroundings.encrypt_between_instances
                ),
                "EnableNetworkIsolation": self.surroundings.network_isolation,
                **self.vpc(),
            },
            "ProcessingInputs": [
                _input(one, source) for one, source in {**inputs, CODE_INPUT: self.code_url}.items()
            ],
            "ProcessingOutputConfig": {
                "KmsKeyId": self.key_arn,
                "Outputs": [
                    {
                        "OutputName": one,
                        "S3Output": {
                            "S3Uri": self.run_url(name, one),
                            "LocalPath": f"{OUTPUT}/{one}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for one in outputs
                ],
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_seconds},
            "Tags": self.tags,
        }

    def volume_key(self, job: Job) -> dict[str, str]:
        """The volume's key, which AWS refuses where the instance has disks of its own."""
        return {} if has_local_storage(job.instance_type) else {"VolumeKmsKeyId": self.key_arn}

    def vpc(self) -> dict[str, Any]:
        """Where a job runs, if it has a network."""
        return {"VpcConfig": self.network.config} if self.network else {}


def prepared(name: str) -> Value:
    """The address of something that the step Prepare wrote."""
    return step("Prepare", f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def start(inputs: str) -> list[str]:
    """The entry point that unpacks the code and starts a script with Python.

    The script and its options follow as arguments.

    Args:
        inputs: The folder that the channel of the code lies in.
    """
    unpack = f"mkdir -p {CODE} && tar -xzf {inputs}/{CODE_INPUT}/*.tgz -C {CODE}"
    return ["sh", "-c", f'{unpack} && exec python3 "$@"', "job"]


def _input(name: str, source: Value) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": source,
            "LocalPath": f"{INPUT}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }
