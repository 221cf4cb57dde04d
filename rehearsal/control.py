"""The control API: what a test, a bench or the demo may do to the embedded AWS itself.

`GET /_rehearsal/status`, `POST /_rehearsal/reset`, and under `/_rehearsal/rekognition/`:
`script`, `fail`, `heal`, `latency`, `quota`, `clear` (POST) and `calls` (GET). JSON in and out.
Browsers are kept out: a page of any site could otherwise reach a loopback port.
"""

import json
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from rehearsal.answers import check_answers
from rehearsal.controls import error_status
from rehearsal.errors import RehearsalError, is_loopback
from rehearsal.recorded_types import Recorder
from rehearsal.rekognition import Rekognition

PREFIX = "/_rehearsal/"
Body = dict[str, Any]


class Control:
    """An ASGI application.

    Args:
        rekognition: the stand-in service.
        recorder: the resources that were written down only.
        reset: forgets the state of every service.
    """

    def __init__(
        self, rekognition: Rekognition, recorder: Recorder, reset: Callable[[], Awaitable[None]]
    ) -> None:
        self._rekognition = rekognition
        self._recorder = recorder
        self._reset = reset
        self._started = time.time()
        self._routes: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", "status"): self._status,
            ("POST", "rekognition/script"): self._script,
            ("POST", "rekognition/fail"): self._fail,
            ("POST", "rekognition/heal"): lambda b: rekognition.controls.heal(b["operation"]),
            ("POST", "rekognition/latency"): self._latency,
            ("POST", "rekognition/quota"): self._quota,
            ("POST", "rekognition/clear"): lambda b: rekognition.reset(),
            ("GET", "rekognition/calls"): lambda b: rekognition.controls.calls(),
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

    def _operation(self, body: Body) -> str:
        name = str(body["operation"])
        if name not in self._rekognition.service.model.operations:
            raise ValueError(f"Rekognition has no operation {name!r}")
        return name

    def _fail(self, body: Body) -> None:
        name = self._operation(body)
        documented = self._rekognition.service.model.errors(name)
        code, status = error_status(body["error"], documented)
        times = body.get("times")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError(f"times is a whole number from 1, or null: given {times!r}")
        self._rekognition.controls.fail(name, code, status, times)

    def _latency(self, body: Body) -> None:
        seconds = float(body["seconds"])
        if not 0 <= seconds <= 900:
            raise ValueError(f"seconds is 0 to 900, given {seconds}")
        self._rekognition.controls.latency(self._operation(body), seconds)

    def _quota(self, body: Body) -> None:
        rate = body["per_second"]
        self._rekognition.controls.quota(
            self._operation(body), None if rate is None else float(rate)
        )


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
