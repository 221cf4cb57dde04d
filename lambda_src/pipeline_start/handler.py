"""Lambda handler that starts a pipeline: a batch of queue messages in, its failures out.

Environment variables: ENVIRONMENT, QUEUE_URL, START (JSON; see `settings`); optional LOG_LEVEL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline_start import requests, settings
from pipeline_start.schedules import Schedules
from pipeline_start.settings import Settings
from shared import batch, clients
from shared.batch import Message
from shared.clock import Clock
from shared.errors import code_of
from shared.logs import Log
from shared.s3_events import Malformed

SCHEDULER, SQS = clients.make("scheduler", "sqs")

SCHEDULED = "RunsScheduled"
REPEATED = "StartsRepeated"
MALFORMED = "StartsMalformed"
FAILED = "StartsFailed"


def handler(event: Mapping[str, Any], context: Any) -> batch.Answer:
    """See to it that the pipeline is started for what a batch of messages tells of.

    Returns the partial batch response: the ids of the messages that are to come back.
    """
    chosen = settings.current()
    log = Log(chosen.environment, {"request_id": str(context.aws_request_id)})
    return batch.run(event, Starter(chosen, _schedules(), SQS, log).process)


@cache
def _schedules() -> Schedules:
    # Once for an execution environment: it remembers what is scheduled already.
    return Schedules(SCHEDULER, settings.current(), Clock())


@dataclass(frozen=True)
class Starter:
    """Processes the messages of one invocation; safe to share between threads."""

    settings: Settings
    schedules: Schedules
    sqs: Any
    log: Log

    def process(self, message: Message) -> bool:
        """Process one message; return whether it is done with."""
        log = self.log.bind(message_id=message.id, pipeline=self.settings.pipeline)
        try:
            request = requests.read(message.body, self.settings)
            fresh = request is not None and self.schedules.ask(request)
        except Malformed as error:
            batch.give_up(self.sqs, self.settings.queue_url, message)
            log.error("message is malformed", {MALFORMED: 1}, reason=str(error))
            return False
        except Exception as error:
            # It comes back when its visibility time-out ends.
            fields = {"error": code_of(error), "receives": message.receives}
            log.error("message failed", {FAILED: 1}, reason=str(error), **fields)
            return False
        if request is None:
            log.info("no data: a folder was made")
        elif fresh:
            log.info("run scheduled", {SCHEDULED: 1}, cause=request.reason)
        else:
            log.info("a run is scheduled already", {REPEATED: 1}, cause=request.reason)
        return True
