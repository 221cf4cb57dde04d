"""Lambda handler of the video analysis: one step of a state machine.

The event holds `step` (begin, look or finish), `owner` (the execution) and, for begin, `event` (the
object's), else `state` (what the step before answered). Errors have the names that the state
machine's retries know: Denied, Transient, Malformed, Failed.

Environment variables: RESULTS_TABLE, EVENT_BUS, RESULTS_BUCKET, ENVIRONMENT, SETTINGS (JSON) or
SETTINGS_FILE, RECORD_DAYS (empty keeps records); optional LOG_LEVEL and LOG_KEYS.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from shared import clients, errors, logs
from shared.clients import Clients
from shared.clock import Clock
from shared.conclusion import Conclusion
from shared.errors import Denied, Transient
from shared.logs import Log
from shared.records import Records
from shared.s3_events import Malformed
from video_analysis import settings
from video_analysis.flow import Flow, Step
from video_analysis.reading import Pages
from video_analysis.settings import Settings

METRICS = {
    "accept": "VideosAccepted",
    "review": "VideosForReview",
    "reject": "VideosRejected",
    "unusable": "VideosUnusable",
}
REPEATED = "VideosRepeated"
PARTIAL = "VideosPartial"
MINUTES = "AnalysedMinutes"
WAIT = "VideoWaitMilliseconds"
RETRIED = "VideoStepsRetried"
DENIED = "VideoStepsDenied"
FAILED = "VideoStepsFailed"

CLIENTS = clients.connect()


class Failed(Exception):
    """An error that no retry mends: a fault of the code or of the data."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Carry out one step; return the state for the next.

    Raises Denied, Transient, Malformed and Failed, whose texts name no object.
    """
    owner = str(event["owner"])
    name = owner.rpartition(":")[2]
    log = Log(
        settings.current().environment, {"request_id": context.aws_request_id, "execution": name}
    )

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    try:
        step = run(_flow(), event, owner, seconds_left)
    except Exception as error:
        told = _told(error)
        _report_failure(log, error, told)
        raise told from None  # the cause may name the object
    _report(log, step)
    return step.state


def run(
    flow: Flow, event: Mapping[str, Any], owner: str, seconds_left: Callable[[], float]
) -> Step:
    """Carry out one step of a flow."""
    if event["step"] == "begin":
        return flow.begin(event["event"], owner)
    if event["step"] == "look":
        return flow.look(event["state"], owner)
    return flow.finish(event["state"], owner, Pages(flow.rekognition, flow.clock, seconds_left))


def make_flow(chosen: Settings, made: Clients, clock: Clock) -> Flow:
    """Return the flow for these settings."""
    records = Records(made.dynamodb, chosen.table, chosen.record_seconds, "video")
    return Flow(
        s3=made.s3,
        rekognition=made.rekognition,
        records=records,
        conclusion=Conclusion(made.s3, made.events, records, chosen.fingerprint, chosen.bus),
        settings=chosen,
        clock=clock,
    )


@cache
def _flow() -> Flow:
    return make_flow(settings.current(), CLIENTS, Clock())


def _told(error: Exception) -> Exception:
    """The error as the state machine knows it."""
    if isinstance(error, Malformed):
        return error
    kind = errors.kind_of(error)
    text = errors.text_of(error, keep_names=False)
    if kind == "denied":
        return Denied(text)
    if kind in ("transient", "ambiguous", "waiting"):
        return Transient(text)
    return Failed(text)


def _report(log: Log, step: Step) -> None:
    if step.record is None:
        _report_wait(log, step)
        return
    record = step.record
    log = log.bind(**logs.object_fields(record["bucket"], record["key"], record["version_id"]))
    decision = record["decision"]
    codes = [each["code"] for each in record["reasons"] if "code" in each]
    if step.state["outcome"] == "repeated":
        log.info("nothing left to do for this video", {REPEATED: 1}, decision=decision)
        return
    metrics = {METRICS[decision]: 1, MINUTES: step.minutes}
    if codes and decision != "unusable":
        metrics[PARTIAL] = 1
    log.info("video analysed", metrics, decision=decision, codes=codes)


def _report_wait(log: Log, step: Step) -> None:
    state = step.state
    if step.waiting:
        milliseconds = round(step.age * 1000)
        log.info("jobs wait for their turn", {WAIT: milliseconds}, missing=list(step.waiting))
    elif state["next"] == "end":
        log.info("another execution is at this video", {REPEATED: 1}, reason=state["outcome"])
    else:
        log.write("DEBUG", "step done", reason=state["next"])


def _report_failure(log: Log, error: Exception, told: Exception) -> None:
    metric = FAILED
    if isinstance(told, (Denied, Transient)):
        metric = DENIED if isinstance(told, Denied) else RETRIED
    fields = {
        "kind": type(told).__name__.lower(),
        "error": errors.code_of(error),
        "reason": str(told),
    }
    if metric == RETRIED:
        log.warning("step will be tried again", {metric: 1}, **fields)
    else:
        log.error("step failed", {metric: 1}, **fields, where=errors.places_of(error))
