"""One tuning job: training jobs side by side, each with values of its own."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from rehearsal.aws_json import ServiceError
from rehearsal.sagemaker.announce import announce
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.jobs import Ask, Jobs, Signals
from rehearsal.sagemaker.tables import Fields, now
from rehearsal.sagemaker.training import start
from rehearsal.sagemaker.training_job import KIND as TRAINING
from rehearsal.sagemaker.training_state import TABLE as TRAINING_TABLE
from rehearsal.sagemaker.tuning_median import MedianRule
from rehearsal.sagemaker.tuning_ranges import candidates
from rehearsal.sagemaker.tuning_results import best, objective_of

KIND = "tuning"
TABLE = "hyper-parameter-tuning-job"
EVENT = "SageMaker HyperParameter Tuning Job State Change"
# Members of a training job's request that a definition carries under the same name.
CARRIED = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "Environment",
    "RetryStrategy",
)


def training_request(definition: Fields, name: str, values: dict[str, str]) -> Fields:
    """The request of one training job; checkpoints go below the job's own name."""
    request: Fields = {member: definition[member] for member in CARRIED if member in definition}
    if "CheckpointConfig" in request:
        given = request["CheckpointConfig"]
        request["CheckpointConfig"] = {**given, "S3Uri": f"{given['S3Uri'].rstrip('/')}/{name}"}
    return {
        **request,
        "TrainingJobName": name,
        "HyperParameters": {**definition.get("StaticHyperParameters", {}), **values},
        "AlgorithmSpecification": dict(definition["AlgorithmSpecification"]),
    }


class TuningWork:
    """The thread's side of one tuning job.

    Args:
        context: SageMaker's.
        name: of the job, which its table has already.
    """

    kind = KIND

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context
        self._table = context.tables.table(TABLE)
        self._training = context.tables.table(TRAINING_TABLE)
        self._jobs = context.one(Jobs)
        self._resource = self._table.require(name)
        given = self._table.view(name).fields
        self._definition: Fields = given["TrainingJobDefinition"]
        configuration: Fields = given["HyperParameterTuningJobConfig"]
        self._limits: Fields = configuration["ResourceLimits"]
        self._objective: Fields = configuration["HyperParameterTuningJobObjective"]
        self._criteria: Fields = configuration.get("TuningJobCompletionCriteria", {})
        early = configuration.get("TrainingJobEarlyStoppingType") == "Auto"
        self._rule = MedianRule(self._objective["Type"] == "Maximize") if early else None
        self._values: Iterator[dict[str, str]] = candidates(
            configuration["ParameterRanges"],
            configuration["Strategy"],
            configuration.get("RandomSeed"),
        )
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def run(self, signals: Signals) -> None:
        """Keep as many jobs running as allowed until enough have run, or until asked to stop."""
        self._announce()
        started, most = 0, self._most()
        while started < most and not self._done(signals):
            self._start(started + 1, signals)
            started += 1
            if len(self._running) >= self._limits["MaxParallelTrainingJobs"]:
                before = len(self._running)
                signals.wait(lambda n=before: len(self._running) < n, self._left())
        if self._done(signals):
            self._stop_all()
        signals.wait(lambda: not self._running, self._left())
        asked = signals.asked()
        if self._running:  # asked to stop, or out of time, while the last ones ran
            self._stop_all()
            signals.wait(lambda: not self._running, None, Ask.STOP)
            asked = asked or signals.asked()
        self._end("Stopped" if asked is Ask.STOP else None)

    def _most(self) -> int:
        return int(self._limits["MaxNumberOfTrainingJobs"])

    def _left(self) -> float | None:
        limit = self._limits.get("MaxRuntimeInSeconds")
        return None if limit is None else max(0.0, limit - (time.monotonic() - self._began))

    def _done(self, signals: Signals) -> bool:
        """Whether no further job is wanted."""
        if signals.asked() is not None or self._left() == 0.0:
            return True
        target = self._criteria.get("TargetObjectiveMetricValue")
        found = best(self._context, self._resource)
        if target is None or found is None:
            return False
        value = objective_of(found, self._objective["MetricName"])
        assert value is not None
        return value >= target if self._objective["Type"] == "Maximize" else value <= target

    def _start(self, number: int, signals: Signals) -> None:
        name = f"{self.name}-{number:03}-{uuid4().hex[:8]}"
        values = next(self._values)
        request = training_request(self._definition, name, values)
        request["Tags"] = [{"Key": k, "Value": v} for k, v in self._resource.tags.items()]
        with self._lock:
            self._running.add(name)
            self._resource.internal.setdefault("jobs", {})[name] = values

        def ended() -> None:
            if self._rule is not None:
                self._rule.ended(name)
            with self._lock:
                self._running.discard(name)
            signals.wake()

        try:
            start(
                self._context,
                request,
                observe=lambda metric, value: self._observe(name, metric, value),
                after=ended,
                TuningJobArn=self._resource.arn,
            )
        except ServiceError as error:
            ended()
            self._table.update(self.name, FailureReason=error.message)
            raise

    def _observe(self, name: str, metric: str, value: float) -> None:
        if self._rule is None or metric != self._objective["MetricName"]:
            return
        if self._rule.is_hopeless(name, value):
            self._stop(name)

    def _stop(self, name: str) -> None:
        """As StopTrainingJob; one that has ended meanwhile is left alone."""
        from rehearsal.sagemaker.training import stop_job

        try:
            stop_job(self._context, name)
        except ServiceError:
            self._jobs.ask(TRAINING, name, Ask.STOP)

    def _stop_all(self) -> None:
        with self._lock:
            names = list(self._running)
        for name in names:
            self._stop(name)

    def _end(self, status: str | None) -> None:
        names: dict[str, Any] = self._resource.internal.get("jobs", {})
        jobs = [self._training.view(name) for name in names]
        reason = None
        if status is None:
            usable = [job for job in jobs if job.fields["TrainingJobStatus"] != "Failed"]
            status = "Completed" if usable else "Failed"
            if not usable:
                reason = (
                    "All training jobs failed. Please take a look at the training jobs failures "
                    "to get more details."
                )
        self._table.update(
            self.name,
            HyperParameterTuningJobStatus=status,
            HyperParameterTuningEndTime=now(),
            FailureReason=reason,
        )
        self._announce()

    def _announce(self) -> None:
        view = self._table.view(self.name)
        names = {
            "HyperParameterTuningJobName": self.name,
            "HyperParameterTuningJobArn": view.arn,
        }
        announce(self._context, EVENT, view, names)
