"""The service: a registry of operations that modules fill, behind AWS's JSON protocol.

A module joins by a function `operations(context) -> {operation name: handler}` and one line in
MODULES; it may have another, `actions(context) -> {name: action}`, for the control API (an action
takes the request's JSON and raises ValueError for what is wrong with it).

A handler takes the decoded, valid call (aws_json.Call: `.operation`, `.parameters`) and returns the
operation's output, or raises aws_json.ServiceError with AWS's own code and text. It runs in a
thread, so it may call other services (`context.client`), and it returns soon: what goes on is
started by `context.start`. IAM has let the caller in already; what the operation does beyond its
own name (iam:PassRole) the handler checks (`context.check_role`).

An operation that nobody has registered is refused in plain words, never answered by chance.
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, TypeVar

from rehearsal.aws_json import (
    NOT_REHEARSED,
    Call,
    JsonService,
    Response,
    ServiceError,
    not_rehearsed,
)
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.endpoints import runtime

T = TypeVar("T")
Handler = Callable[[Call], Mapping[str, Any]]
Registry = dict[str, Handler]
Action = Callable[[dict[str, Any]], Any]

MODULES: tuple[str, ...] = (
    "rehearsal.sagemaker.endpoints.operations",
    "rehearsal.sagemaker.tags",
    "rehearsal.sagemaker.injections",
    "rehearsal.sagemaker.processing",
    "rehearsal.sagemaker.training",
    "rehearsal.sagemaker.tuning",
    "rehearsal.sagemaker.transform",
    "rehearsal.sagemaker.automl",
    "rehearsal.sagemaker.mlflow",
    "rehearsal.sagemaker.registry",
    "rehearsal.sagemaker.models",
    "rehearsal.sagemaker.model_cards",
    "rehearsal.sagemaker.notebook_parts",
    "rehearsal.sagemaker.notebooks",
    "rehearsal.sagemaker.pipelines.operations",
)
THREADS = 256  # a handler may wait for another handler: never a small pool


class SageMaker:
    """The service.

    Args:
        context: what its modules use.
        modules: import paths of the modules to join.
    """

    def __init__(self, context: Context, modules: tuple[str, ...] = MODULES) -> None:
        self.context = context
        self.controls = context.controls
        self.service = JsonService(
            "sagemaker", self._answer, self.controls.admit, self.controls.record
        )
        self._threads = ThreadPoolExecutor(THREADS, "sagemaker")
        self.operations: Registry = {}
        # What the control API can do beyond `fail` and the like: POST /_rehearsal/sagemaker/<name>.
        self.actions: dict[str, Action] = {}
        for module in map(import_module, modules):
            self.join(getattr(module, "operations", _none)(context))
            self.actions.update(getattr(module, "actions", _none)(context))

    def join(self, registry: Registry) -> None:
        """Add operations, each one of SageMaker's and none twice."""
        for name, handler in registry.items():
            if name not in self.service.model.operations:
                raise ValueError(f"SageMaker has no operation {name!r}")
            if name in self.operations:
                raise ValueError(f"two modules answer {name}")
            self.operations[name] = handler

    def reset(self) -> None:
        """End everything that runs and forget all."""
        self.context.reset()

    async def handle(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
    ) -> Response:
        """Answer one HTTP request: an invocation of an endpoint, or a JSON operation."""
        endpoint = runtime.endpoint_of(method, path)
        if endpoint is None:
            return await self.service.handle(method, path, headers, body, query)
        return await self._in_thread(runtime.invoke, self.context, endpoint, headers, body)

    async def _answer(self, call: Call) -> Mapping[str, Any]:
        handler = self.operations.get(call.operation)
        if handler is None:
            raise not_rehearsed("sagemaker", call.operation, self.operations)
        region = self.context.caller(call).region
        if region != self.context.region:
            raise ServiceError(
                NOT_REHEARSED,
                f"the rehearsal's SageMaker is in {self.context.region} only; the request was "
                f"signed for {region}",
            )
        return await self._in_thread(handler, call)

    async def _in_thread(self, work: Callable[..., T], *given: Any) -> T:
        here = contextvars.copy_context()  # account and Region of the request

        def run() -> T:
            return here.run(work, *given)

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)


def _none(context: Context) -> dict[str, Any]:
    return {}
