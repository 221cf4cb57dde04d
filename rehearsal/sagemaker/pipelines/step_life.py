"""The life of one step: cached or run, tried again, its status told to EventBridge."""

import time
from typing import Any

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.pipelines import naming
from rehearsal.sagemaker.pipelines.caching import CachedRun, cache_key
from rehearsal.sagemaker.pipelines.calls import Calls
from rehearsal.sagemaker.pipelines.errors import StepError, StepStopped, UndefinedValueError
from rehearsal.sagemaker.pipelines.events import STEP_EVENT, step_detail
from rehearsal.sagemaker.pipelines.metrics import measure_step
from rehearsal.sagemaker.pipelines.retries import has_policy, next_delay
from rehearsal.sagemaker.pipelines.runners import RUNNERS, arguments_of, name_for
from rehearsal.sagemaker.pipelines.state import (
    EXECUTING,
    FAILED,
    MOST_REASON,
    STARTING,
    STOPPED,
    SUCCEEDED,
    Execution,
    StepRun,
)
from rehearsal.sagemaker.pipelines.work import Work
from rehearsal.sagemaker.tables import now


class StepLife:
    """Sees one step through.

    Args:
        context: of the service.
        execution: that the step belongs to.
        run: the step's record.
    """

    def __init__(self, context: Context, execution: Execution, run: StepRun) -> None:
        self._context = context
        self._execution = execution
        self._run = run
        session = naming.session_name(execution.id, run.step.name)
        self._calls = Calls(context, execution.role_arn, session, execution.pipeline_arn)
        self._key = ""

    def live(self) -> None:
        """Run the step to its end; what went wrong is in its record."""
        self._become(EXECUTING)
        began = time.monotonic()
        retries: dict[str, int] = {}
        while True:
            try:
                self._once()
                return self._become(SUCCEEDED)
            except StepStopped:
                return self._become(STOPPED)
            except UndefinedValueError as error:
                return self._become(FAILED, f"ClientError: {error}.")
            except StepError as error:
                if not self._again(error, retries, time.monotonic() - began):
                    return self._become(FAILED, self._reason(error))
            if self._execution.stopping.is_set() or self._execution.abandoned.is_set():
                return self._become(STOPPED)

    def _once(self) -> None:
        step, execution = self._run.step, self._execution
        name = name_for(step.type, execution.id, step.name)
        work = Work(self._context, execution, self._run, self._calls, name)
        arguments = arguments_of(work)
        if self._taken_from_cache(arguments):
            return
        self._run.attempts += 1
        properties = RUNNERS[step.type](work, arguments)
        with execution.lock:
            self._run.properties = properties
        if self._key:
            kept = CachedRun(execution.arn, now(), properties, self._run.metadata)
            execution.cache.keep(self._key, kept)

    def _taken_from_cache(self, arguments: dict[str, Any]) -> bool:
        step, execution = self._run.step, self._execution
        if step.cache_seconds is None:
            return False
        self._key = cache_key(step.type, step.name, arguments)
        found = execution.cache.find(self._key, step.cache_seconds, now())
        if found is None:
            return False
        with execution.lock:
            self._run.properties = found.properties
            self._run.metadata = found.metadata
            self._run.cached_from = found.execution_arn
        return True

    def _again(self, error: StepError, retries: dict[str, int], elapsed: float) -> bool:
        """Whether the step is to be tried again, after having waited for it."""
        if error.kind is None:
            return False
        step = self._run.step
        count = retries.get(error.kind, 0)
        delay = next_delay(step.retries, step.type, error.kind, count, elapsed)
        if delay is None:
            return False
        retries[error.kind] = count + 1
        end = time.monotonic() + delay
        while (left := end - time.monotonic()) > 0:
            if self._execution.stopping.is_set():
                return True  # live() sees that it is to stop
            if self._execution.abandoned.wait(min(left, 0.05)):
                return True
        return True

    def _reason(self, error: StepError) -> str:
        """In Pipelines' words, with the exception type that no policy names."""
        step = self._run.step
        if error.kind is None or has_policy(step.retries, error.kind):
            return error.reason
        return (
            f"{error.reason}\nRetry not appropriate on execution of step with "
            f"PipelineExecutionArn {self._execution.arn} and StepId {step.name}. No retry policy "
            f"configured for the exception type {error.kind.upper().replace('.', '_')}."
        )

    def _become(self, status: str, failure: str = "") -> None:
        run, execution = self._run, self._execution
        if execution.abandoned.is_set():
            return
        with execution.lock:
            previous, run.status = run.status, status
            if status not in (STARTING, EXECUTING):
                run.end = now()
                run.failure = failure[:MOST_REASON]
            detail = step_detail(execution, run, previous)
        measure_step(self._context, execution, run)
        self._context.emit(STEP_EVENT, detail, [execution.pipeline_arn, execution.arn])

    def break_off(self, error: Exception) -> None:
        """End the step after an error of the rehearsal's own."""
        self._become(FAILED, f"InternalServerError: the rehearsal could not go on: {error!r}")

    def start(self) -> None:
        """The step's first status, told before its thread begins."""
        with self._execution.lock:
            self._run.start = now()
        self._become(STARTING)
