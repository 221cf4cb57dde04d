"""What CreateTrainingJob refuses: as AWS does, and what cannot run here."""

import re
from collections.abc import Mapping
from typing import Any

from rehearsal.aws_json import ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.surroundings import check_can_run, refuse
from rehearsal.sagemaker.tables import Fields

LONGEST = 2_419_200  # seconds: 28 days
DAY = 86_400
UNREHEARSED = (
    "ServerlessJobConfig",
    "SessionChainingConfig",
    "RetryStrategy",
    "MlflowConfig",
    "ModelPackageConfig",
)
# The least that each closed algorithm is given ("… Hyperparameters" of its page).
REQUIRED = {
    "linear-learner": ("predictor_type",),
    "kmeans": ("feature_dim", "k"),
    "pca": ("feature_dim", "mini_batch_size", "num_components"),
    "ntm": ("feature_dim", "num_topics"),
}


def invalid(text: str) -> ServiceError:
    """AWS's ValidationException."""
    return ServiceError("ValidationException", text)


def check(context: Context, given: Mapping[str, Any]) -> Image:
    """Check a request beyond its shapes, and return its image."""
    unknown = [name for name in UNREHEARSED if given.get(name)]
    if unknown:
        raise refuse(f"the rehearsal does not know {', '.join(unknown)} of a training job")
    specification: Mapping[str, Any] = given.get("AlgorithmSpecification", {})
    if not specification.get("TrainingImage"):
        raise refuse("the rehearsal trains images only: give AlgorithmSpecification.TrainingImage")
    image = Image.of(specification["TrainingImage"])
    check_metrics(image, specification)
    _check_channels(given, specification)
    _check_resources(given)
    _check_limits(given)
    Location.of(given["OutputDataConfig"]["S3OutputPath"])
    if given.get("CheckpointConfig"):
        Location.of(given["CheckpointConfig"]["S3Uri"])
    _check_closed(image, given)
    check_can_run(context, image)
    return image


def check_metrics(image: Image, specification: Mapping[str, Any]) -> None:
    """Metric definitions: none of one's own for SageMaker's own images, in script mode neither."""
    definitions: list[Fields] = specification.get("MetricDefinitions", [])
    if definitions and image.is_first_party:
        raise invalid(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please "
            "retry the request without specifying metric definitions."
        )
    for each in definitions:
        try:
            re.compile(each["Regex"])
        except re.error as error:
            raise invalid(
                f"The regular expression of metric {each['Name']!r} is invalid: {error}"
            ) from error


def _check_channels(given: Mapping[str, Any], specification: Mapping[str, Any]) -> None:
    names = [each["ChannelName"] for each in given.get("InputDataConfig", [])]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise invalid(f"Channel names must be unique: {', '.join(twice)} given twice.")
    modes = [("AlgorithmSpecification", specification["TrainingInputMode"])]
    for each in given.get("InputDataConfig", []):
        what = f"channel {each['ChannelName']!r}"
        source = each["DataSource"].get("S3DataSource")
        if source is None:
            raise refuse(f"{what}: only S3DataSource can be rehearsed")
        if source["S3DataType"] != "S3Prefix":
            raise refuse(
                f"{what}: S3DataType {source['S3DataType']} cannot be rehearsed; S3Prefix can"
            )
        if each.get("RecordWrapperType", "None") != "None":
            raise refuse(f"{what}: RecordWrapperType RecordIO cannot be rehearsed")
        Location.of(source["S3Uri"])
        modes.append((what, each.get("InputMode", "File")))
    for what, mode in modes:
        if mode == "Pipe":
            raise refuse(f"{what}: input mode Pipe cannot be rehearsed; File and FastFile can")


def _check_resources(given: Mapping[str, Any]) -> None:
    resources: Mapping[str, Any] = given.get("ResourceConfig", {})
    if resources.get("InstanceGroups") or resources.get("InstancePreferences"):
        raise refuse(
            "the rehearsal takes InstanceType and InstanceCount, not groups or preferences"
        )
    missing = [
        name
        for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB")
        if not resources.get(name)
    ]
    if missing:
        raise invalid(f"ResourceConfig: {', '.join(missing)} is required and at least 1.")
    if resources["InstanceCount"] != 1:
        raise refuse(
            "the rehearsal trains in one process: ResourceConfig.InstanceCount is "
            f"{resources['InstanceCount']}, allowed is 1"
        )
    if resources.get("KeepAlivePeriodInSeconds"):
        raise refuse("the rehearsal has no warm pools: leave out KeepAlivePeriodInSeconds")


def _check_limits(given: Mapping[str, Any]) -> None:
    """("StoppingCondition" and "Managed Spot Training in Amazon SageMaker AI".)"""
    limits: Mapping[str, Any] = given.get("StoppingCondition", {})
    runtime = limits.get("MaxRuntimeInSeconds", DAY)
    wait = limits.get("MaxWaitTimeInSeconds")
    if runtime > LONGEST:
        raise invalid(
            f"MaxRuntimeInSeconds {runtime} is longer than the {LONGEST} seconds allowed."
        )
    if given.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds when EnableManagedSpotTraining is true."
            )
    elif wait is not None:
        raise invalid(
            "MaxWaitTimeInSeconds can only be given when EnableManagedSpotTraining is true."
        )


def _check_closed(image: Image, given: Mapping[str, Any]) -> None:
    """The specification of an algorithm that cannot run here, as far as its page says."""
    required = REQUIRED.get(image.repository)
    if required is None:
        return
    hyperparameters: Mapping[str, str] = given.get("HyperParameters", {})
    problems = [
        f"hyperparameter {name} is missing" for name in required if name not in hyperparameters
    ]
    if not any(each["ChannelName"] == "train" for each in given.get("InputDataConfig", [])):
        problems.append("the channel train is missing")
    if problems:
        raise invalid(f"{image.repository}: {'; '.join(problems)}.")
