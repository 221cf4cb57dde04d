"""Lambda handler of the backfill: each step of its state machine, by `action`.

    feed    a batch of a list in, what it put into the queue out, in numbers
    look    whether the queue is empty, and when to look again
    count   a batch of plans in, what became of them out, in numbers
    report  where the results of the batches lie in, the report out

Environment variables: ENVIRONMENT, RESULTS_TABLE, SETTINGS (JSON) or SETTINGS_FILE as the image
function has them, IMAGES_BUCKET, QUEUE_URL of the backfill's queue, RUNS_BUCKET, and BACKFILL
(JSON: prefixes, runs, deepest, pace, least, image_price); optional LOG_LEVEL.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from image_analysis import settings
from image_analysis.backfill.backlog import Backlog
from image_analysis.backfill.counting import Results
from image_analysis.backfill.feeder import Batch, Feeder
from image_analysis.backfill.found import Finder
from image_analysis.backfill.plans import Plans
from image_analysis.backfill.report import Reporter
from shared import clients
from shared.clock import Clock
from shared.logs import Log

S3, SQS, DYNAMODB = clients.make("s3", "sqs", "dynamodb")


@dataclass(frozen=True)
class Backfill:
    """The steps; one is made for an execution environment."""

    feeder: Feeder
    results: Results
    reporter: Reporter
    clock: Clock

    def step(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the event asks. Raises ValueError for an action that there is not."""
        started = self.clock.monotonic()
        match event["action"]:
            case "feed":
                answer = self.feeder.feed(Batch.of(event["batch"]))
                self._time(answer["counts"], started)
                return answer
            case "look":
                return self.feeder.backlog.look(int(event["quiet"]))
            case "count":
                counts = self.results.count(event["batch"]["Items"])
                self._time(counts, started)
                return {"counts": counts}
            case "report":
                return self.reporter.report(event)
            case other:
                raise ValueError(f"there is no action {other!r}")

    def _time(self, counts: dict[str, Any], started: float) -> None:
        counts["milliseconds"] = round((self.clock.monotonic() - started) * 1_000)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Do one step of a backfill; what fails is tried again by the state machine."""
    answer = _backfill().step(event)
    log = Log(os.environ["ENVIRONMENT"], {"request_id": str(context.aws_request_id)})
    log.info(f"backfill: {event['action']}", counts=answer.get("counts"))
    return answer


@cache
def _backfill() -> Backfill:
    return make(os.environ, S3, SQS, DYNAMODB, Clock())


def make(variables: Mapping[str, str], s3: Any, sqs: Any, dynamodb: Any, clock: Clock) -> Backfill:
    """Return the steps for these variables and clients."""
    told: Mapping[str, Any] = json.loads(variables["BACKFILL"])
    fingerprint = settings.fingerprint_of(variables)
    bucket, runs = variables["IMAGES_BUCKET"], variables["RUNS_BUCKET"]
    finder = Finder(s3, dynamodb, bucket, variables["RESULTS_TABLE"], clock.sleep)
    plans = Plans(s3, runs, told["runs"])
    backlog = Backlog(sqs, variables["QUEUE_URL"], told["deepest"], told["pace"], told["least"])
    return Backfill(
        feeder=Feeder(finder, plans, backlog, sqs, bucket, told["prefixes"], fingerprint),
        results=Results(finder, plans),
        reporter=Reporter(
            s3,
            runs,
            told["runs"],
            fingerprint,
            told["image_price"],
            int(variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 0),
        ),
        clock=clock,
    )
