"""Runs an execution: every step as soon as those that it needs have succeeded.

A thread of the execution's own decides, one for each running step works. Steps that do not need
each other run side by side, as many as ParallelismConfiguration lets. When a step has failed no
further step begins; those that run come to their end.
"""

import queue
from collections.abc import Callable

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.pipelines.definition import Step
from rehearsal.sagemaker.pipelines.events import EXECUTION_EVENT, execution_detail
from rehearsal.sagemaker.pipelines.metrics import measure_execution
from rehearsal.sagemaker.pipelines.state import (
    EXECUTING,
    FAILED,
    STOPPED,
    SUCCEEDED,
    Execution,
    StepRun,
)
from rehearsal.sagemaker.pipelines.step_life import StepLife
from rehearsal.sagemaker.tables import now


class Interpreter:
    """One run of an execution, or of the rest of it after a retry.

    Args:
        context: of the service.
        execution: its record, whose steps that have succeeded already are kept.
    """

    def __init__(self, context: Context, execution: Execution) -> None:
        self._context = context
        self._execution = execution
        self._running: set[str] = set()
        self._ended: queue.Queue[str] = queue.Queue()

    def start(self) -> None:
        """Begin, in a thread of its own; the first status is told at once."""
        self._become(lambda: EXECUTING)
        self._context.start(f"pipeline {self._execution.id}", self._run)

    def _run(self) -> None:
        execution = self._execution
        while not execution.abandoned.is_set():
            self._launch()
            if not self._running:
                break
            name = self._ended.get()
            self._running.discard(name)
        if not execution.abandoned.is_set():
            self._become(self._ending)

    def _ending(self) -> str:
        if any(run.status == FAILED for run in self._execution.listed()):
            return FAILED
        return STOPPED if self._execution.stopping.is_set() else SUCCEEDED

    def _launch(self) -> None:
        execution = self._execution
        most = execution.parallel or len(execution.definition.steps)
        for step in execution.definition.steps.values():
            if execution.stopping.is_set() or self._failed():
                return
            if len(self._running) >= most:
                return
            if self._ready(step):
                self._launch_one(step)

    def _failed(self) -> bool:
        return any(run.status == FAILED for run in self._execution.steps.values())

    def _ready(self, step: Step) -> bool:
        """Whether a step can begin now; one that never will is noted as skipped."""
        steps = self._execution.steps
        if step.name in steps:
            return False
        needed = [steps.get(name) for name in step.needs]
        branch = steps.get(step.branch.condition) if step.branch else None
        not_taken = (
            step.branch is not None
            and branch is not None
            and branch.status == SUCCEEDED
            and branch.properties["Outcome"] != str(step.branch.outcome)
        )
        if not_taken or any(run is not None and run.skipped for run in needed):
            with self._execution.lock:
                steps[step.name] = StepRun(step, skipped=True)
            return False
        return all(run is not None and run.status == SUCCEEDED for run in needed)

    def _launch_one(self, step: Step) -> None:
        execution = self._execution
        run = StepRun(step)
        life = StepLife(self._context, execution, run)
        with execution.lock:
            execution.steps[step.name] = run
        life.start()
        self._running.add(step.name)

        def work() -> None:
            try:
                life.live()
            except Exception as error:  # ours, not the step's: it must not look like a success
                life.break_off(error)
                raise
            finally:
                self._ended.put(step.name)

        self._context.start(f"step {step.name} of {execution.id}", work)

    def _become(self, decide: Callable[[], str]) -> None:
        """Take the status decided on while nobody else can change it, and tell of it."""
        execution = self._execution
        with execution.lock:
            status = decide()
            previous = "" if status == EXECUTING else execution.status
            execution.status = status
            if status != EXECUTING:
                execution.ended = now()
            detail = execution_detail(execution, previous)
        measure_execution(self._context, execution)
        self._context.emit(EXECUTION_EVENT, detail, [execution.pipeline_arn, execution.arn])
