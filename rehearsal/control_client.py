"""The client's side of the control API (control.py)."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from rehearsal.answers import Answers, check_answers, digest
from rehearsal.errors import RehearsalError, require_loopback
from rehearsal.stored_videos import JOB_SECONDS, JOBS_AT_ONCE


class ControlClient:
    """Sends one control request at a time over a loopback connection of its own.

    Args:
        endpoint: of the server.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(require_loopback(endpoint))
        self._host = "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)
        self._port = parts.port or 80

    def call(self, method: str, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return the answer; RehearsalError if it is refused or unreachable."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        try:
            content = json.dumps(body or {}).encode()
            connection.request(
                method, f"/_rehearsal/{route}", content if method == "POST" else None
            )
            response = connection.getresponse()
            answer = cast("dict[str, Any]", json.loads(response.read() or b"{}"))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise RehearsalError(
                f"no rehearsal answers on 127.0.0.1:{self._port} ({error})"
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise RehearsalError(str(answer.get("error", answer)))
        return answer


@dataclass(frozen=True)
class Usage:
    """How the calls of one operation ended.

    Attributes:
        counts: by outcome: `ok`, `throttled` (by the quota) or an error's code.
        first: epoch seconds of the first call that ended so.
        last: epoch seconds of the last.
    """

    counts: dict[str, int]
    first: dict[str, float]
    last: dict[str, float]

    def rate(self, outcome: str = "ok") -> float:
        """Calls a second between the first and the last with this outcome; 0 for fewer than two."""
        count = self.counts.get(outcome, 0)
        seconds = self.last.get(outcome, 0.0) - self.first.get(outcome, 0.0)
        return (count - 1) / seconds if count > 1 and seconds > 0 else 0.0


class ServiceControl:
    """What a test can do to a stand-in service of the embedded AWS.

    Args:
        client: of the control API.
        service: its name there, for example rekognition.
    """

    def __init__(self, client: ControlClient, service: str) -> None:
        self._client = client
        self._service = service

    def fail(self, operation: str, error: str | int, times: int | None = None) -> None:
        """Let an operation fail.

        Args:
            operation: for example DetectModerationLabels.
            error: an error documented for it, or 500, 502, 503, 504 for a bare HTTP failure.
            times: so many calls; None until heal() or clear().
        """
        self._post("fail", operation=operation, error=error, times=times)

    def heal(self, operation: str) -> None:
        """Take back every error of an operation."""
        self._post("heal", operation=operation)

    def latency(self, operation: str, seconds: float) -> None:
        """Let each call of an operation take so many seconds (0 to 900)."""
        self._post("latency", operation=operation, seconds=seconds)

    def quota(self, operation: str, per_second: float | None) -> None:
        """Throttle an operation above so many calls a second (burst: one second); None: never."""
        self._post("quota", operation=operation, per_second=per_second)

    def usage(self) -> dict[str, Usage]:
        """How the calls of each operation ended, with times."""
        answer = self._client.call("GET", f"{self._service}/calls")
        return {name: Usage(**tally) for name, tally in answer.items()}

    def calls(self) -> dict[str, dict[str, int]]:
        """How many calls of each operation ended how: {operation: {"ok": 3, "throttled": 1}}."""
        return {name: usage.counts for name, usage in self.usage().items()}

    def clear(self) -> None:
        """Forget scripted answers, errors, latency, quotas and counts."""
        self._post("clear")

    def _post(self, action: str, **body: Any) -> dict[str, Any]:
        return self._client.call("POST", f"{self._service}/{action}", body)


class RekognitionControl(ServiceControl):
    """What a test can do to the Rekognition of the embedded AWS."""

    def __init__(self, client: ControlClient) -> None:
        super().__init__(client, "rekognition")

    def script(self, image: bytes, answers: Answers) -> str:
        """Say what Rekognition answers about an image.

        Args:
            image: the bytes of the file.
            answers: {operation: output}, each checked against botocore's output shape.

        Returns:
            the image's SHA-256, by which the answer is found.
        """
        return self.script_digest(digest(image), answers)

    def script_digest(self, sha256: str, answers: Answers) -> str:
        """The same by digest; for CompareFaces the two digests joined by `+`."""
        check_answers(answers, "script")
        self._post("script", sha256=sha256, answers=answers)
        return sha256

    def jobs(self, *, at_once: int = JOBS_AT_ONCE, seconds: float = JOB_SECONDS) -> None:
        """Say how many stored-video jobs may run at once, and how long each takes.

        Args:
            at_once: from 0; beyond it a start is refused with LimitExceededException.
            seconds: 0 to 900, from now on.
        """
        self._post("jobs", at_once=at_once, seconds=seconds)

    def fail_job(self, operation: str, message: str, times: int = 1) -> None:
        """Let the next stored-video jobs end FAILED.

        Args:
            operation: that starts them, for example StartLabelDetection.
            message: their StatusMessage.
            times: so many jobs.
        """
        self._post("fail_job", operation=operation, message=message, times=times)

    def script_training(
        self,
        manifest: bytes,
        *,
        f1: float = 0.0,
        recalls: Mapping[str, float] | None = None,
        failure: str = "",
    ) -> None:
        """Say what a training of a Custom Labels model on a manifest comes to.

        Args:
            manifest: the training manifest.
            f1: the F1 score over all labels.
            recalls: the recall of each label.
            failure: why it fails; empty: it does not.
        """
        figures = {"f1": f1, "recalls": dict(recalls or {}), "failure": failure}
        self._post("training", sha256=digest(manifest), **figures)

    def model_times(self, *, training: float = 0.5, start: float = 0.5, stop: float = 0.2) -> None:
        """Set the seconds that a training, a start and a stop of Custom Labels models take."""
        self._post("model-times", training=training, start=start, stop=stop)
