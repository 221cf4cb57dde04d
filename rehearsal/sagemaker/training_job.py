"""One training job, from its start to its last status, over as many attempts as it takes."""

import time

from rehearsal.sagemaker.container import Container
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.job_log import JobLog, JobMetrics, Observe
from rehearsal.sagemaker.jobs import Ask, Ending, JobFailed, Quit, Signals
from rehearsal.sagemaker.surroundings import cut
from rehearsal.sagemaker.tables import Fields, now
from rehearsal.sagemaker.training_attempt import Attempt, model_artifacts
from rehearsal.sagemaker.training_state import TABLE, TrainingState

KIND = "training"
GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingWork:
    """The thread's side of one job.

    Args:
        context: SageMaker's.
        name: of the job, which its table has already.
        observe: told each metric's name and value as it is found in the log.
    """

    kind = KIND

    def __init__(
        self, context: Context, name: str, observe: Observe = lambda name, value: None
    ) -> None:
        self.name = name
        self._context = context
        self._table = context.tables.table(TABLE)
        self._given: Fields = self._table.view(name).fields
        self._state = TrainingState(context, name)
        role = str(self._given["RoleArn"])
        definitions = self._given["AlgorithmSpecification"].get("MetricDefinitions", [])
        self.metrics = JobMetrics(context, name, definitions, role, observe)
        stream = f"{name}/algo-1-{int(now() * 1000)}"
        self._log = JobLog(context, GROUP, stream, role, self.metrics)
        self._began = time.monotonic()
        self._started: float | None = None  # of the first attempt, epoch seconds
        self._ran = 0.0  # seconds that attempts took, downloads and uploads included
        self._reason = ""

    def run(self, signals: Signals) -> None:
        """Start, train, start again after an interruption, and say how it ended."""
        self._state.tell()
        try:
            self._finish(self._train(signals))
        except JobFailed as error:
            self._end("Failed", str(error))
        except Quit:
            raise
        except Exception as error:
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
            raise

    def _train(self, signals: Signals) -> Ending | None:
        while True:
            ending = self._attempt(signals)
            if ending is None and signals.asked() is Ask.INTERRUPT:
                ending = Ending(Ask.INTERRUPT, 0)
            if ending is None or ending.why is not Ask.INTERRUPT:
                return ending
            self._state.move("Interrupted")
            signals.settle(Ask.INTERRUPT)
            if self._waited_out():
                return Ending(Ask.TIME, 0)
            self._state.move("Starting")

    def _attempt(self, signals: Signals) -> Ending | None:
        container = Container(self._context.run_folder, KIND, self.name)
        attempt = Attempt(self._context, self.name, self._given, container, self._state, self._log)
        started = time.monotonic()
        self._started = self._started or now()
        self._table.update(self.name, TrainingStartTime=self._started)
        try:
            return attempt.run(signals, lambda: self._left(started))
        finally:
            self._ran += time.monotonic() - started
            self._reason = attempt.reason
            container.remove()

    def _left(self, started: float) -> float:
        """Seconds that the process may still run: of MaxRuntime, and of MaxWait for a spot job."""
        limits: Fields = self._given["StoppingCondition"]
        left = limits["MaxRuntimeInSeconds"] - self._ran - (time.monotonic() - started)
        wait = limits.get("MaxWaitTimeInSeconds")
        if wait is not None:
            left = min(left, wait - (time.monotonic() - self._began))
        return max(left, 0.0)

    def _waited_out(self) -> bool:
        wait = self._given["StoppingCondition"].get("MaxWaitTimeInSeconds")
        return wait is not None and time.monotonic() - self._began >= wait

    def _finish(self, ending: Ending | None) -> None:
        if ending is None or ending.why is Ask.STOP:
            self._end("Stopped")
        elif ending.why is Ask.TIME:
            self._end("MaxWaitTimeExceeded" if self._waited_out() else "MaxRuntimeExceeded")
        elif ending.status == 0:
            self._end("Completed")
        else:
            tail = f", exit code: {ending.status}"
            text = self._reason[: 1024 - len("AlgorithmError: ") - len(tail)]
            self._end("Failed", f"AlgorithmError: {text}{tail}")

    def _end(self, secondary: str, reason: str | None = None) -> None:
        ended = now()
        trained = max(1, round(ended - (self._started or ended)))
        artifacts = None if secondary == "Failed" else model_artifacts(self._given, self.name)
        self._state.move(
            secondary,
            FailureReason=cut(reason) if reason else None,
            ModelArtifacts=artifacts,
            FinalMetricDataList=self.metrics.final(),
            TrainingEndTime=ended,
            TrainingTimeInSeconds=trained,
            # What instances were held for: the time between attempts is not billed.
            BillableTimeInSeconds=max(1, min(trained, round(self._ran))),
        )
