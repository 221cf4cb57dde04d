"""The application, its service table, its reset and its workers."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from rehearsal.ministack_adapter.modules import app as _app
from rehearsal.ministack_adapter.modules import iam_actions, lambda_runtime, router, tagging

Handler = Callable[
    [str, str, dict[str, str], bytes, dict[str, list[str]]],
    Awaitable[tuple[int, dict[str, str], bytes]],
]
Asgi = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
_at_end: list[Callable[[], None]] = []
HTTPS = (b"x-forwarded-proto", b"https")


async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """MiniStack's ASGI application, as if TLS ended in front of it.

    Bucket policies that deny plain HTTP (aws:SecureTransport) would otherwise refuse everything:
    the loopback port speaks HTTP. A request that says itself how it came is left as it is, so a
    test can show the denial with `x-forwarded-proto: http`.
    """
    if scope["type"] == "http":
        headers = list(scope["headers"])
        if not any(name == HTTPS[0] for name, _ in headers):
            scope = {**scope, "headers": [*headers, HTTPS]}
    await _app.app(scope, receive, send)


class _Service:
    """What MiniStack expects of a service module."""

    def __init__(self, handle: Handler, reset: Callable[[], None]) -> None:
        self.handle_request = handle
        self.reset = reset

    def get_state(self) -> None:
        """Nothing is kept over a restart."""

    def load_persisted_state(self, data: object) -> None:
        """Nothing is kept over a restart."""


def register_service(
    name: str, target_prefix: str, handle: Handler, reset: Callable[[], None]
) -> None:
    """Add a JSON service: routing by X-Amz-Target, IAM under its own name, reset with the others.

    Args:
        name: credential scope, IAM prefix and botocore's name, all one (rekognition, sagemaker).
        target_prefix: what X-Amz-Target starts with, for example RekognitionService.
        handle: the coroutine that answers a request.
        reset: forgets everything; may be called from another thread.
    """
    module = f"rehearsal_{name}"
    _app.SERVICE_REGISTRY[name] = {"module": module}
    _app._loaded_modules[module] = _Service(handle, reset)
    _app.SERVICE_HANDLERS[name] = _app._lazy_handler(module)
    router.SERVICE_PATTERNS[name] = {
        "target_prefixes": [target_prefix],
        "host_patterns": [rf"{name}\."],
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = name


async def reset_everything() -> None:
    """Forget all state of all services, kill the Lambda workers; requests meanwhile wait."""
    async with _app._get_reset_lock():
        await asyncio.to_thread(_app._reset_all_state)


def at_end(action: Callable[[], None]) -> None:
    """Call something when the server ends, before its run folder is removed."""
    _at_end.append(action)


def kill_workers() -> None:
    """End what at_end named, and every Lambda worker: SIGTERM, then SIGKILL after MiniStack's two
    seconds of grace."""
    for action in _at_end:
        action()
    lambda_runtime.reset()


def register_tags(service: str, tagged: Callable[[], Sequence[tuple[str, dict[str, str]]]]) -> None:
    """Let `aws:ResourceTag` conditions see the tags of a service's resources.

    Args:
        service: as in its ARNs.
        tagged: gives (ARN, tags) of every resource.
    """

    def collect() -> list[tuple[str, list[dict[str, str]]]]:
        return [
            (arn, [{"Key": key, "Value": value} for key, value in tags.items()])
            for arn, tags in tagged()
        ]

    tagging._RESOURCE_TAG_COLLECTORS[service] = collect
