"""What a training job's process runs: the request's entry point, a script, or the algorithm."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.sagemaker import script_mode
from rehearsal.sagemaker.container import Container
from rehearsal.sagemaker.surroundings import fetching
from rehearsal.sagemaker.transfers import download

ALGORITHM = Path(__file__).with_name("algorithms") / "xgboost_container.py"


@dataclass(frozen=True)
class Program:
    """A command, the folder it runs in, and what it sees beside the job's own variables.

    Attributes:
        failure: what the image's starter writes to /opt/ml/output/failure if the command fails;
            None leaves what the command has written.
    """

    command: list[str]
    folder: Path
    variables: Mapping[str, str]
    failure: str | None = None


def program(container: Container, name: str, given: Mapping[str, Any], s3: Any) -> Program:
    """The program of a training job.

    Args:
        container: with its input and configuration in place.
        name: of the job.
        given: what Describe answers of it.
        s3: a client of the job's role, for a script's archive.

    Raises:
        JobFailed: the script's archive cannot be had.
    """
    specification: Mapping[str, Any] = given["AlgorithmSpecification"]
    entry_point = specification.get("ContainerEntrypoint")
    if entry_point:
        words = [*entry_point, *specification.get("ContainerArguments", [])]
        return Program(container.rewrite_all(words), container.root, {})
    hyperparameters: dict[str, str] = given.get("HyperParameters", {})
    if script_mode.is_script(hyperparameters, given.get("Environment", {})):
        return _script(container, name, given, s3)
    command = [sys.executable, str(ALGORITHM), str(container.ml)]
    return Program(command, container.root, {})


def _script(container: Container, name: str, given: Mapping[str, Any], s3: Any) -> Program:
    environment: dict[str, str] = given.get("Environment", {})
    hyperparameters: dict[str, str] = given.get("HyperParameters", {})
    job = script_mode.Job(
        name=name,
        hyperparameters=hyperparameters,
        channels=channels(given),
        resources=container.read_json("input/config/resourceconfig.json"),
        cpus=os.cpu_count() or 1,
        program=environment.get(script_mode.PROGRAM.upper()),
    )
    source = script_mode.decoded(hyperparameters).get(script_mode.DIRECTORY)
    code = script_mode.unpack_code(
        container,
        source,
        bool(given.get("EnableNetworkIsolation")),
        lambda location, folder: fetching(lambda: download(s3, location, folder)),
    )
    command = container.rewrite_all(script_mode.command(job))
    variables = {
        "SAGEMAKER_TRAINING_MODULE": script_mode.MODULE,
        "SAGEMAKER_JOB_NAME": str(
            script_mode.decoded(hyperparameters).get("sagemaker_job_name", "")
        ),
        "PYTHONPATH": str(code),
        **job.variables(),
    }
    return Program(command, code, variables, script_mode.failure(command))


def channels(given: Mapping[str, Any]) -> dict[str, Any]:
    """inputdataconfig.json ("How Amazon SageMaker AI Provides Training Information")."""
    mode = given["AlgorithmSpecification"]["TrainingInputMode"]
    found: dict[str, Any] = {}
    for each in given.get("InputDataConfig", []):
        source = each["DataSource"]["S3DataSource"]
        kind = {"ContentType": each["ContentType"]} if each.get("ContentType") else {}
        found[each["ChannelName"]] = {
            **kind,
            "TrainingInputMode": each.get("InputMode", mode),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": each.get("RecordWrapperType", "None"),
        }
    return found
