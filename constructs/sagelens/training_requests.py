"""The requests that a training pipeline's training step makes of SageMaker.

Sources: "CreateTrainingJob" and "CreateHyperParameterTuningJob" (Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .algorithms import Range, parameter_ranges
from .algorithms.metric import Goal
from .debugger_rules import debugger_arguments
from .job_requests import CODE, CODE_INPUT, ENVIRONMENT, JobRequests, prepared, start
from .pipeline_definition import Value, parameter
from .training_plan import Tuning

CHANNELS = "/opt/ml/input/data"
TRAINING_ENVIRONMENT = {
    "SM_CHECKPOINT_DIR": "/opt/ml/checkpoints",
    "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
    "SM_OUTPUT_DIR": "/opt/ml/output",
}


@dataclass(frozen=True, kw_only=True)
class TrainingRequests(JobRequests):
    """Makes the requests of the training job or the tuning job besides.

    Attributes:
        hyperparameters: Names of those that are not tuned; each is a parameter of executions.
        metrics: ``MetricDefinitions`` of the training job.
        keeps_checkpoints: Whether the training job has a place for them.
        debugger_rules: Rules that SageMaker Debugger evaluates.
    """

    hyperparameters: Sequence[str]
    metrics: Sequence[Mapping[str, str]]
    keeps_checkpoints: bool
    debugger_rules: Sequence[str] = ()

    def train(self) -> dict[str, Any]:
        """The training job."""
        by_script = self.recipe.trains_by_script(self.algorithm)
        directly = by_script and not self.recipe.script_mode
        return {
            "AlgorithmSpecification": {
                **self._algorithm_specification(),
                **(self._direct_start() if directly else {}),
            },
            "HyperParameters": self._hyperparameters(script_mode=by_script and not directly),
            **self._common(),
            **self._debugger(),
            "Tags": self.tags,
        }

    def tune(self, tuning: Tuning, ranges: Mapping[str, Range], goal: Goal) -> dict[str, Any]:
        """The tuning job, whose containers start in script mode: it knows no entry point.

        Args:
            tuning: How hyperparameters are searched for.
            ranges: Range by hyperparameter.
            goal: Whether more or less of the objective is better.
        """
        by_script = self.recipe.trains_by_script(self.algorithm)
        objective = {"Type": goal, "MetricName": tuning.objective}
        usual = "Off" if tuning.strategy == "Hyperband" else "Auto"
        config: dict[str, Any] = {
            "Strategy": tuning.strategy,
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": _limits(tuning),
            "ParameterRanges": parameter_ranges(ranges),
            "TrainingJobEarlyStoppingType": tuning.early_stopping or usual,
        }
        if tuning.resources is not None:
            low, high = tuning.resources
            bounds = {"MinResource": low, "MaxResource": high}
            config["StrategyConfig"] = {"HyperbandStrategyConfig": bounds}
        if tuning.seed is not None:
            config["RandomSeed"] = tuning.seed
        return {
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": {
                "AlgorithmSpecification": self._algorithm_specification(),
                "StaticHyperParameters": self._hyperparameters(script_mode=by_script),
                **self._common(),
            },
            # The training jobs get them as well.
            "Tags": self.tags,
        }

    def _algorithm_specification(self) -> dict[str, Any]:
        metrics = [dict(one) for one in self.metrics]
        return {
            "TrainingImage": self.images.train,
            "TrainingInputMode": self.algorithm.input_modes[0],
            **({"MetricDefinitions": metrics} if metrics else {}),
        }

    def _direct_start(self) -> dict[str, Any]:
        """Without the container's own starter, which would write its own reason of a failure."""
        return {
            "ContainerEntrypoint": start(CHANNELS),
            "ContainerArguments": [f"{CODE}/{self.recipe.at(self.recipe.train)}"],
        }

    def _hyperparameters(self, *, script_mode: bool) -> dict[str, Any]:
        given = {name: parameter(name) for name in self.hyperparameters}
        if not script_mode:
            return given
        return {
            **given,
            "sagemaker_program": self.recipe.at(self.recipe.program),
            "sagemaker_submit_directory": f"{CHANNELS}/{CODE_INPUT}/{self.code_name}",
        }

    def _common(self) -> dict[str, Any]:
        """What a training job and the training jobs of a tuning job have in common."""
        job = self.jobs.train
        resources = {
            "InstanceType": parameter("TrainInstanceType"),
            "InstanceCount": parameter("TrainInstanceCount"),
            "VolumeSizeInGB": job.volume_gb,
            **self.volume_key(job),
        }
        stopping = {"MaxRuntimeInSeconds": job.max_runtime_seconds}
        wait = job.wait_seconds(self.algorithm.longest_spot_wait)
        if wait is not None:
            stopping["MaxWaitTimeInSeconds"] = wait
        common: dict[str, Any] = {
            "RoleArn": self.role_arn,
            "InputDataConfig": self._channels(),
            "OutputDataConfig": {"S3OutputPath": self.run_url("model"), "KmsKeyId": self.key_arn},
            "ResourceConfig": resources,
            "StoppingCondition": stopping,
            "EnableManagedSpotTraining": job.spot,
            "EnableNetworkIsolation": self.surroundings.network_isolation,
            "EnableInterContainerTrafficEncryption": self.surroundings.encrypt_between_instances,
            **self.vpc(),
        }
        if self.keeps_checkpoints:
            common["CheckpointConfig"] = {
                "S3Uri": self.run_url("checkpoints"),
                "LocalPath": TRAINING_ENVIRONMENT["SM_CHECKPOINT_DIR"],
            }
        if self.recipe.trains_by_script(self.algorithm):
            common["Environment"] = self._training_environment()
        return common

    def _training_environment(self) -> dict[str, str]:
        names = self.recipe.training_channels(self.algorithm)
        channels = {f"SM_CHANNEL_{name.upper()}": f"{CHANNELS}/{name}" for name in names}
        return {**ENVIRONMENT, **TRAINING_ENVIRONMENT, **channels}

    def _channels(self) -> list[dict[str, Any]]:
        built_in = self.algorithm.mode == "built-in"
        typed = {"ContentType": self.recipe.content_type} if built_in else {}
        found = [
            {**_channel(name, prepared(name)), **typed}
            for name in self.recipe.training_channels(self.algorithm)
        ]
        if self.recipe.trains_by_script(self.algorithm):
            found.append(_channel(CODE_INPUT, self.code_url))
        return found

    def _debugger(self) -> dict[str, Any]:
        if not self.debugger_rules or self.images.rules is None:
            return {}
        place = self.run_url("debugger")
        return debugger_arguments(self.debugger_rules, self.images.rules, place)


def _channel(name: str, source: Value) -> dict[str, Any]:
    location = {
        "S3DataType": "S3Prefix",
        "S3Uri": source,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": location}, "InputMode": "File"}


def _limits(tuning: Tuning) -> dict[str, Any]:
    jobs: Value = tuning.combinations if tuning.strategy == "Grid" else parameter("TuneMaxJobs")
    longest = tuning.max_runtime_seconds
    return {
        "MaxNumberOfTrainingJobs": jobs,
        "MaxParallelTrainingJobs": parameter("TuneParallelJobs"),
        **({"MaxRuntimeInSeconds": longest} if longest is not None else {}),
    }
