"""Data capture: what an endpoint was asked and what it answered, as JSON Lines in S3.

("Capture data from real-time endpoint", Amazon SageMaker Developer Guide.) AWS writes a file every
few minutes; here one is written within a second or two.
"""

import base64
import json
import logging
import random
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.serving.model_server import Answer

FLUSH_SECONDS = 1.0
MOST_LINES = 500
logger = logging.getLogger("rehearsal")
CSV_TYPES = ("text/csv",)
JSON_TYPES = ("application/json",)


class Capture:
    """Collects an endpoint's records and writes them in its model's name.

    Args:
        context: SageMaker's.
        endpoint: its name.
    """

    def __init__(self, context: Context, endpoint: str) -> None:
        self._context = context
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str, str], list[str]] = {}
        self._timer: threading.Timer | None = None

    def take(
        self,
        settings: Mapping[str, Any],
        variant: str,
        role_arn: str,
        request: tuple[bytes, str, str],
        answer: Answer,
    ) -> None:
        """Keep one request with its answer, if the settings and the dice say so.

        Args:
            settings: DataCaptureConfig.
            variant: that answered.
            role_arn: in whose name to write.
            request: body, content type, inference id.
            answer: of the container.
        """
        if not settings.get("EnableCapture"):
            return
        if random.uniform(0, 100) >= float(settings["InitialSamplingPercentage"]):
            return
        line = json.dumps(_record(settings, request, answer), separators=(",", ":"))
        key = (str(settings["DestinationS3Uri"]), variant, role_arn)
        with self._lock:
            lines = self._waiting.setdefault(key, [])
            lines.append(line)
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()
            full = len(lines) >= MOST_LINES
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        for (destination, variant, role), lines in waiting.items():
            self._write(destination, variant, role, lines)

    def _write(self, destination: str, variant: str, role: str, lines: list[str]) -> None:
        now = datetime.now(UTC)
        name = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid4()}.jsonl"
        place = Location.of(destination).below(self._endpoint, variant, f"{now:%Y/%m/%d/%H}", name)
        body = ("\n".join(lines) + "\n").encode()
        try:
            self._context.client("s3", role).put_object(
                Bucket=place.bucket, Key=place.key, Body=body
            )
        except Exception as error:
            # AWS says so in the endpoint's log; no request fails for it.
            logger.warning("captured data of %s could not be written: %s", self._endpoint, error)


def _record(
    settings: Mapping[str, Any], request: tuple[bytes, str, str], answer: Answer
) -> dict[str, Any]:
    body, content_type, inference_id = request
    modes = {option["CaptureMode"] for option in settings["CaptureOptions"]}
    headers = settings.get("CaptureContentTypeHeader", {})
    captured: dict[str, Any] = {}
    if modes & {"Input", "InputAndOutput"}:
        captured["endpointInput"] = _side(headers, content_type, "INPUT", body)
    if modes & {"Output", "InputAndOutput"}:
        captured["endpointOutput"] = _side(headers, answer.content_type, "OUTPUT", answer.body)
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = {"eventId": str(uuid4()), "inferenceTime": moment}
    if inference_id:
        metadata["inferenceId"] = inference_id
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


def _side(headers: Mapping[str, Any], kind: str, mode: str, body: bytes) -> dict[str, str]:
    """One half of a record: as text where its type is CSV or JSON, else as base64."""
    bare = kind.split(";")[0].strip().lower()
    encoding = "BASE64"
    if bare in headers.get("CsvContentTypes", CSV_TYPES):
        encoding = "CSV"
    elif bare in headers.get("JsonContentTypes", JSON_TYPES):
        encoding = "JSON"
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}
