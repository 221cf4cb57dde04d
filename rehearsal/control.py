"""The control API: what a test, a bench or the demo may do to the embedded AWS itself.

`GET /_rehearsal/status`, `POST /_rehearsal/reset`, and for each stand-in service under
`/_rehearsal/<service>/`: `fail`, `heal`, `latency`, `quota`, `clear` (POST) and `calls` (GET), and
what is its own (`rekognition/script`, `sagemaker/interrupt`). JSON in and out. Browsers are kept
out: a page of any site could otherwise reach a loopback port.
"""

import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from rehearsal.answers import check_answers
from rehearsal.controls import Controls, error_status
from rehearsal.custom_labels.service import CustomLabels
from rehearsal.custom_labels.versions import Script, Times
from rehearsal.errors import RehearsalError, is_loopback
from rehearsal.recorded_types import Recorder
from rehearsal.rekognition import Rekognition
from rehearsal.sagemaker.service import SageMaker
from rehearsal.service_model import ServiceModel
from rehearsal.stored_videos import OPERATIONS

PREFIX = "/_rehearsal/"
Body = dict[str, Any]
Routes = dict[tuple[str, str], Callable[[Body], Any]]


class Control:
    """An ASGI application.

    Args:
        rekognition, models, sagemaker: the stand-in services; models: Custom Labels'.
        recorder: the resources that were written down only.
        reset: forgets the state of every service.
        levers: what can be set to a number, by route: waits, periods, schedules.
    """

    def __init__(
        self,
        rekognition: Rekognition,
        models: CustomLabels,
        sagemaker: SageMaker,
        recorder: Recorder,
        reset: Callable[[], Awaitable[None]],
        levers: Mapping[str, Callable[[float], None]],
    ) -> None:
        self._rekognition = rekognition
        self._recorder = recorder
        self._reset = reset
        self._started = time.time()
        self._routes: Routes = {
            ("GET", "status"): self._status,
            ("POST", "rekognition/script"): self._script,
            ("POST", "rekognition/clear"): lambda b: rekognition.reset(),
            ("POST", "rekognition/jobs"): self._jobs,
            ("POST", "rekognition/fail_job"): self._fail_job,
            ("POST", "rekognition/training"): lambda b: _training(models, b),
            ("POST", "rekognition/model-times"): lambda b: _model_times(models, b),
            ("POST", "sagemaker/clear"): lambda b: sagemaker.context.clear(),
            **{("POST", route): _pull(lever) for route, lever in levers.items()},
            **_common(rekognition.service.model, rekognition.controls),
            **_common(sagemaker.service.model, sagemaker.controls),
            **{("POST", f"sagemaker/{name}"): do for name, do in sagemaker.actions.items()},
        }

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        body = await _body(receive)
        if _foreign(scope):
            return await _reply(send, 403, {"error": "only for programs on this machine"})
        route = scope["path"].removeprefix(PREFIX).rstrip("/")
        try:
            if (scope["method"], route) == ("POST", "reset"):
                await self._forget()
                return await _reply(send, 200, {})
            action = self._routes[(scope["method"], route)]
        except KeyError:
            return await _reply(send, 404, {"error": f"no such control: {scope['method']} {route}"})
        try:
            given = cast("Body", json.loads(body or b"{}"))
            await _reply(send, 200, action(given))
        except KeyError as error:
            await _reply(send, 400, {"error": f"{route}: {error} is missing"})
        except (ValueError, TypeError, RehearsalError) as error:
            await _reply(send, 400, {"error": f"{route}: {error}"})

    async def _forget(self) -> None:
        await self._reset()
        self._recorder.reset()

    def _status(self, body: Body) -> Body:
        return {
            "pid": os.getpid(),
            "folder": str(Path.cwd()),
            "started": self._started,
            "ministack": version("ministack"),
            "recorded_only": [asdict(r) for r in self._recorder.resources.values()],
            "unusable_answer_files": self._rekognition.answers.errors,
        }

    def _script(self, body: Body) -> None:
        answers = check_answers(body["answers"], "script")
        self._rekognition.answers.give(str(body["sha256"]), answers)

    def _jobs(self, body: Body) -> None:
        levers, at_once, seconds = self._rekognition.videos.levers, body["at_once"], body["seconds"]
        if not isinstance(at_once, int) or at_once < 0:
            raise ValueError(f"at_once is a whole number from 0, given {at_once!r}")
        if not 0 <= float(seconds) <= 900:
            raise ValueError(f"seconds is 0 to 900, given {seconds}")
        levers.at_once, levers.seconds = at_once, float(seconds)

    def _fail_job(self, body: Body) -> None:
        name, times = str(body["operation"]), int(body["times"])
        if name not in OPERATIONS:
            allowed = ", ".join(sorted(OPERATIONS))
            raise ValueError(f"{name!r} starts no job on a video; allowed are {allowed}")
        failures = self._rekognition.videos.levers.failures
        failures.setdefault(name, []).extend([str(body["message"])] * times)


def _training(models: CustomLabels, body: Body) -> None:
    recalls = {str(label): float(recall) for label, recall in body["recalls"].items()}
    script = Script(float(body["f1"]), recalls, str(body["failure"]))
    models.script(str(body["sha256"]), script)


def _model_times(models: CustomLabels, body: Body) -> None:
    models.times = Times(*(float(body[name]) for name in ("training", "start", "stop")))


def _pull(lever: Callable[[float], None]) -> Callable[[Body], Any]:
    return lambda body: lever(float(body["value"]))


def _common(model: ServiceModel, controls: Controls) -> Routes:
    """What can be done to any service by operation."""

    def operation(body: Body) -> str:
        name = str(body["operation"])
        if name not in model.operations:
            raise ValueError(f"{model.name} has no operation {name!r}")
        return name

    def fail(body: Body) -> None:
        name = operation(body)
        code, status = error_status(body["error"], model.errors(name))
        times = body.get("times")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError(f"times is a whole number from 1, or null: given {times!r}")
        controls.fail(name, code, status, times)

    def latency(body: Body) -> None:
        seconds = float(body["seconds"])
        if not 0 <= seconds <= 900:
            raise ValueError(f"seconds is 0 to 900, given {seconds}")
        controls.latency(operation(body), seconds)

    def quota(body: Body) -> None:
        rate = body["per_second"]
        controls.quota(operation(body), None if rate is None else float(rate))

    return {
        ("POST", f"{model.name}/fail"): fail,
        ("POST", f"{model.name}/heal"): lambda body: controls.heal(operation(body)),
        ("POST", f"{model.name}/latency"): latency,
        ("POST", f"{model.name}/quota"): quota,
        ("GET", f"{model.name}/calls"): lambda body: controls.calls(),
    }


def _foreign(scope: MutableMapping[str, Any]) -> bool:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "").rsplit(":", 1)[0]
    return "origin" in headers or not is_loopback(host)


async def _body(receive: Any) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _reply(send: Any, status: int, value: Any) -> None:
    content = json.dumps({} if value is None else value).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
