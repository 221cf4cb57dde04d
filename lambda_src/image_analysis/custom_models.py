"""Custom Labels models that the configuration names: their live versions, and what waits for them.

A model given by its ARN is none of these: whoever lists it starts and stops it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.batch import Message
from shared.clock import Clock
from shared.custom_models import ModelTable
from shared.dynamodb import Fields
from shared.errors import ModelNotRunning

ARGUMENT = "ProjectVersionArn"
# How long a live version is taken for granted, and how often a use is noted: a lease is counted
# in minutes, so neither costs a call for each image.
REMEMBERED_SECONDS = 30.0
NOTED_SECONDS = 60.0


def is_name(model: str) -> bool:
    """Whether a model is given by its name in the configuration, and not by an ARN."""
    return not model.startswith("arn:")


@dataclass(frozen=True)
class CustomModels:
    """The models by name; one is made for an execution environment, safe to share by threads.

    table: None where there is no table, so that every model is given by its ARN. queue_url: of
    the queue that parked work goes back to. names: the models that each image needs.
    """

    table: ModelTable | None = None
    queue_url: str = ""
    names: Sequence[str] = ()
    clock: Clock = field(default_factory=Clock)
    _live: dict[str, tuple[float, str | None]] = field(default_factory=dict[str, Any], init=False)
    _noted: dict[str, float] = field(default_factory=dict[str, float], init=False)

    def filled(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a call with a live version in the place of a model's name.

        Raises ModelNotRunning for a model without one.
        """
        name = arguments.get(ARGUMENT)
        if name is None or not is_name(name):
            return arguments
        live = self._version(name)
        if live is None:
            raise ModelNotRunning(name, parks=True)
        return {**arguments, ARGUMENT: live}

    def are_live(self, analyses: Mapping[str, Fields]) -> bool:
        """Whether each model's live version is among those that made these answers."""
        made = {each["model"] for one in analyses.values() for each in one.get("models") or ()}
        return all(self._version(name) in made for name in self.names)

    def note_use(self, name: str) -> None:
        """Note, now and then, that a model is in use, so that it runs on."""
        now = self.clock.time()
        if not self.table or not is_name(name) or now - self._noted.get(name, 0) < NOTED_SECONDS:
            return
        self._noted[name] = now
        try:
            self.table.used(name, now)
        except Exception:
            # The answer is there and paid for. At worst the model stops early, and work waits.
            self._noted.pop(name, None)

    def park(self, message: Message) -> None:
        """Keep a message until every model that an image needs runs.

        Of all, not of the one that was found wanting: else an image could go back and forth
        between two models that never run at the same time.
        """
        if self.table is None:
            raise ValueError("MODELS_TABLE is empty, and a model is given by its name")
        at = self.clock.iso()
        self.table.park(
            message.body, queue=self.queue_url, message=message.id, needs=self.names, at=at
        )

    def _version(self, name: str) -> str | None:
        now = self.clock.time()
        known = self._live.get(name)
        if known and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        live = self.table.state(name).get("live") if self.table else None
        self._live[name] = (now, live)
        return live
