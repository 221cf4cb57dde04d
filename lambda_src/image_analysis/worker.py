"""One queue message: read, analyse, report; on failure, give it back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from image_analysis.flow import Attempt, Flow, Outcome
from image_analysis.retries import Retries
from shared import errors, logs, s3_events
from shared.batch import Message
from shared.clients import ATTEMPT_SECONDS, ATTEMPTS
from shared.errors import ModelNotRunning, OutOfTime
from shared.logs import Log
from shared.s3_events import Malformed, ObjectVersion

# One image at its worst: one call that uses up all its attempts, with the pauses between.
# Several such calls in a row are cut off; the lease and the queue cover that.
WORST_SECONDS = ATTEMPTS * ATTEMPT_SECONDS + 4
# A function may run for less than that: then half of its time must be left.
LEAST_SHARE = 0.5

METRICS = {
    "accept": "ImagesAccepted",
    "review": "ImagesForReview",
    "reject": "ImagesRejected",
    "unusable": "ImagesUnusable",
}
REPEATED = "ImagesRepeated"
DURATION = "ImageMilliseconds"
# 1 for an image that waits for a person, 0 for one that is decided: its average is the share.
REVIEW_SHARE = "ReviewShare"
# Of an image whose bytes were known: the calls that were not made, and their price.
CALLS_SAVED = "CallsSaved"
DOLLARS_SAVED = "DollarsSaved"
RETRIED = "MessagesRetried"
DENIED = "MessagesDenied"
WAITING = "MessagesWaiting"
PARKED = "MessagesParked"
MALFORMED = "MessagesMalformed"
FAILED = "MessagesFailed"


@dataclass(frozen=True)
class Invocation:
    """One invocation of the function.

    request_id: Lambda's. remaining: seconds until it is cut off. whole: what that was at its
    start.
    """

    request_id: str
    remaining: Callable[[], float]
    whole: float

    @classmethod
    def of(cls, context: Any) -> "Invocation":
        """Return the invocation of a Lambda context."""

        def remaining() -> float:
            return context.get_remaining_time_in_millis() / 1000

        return cls(str(context.aws_request_id), remaining, remaining())

    def spare(self) -> float:
        """Return the seconds that may pass before one more image could be cut off."""
        return self.remaining() - min(WORST_SECONDS, LEAST_SHARE * self.whole)


@dataclass(frozen=True)
class Worker:
    """Processes the messages of one invocation; safe to share between threads.

    image_price: what the calls for one image cost, in US dollars.
    """

    flow: Flow
    retries: Retries
    log: Log
    invocation: Invocation
    image_price: float = 0.0
    log_keys: bool = field(default_factory=logs.log_keys)

    def process(self, message: Message) -> bool:
        """Process one message; return whether it is done with."""
        log = self.log.bind(message_id=message.id)
        try:
            if self.invocation.spare() < 0:
                raise OutOfTime("the invocation is nearly over")
            version = s3_events.parse(message.body)
            log = log.bind(**logs.object_fields(version.bucket, version.key, version.version_id))
            outcome = self._run(version, message)
            if outcome is None:
                log.info("message is kept until its model runs", {PARKED: 1})
                return True
        except Exception as error:
            seconds = self.retries.give_back(message, error)
            self._report_failure(log, message, error, seconds)
            return False
        _report(log, outcome, self.image_price)
        return True

    def _run(self, version: ObjectVersion, message: Message) -> Outcome | None:
        """What the flow came to; None if the message now waits in the models' table."""
        owner = f"{self.invocation.request_id}:{message.id}"
        attempt = Attempt(owner, self.invocation.remaining, self.invocation.spare)
        try:
            return self.flow.run(version, attempt)
        except ModelNotRunning as error:
            if not error.parks:
                raise
            # Only then is the message done with: until it is kept, the queue has it.
            self.flow.detector.models.park(message)
            return None

    def _report_failure(
        self, log: Log, message: Message, error: Exception, seconds: int | None
    ) -> None:
        kind, metric = _kind_and_metric(error)
        fields = {
            "kind": kind,
            "error": errors.code_of(error),
            "reason": errors.text_of(error, self.log_keys),
            "receives": message.receives,
            "retry_seconds": seconds,
        }
        if metric in (RETRIED, WAITING):
            log.warning("message goes back to the queue", {metric: 1}, **fields)
        else:
            log.error("message failed", {metric: 1}, **fields, where=errors.places_of(error))


def _report(log: Log, outcome: Outcome, image_price: float) -> None:
    record = outcome.record
    decision = record["decision"]
    fields = {"decision": decision, "attempts": record.get("attempts")}
    if decision == "unusable":
        fields["codes"] = [each["code"] for each in record["reasons"]]
    if outcome.kind == "analysed":
        metrics = {METRICS[decision]: 1, DURATION: record["duration_ms"]}
        if decision != "unusable":
            metrics[REVIEW_SHARE] = int(decision == "review")
        if "calls_saved" in record:
            metrics |= {CALLS_SAVED: record["calls_saved"], DOLLARS_SAVED: image_price}
        log.info("image analysed", metrics, **fields)
    elif outcome.kind == "announced":
        log.info("image announced that was analysed before", {METRICS[decision]: 1}, **fields)
    else:
        log.info("nothing left to do for this image", {REPEATED: 1}, **fields)


def _kind_and_metric(error: Exception) -> tuple[str, str]:
    if isinstance(error, Malformed):
        return "malformed", MALFORMED
    kind = errors.kind_of(error)
    if kind in ("denied", "waiting"):
        return kind, DENIED if kind == "denied" else WAITING
    return kind, FAILED if kind == "permanent" else RETRIED
