"""One sweep over all models: start what is wanted, stop what is not, send back what waited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from custom_model_keeper import work
from custom_model_keeper.leases import RUNNING, Model, Step, Version, is_wanted, steps
from shared.clock import Clock
from shared.custom_models import ModelTable
from shared.dynamodb import Fields
from shared.logs import Log

RUNNING_MINUTES = "ModelRunningMinutes"
PARKED_MINUTES = "ParkedMinutes"
SENT_BACK = "MessagesSentBack"
STARTED, STOPPED, FAILED = "ModelsStarted", "ModelsStopped", "ModelsFailed"


@dataclass(frozen=True)
class Keeper:
    """Sweeps.

    sweep_minutes: how far apart sweeps are; a model that is found running counts for so many.
    may_go_on: whether there is time for another call.
    """

    rekognition: Any
    sqs: Any
    table: ModelTable
    models: Sequence[Model]
    log: Log
    clock: Clock
    sweep_minutes: float
    may_go_on: Callable[[], bool]

    def sweep(self) -> list[str]:
        """Sweep over every model; return the names of those that could not be kept.

        One model that fails keeps none of the others from its stop.
        """
        now = self.clock.time()
        backlog = work.survey(self.table)
        failed: list[str] = []
        running: set[str] = set()
        for model in self.models:
            log = self.log.by(Model=model.name)
            try:
                if self._keep(model, model.name in backlog.needs, now, log):
                    running.add(model.name)
            except Exception as error:
                failed.append(model.name)
                log.error("model could not be kept", {FAILED: 1}, reason=str(error))
        sent = work.send_back(self.table, self.sqs, frozenset(running), self.may_go_on)
        metrics = {SENT_BACK: sent, PARKED_MINUTES: round(backlog.minutes(now), 1)}
        self.log.info("swept", metrics)
        return failed

    def _keep(self, model: Model, needed: bool, now: float, log: Log) -> bool:
        """Bring a model to where it should be; return whether its live version runs."""
        state = self.table.state(model.name)
        live: str | None = state.get("live")
        versions = self._versions(model)
        if any(each.status == RUNNING for each in versions):
            log.info("model runs", {RUNNING_MINUTES: self.sweep_minutes})
        serves = any(each == Version(live, RUNNING) for each in versions) if live else False
        wanted = is_wanted(model, state, needed, now)
        if wanted and serves and needed:
            # From here on its lease counts by use: what waited is on its way back to the queue.
            self.table.used(model.name, now)
        if needed and live is None:
            log.warning("work waits for a model that has no live version yet")
        problems = [self._carry_out(each, model, log) for each in steps(versions, live, wanted)]
        _raise(problems)
        return serves

    def _carry_out(self, step: Step, model: Model, log: Log) -> Exception | None:
        """Start or stop a version; return why it could not be."""
        arn = step.version.arn
        try:
            if step.action == "start":
                self.rekognition.start_project_version(ProjectVersionArn=arn, **_units(model))
            else:
                self.rekognition.stop_project_version(ProjectVersionArn=arn)
        except Exception as error:
            return error
        name = STARTED if step.action == "start" else STOPPED
        log.info(f"{step.action} of a version", {name: 1}, reason=arn.split("/")[3])
        return None

    def _versions(self, model: Model) -> list[Version]:
        found: list[Version] = []
        asked: Fields = {"ProjectArn": model.project}
        while True:
            answer = self.rekognition.describe_project_versions(**asked)
            found += [
                Version(each["ProjectVersionArn"], each["Status"])
                for each in answer["ProjectVersionDescriptions"]
            ]
            if not answer.get("NextToken"):
                return found
            asked["NextToken"] = answer["NextToken"]


def _units(model: Model) -> dict[str, int]:
    least = {"MinInferenceUnits": model.units}
    return least if model.most_units is None else {**least, "MaxInferenceUnits": model.most_units}


def _raise(problems: Sequence[Exception | None]) -> None:
    """Raise the first problem, once every step has been tried."""
    for problem in problems:
        if problem is not None:
            raise problem
