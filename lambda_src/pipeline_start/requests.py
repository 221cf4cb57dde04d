"""What a queue message asks for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pipeline_start.settings import Settings
from shared import s3_events
from shared.s3_events import Malformed


@dataclass(frozen=True)
class Request:
    """A run of the pipeline that a message asks for.

    reason: why. failed_before: whether it is the second try of a start that failed.
    """

    reason: str
    failed_before: bool = False


def read(body: str, settings: Settings) -> Request | None:
    """Return the run that a message asks for; None if it asks for none.

    A message is an event of EventBridge, or what a schedule of ours left in the dead-letter
    queue when it could not start the pipeline and which was sent back to work.

    Raises Malformed for anything else.
    """
    if _is_undelivered(body, settings):
        return Request("a start that had failed", failed_before=True)
    if settings.mode == "data":
        return _about_data(body)
    return _about_event(body, settings)


def _is_undelivered(body: str, settings: Settings) -> bool:
    told = _object(body)
    return "ClientRequestToken" in told and told.get("PipelineName") == settings.pipeline


def _about_data(body: str) -> Request | None:
    found = s3_events.parse(body)
    # The console's "create folder" makes an object whose key ends so; it is no data.
    return None if found.key.endswith("/") else Request("new data")


def _about_event(body: str, settings: Settings) -> Request:
    told = _object(body)
    detail = told.get("detail")
    model = cast("dict[str, Any]", detail).get("model") if isinstance(detail, dict) else None
    got = {"source": told.get("source"), "detail-type": told.get("detail-type"), "model": model}
    if got != dict(settings.event):
        raise Malformed(f"the message is the event {got}, not {dict(settings.event)}")
    return Request("a request to retrain")


def _object(body: str) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    # RecursionError: a body of nested brackets only.
    except (ValueError, RecursionError) as error:
        raise Malformed("the message body is not JSON") from error
    if not isinstance(told, dict):
        raise Malformed(f"the message body is JSON but no object: {type(told).__name__}")
    return cast("dict[str, Any]", told)
