"""What the embedded SageMaker's modules may use: tables, other services, threads, a folder.

Everything that a job or a pipeline does in somebody's name goes by boto3 through this very server
(`client(service, role_arn)`), so that its policies, keys and shapes count as on AWS. Only what AWS
itself does inside SageMaker goes past IAM: events, metrics and log lines (`platform`).
"""

import contextvars
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from rehearsal.aws_json import Call, ServiceError
from rehearsal.controls import Controls
from rehearsal.sagemaker.tables import Resource, Tables

SERVICE = "sagemaker.amazonaws.com"
logger = logging.getLogger("rehearsal")
Credentials = tuple[str, str, str | None]
T = TypeVar("T")


class Caller(Protocol):
    """Who sent a request (the adapter's Caller)."""

    @property
    def region(self) -> str:
        """The Region that the request was signed for."""
        ...

    def pass_role_refusal(self, role_arn: str, service: str) -> str | None:
        """Why the caller may not pass this role to a service, in AWS's words; None if it may."""
        ...


class Platform(Protocol):
    """What the server does for SageMaker itself (the adapter's functions)."""

    def caller(self, headers: dict[str, str], query: dict[str, list[str]]) -> Caller:
        """Who sent a request."""
        ...

    def role_trusts(self, role_arn: str, service: str, source_arn: str) -> bool:
        """Whether the role exists and its trust policy lets the service assume it."""
        ...

    def role_credentials(self, role_arn: str, session: str) -> Credentials:
        """Access key, secret key and session token of the role."""
        ...

    def role_may(self, role_arn: str, action: str, resource_arn: str, **context: str) -> bool:
        """Whether a role may do something; condition keys by name, `:` written as `__`."""
        ...

    def put_event(self, detail_type: str, detail: str, resources: Sequence[str]) -> None:
        """Put an event with source aws.sagemaker onto the account's default bus."""
        ...

    def put_log(self, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Write lines (epoch milliseconds, text), making group and stream if they are absent."""
        ...

    def has_log_group(self, group: str) -> bool:
        """Whether a log group exists."""
        ...

    def put_metric(
        self, namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]
    ) -> None:
        """Record one value of a metric."""
        ...


class Context:
    """Made once in the server.

    Args:
        region, account: that the service stands for.
        endpoint: of this very server.
        run_folder: SageMaker's own folder in the server's run folder; jobs live below it.
        platform: the adapter.

    Attributes:
        tables: of all resources.
        controls: faults, latency, quota and counts by operation.
    """

    def __init__(
        self, region: str, account: str, endpoint: str, run_folder: Path, platform: Platform
    ) -> None:
        self.region = region
        self.account = account
        self.endpoint = endpoint
        self.run_folder = run_folder
        self.platform = platform
        self.tables = Tables()
        self.controls = Controls()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._clients_lock = threading.Lock()
        self._at_reset: list[Callable[[], None]] = []
        self._at_clear: list[Callable[[], None]] = []
        self._ones: dict[type[Any], Any] = {}
        self.generation = 0  # counts resets: a thread that outlives one can tell

    def one(self, kind: Callable[["Context"], T]) -> T:
        """The one object of a class that several modules share, made as kind(context) when first
        asked for: context.one(Jobs)."""
        key = cast("type[Any]", kind)
        with self.tables.lock:
            if key not in self._ones:
                self._ones[key] = kind(self)
            return self._ones[key]

    # --- names -----------------------------------------------------------------------------------

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource, for example arn("training-job", "a")."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name}"

    # --- callers and roles -----------------------------------------------------------------------

    def caller(self, call: Call) -> Caller:
        """Who sent a request."""
        return self.platform.caller(call.headers, call.query)

    def check_role(self, call: Call, role_arn: str, source_arn: str) -> None:
        """Refuse a role that the caller may not pass, or that SageMaker may not assume.

        Args:
            call: the request that names the role.
            role_arn: the role.
            source_arn: the resource to be made, for `aws:SourceArn` in the trust policy.
        """
        refusal = self.caller(call).pass_role_refusal(role_arn, SERVICE)
        if refusal:
            raise ServiceError("AccessDeniedException", refusal)
        if not self.platform.role_trusts(role_arn, SERVICE, source_arn):
            raise ServiceError(
                "ValidationException",
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
                f"principal '{SERVICE}' to assume the role.",
            )

    def role_may(self, role_arn: str, action: str, resource_arn: str, **context: str) -> bool:
        """Whether a role may do what SageMaker does in its name (see Platform.role_may)."""
        return self.platform.role_may(role_arn, action, resource_arn, **context)

    def credentials(self, role_arn: str) -> Credentials:
        """What a job's process gets to act as its role."""
        return self.platform.role_credentials(role_arn, "SageMaker")

    # --- other services --------------------------------------------------------------------------

    def client(self, service: str, role_arn: str | None = None) -> Any:
        """A boto3 client of this very server, as the account's root user or as a role.

        Made once for each service and role; safe to use from several threads. Call it from a
        thread only (every handler runs in one), never from the event loop.
        """
        key = (service, role_arn)
        with self._clients_lock:
            if key not in self._clients:
                from rehearsal.sagemaker.clients import make_client

                credentials = self.credentials(role_arn) if role_arn else None
                self._clients[key] = make_client(service, self.endpoint, self.region, credentials)
            return self._clients[key]

    def emit(self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]) -> None:
        """Put an event with source aws.sagemaker onto the default bus.

        ("Events Amazon SageMaker sends to Amazon EventBridge", Amazon SageMaker Developer Guide.)
        """
        try:
            self.platform.put_event(detail_type, json.dumps(detail), resources)
        except Exception:
            logger.exception("a SageMaker event could not be put: %s", detail_type)

    def log(self, group: str, stream: str, line: str) -> None:
        """Write one line to CloudWatch Logs, now."""
        from rehearsal.sagemaker.tables import now

        self.platform.put_log(group, stream, [(int(now() * 1000), line)])

    def metric(
        self,
        namespace: str,
        name: str,
        value: float,
        unit: str = "None",
        dimensions: Mapping[str, str] | None = None,
    ) -> None:
        """Record one value in CloudWatch."""
        self.platform.put_metric(namespace, name, value, unit, dict(dimensions or {}))

    # --- work that goes on -----------------------------------------------------------------------

    def start(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Do something in a daemon thread of its own; an exception is logged, not lost.

        After a reset `context.generation` is another number and the tables are empty: the work
        should end, and whatever it still writes is refused by its table.
        """

        def run() -> None:
            generation = self.generation
            try:
                work()
            except Exception:
                if generation == self.generation:
                    logger.exception("SageMaker: %s failed", name)

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(run,), name=name, daemon=True)
        thread.start()
        return thread

    def at_reset(self, action: Callable[[], None]) -> None:
        """Call something at each reset and at the server's end, before the tables are emptied."""
        self._at_reset.append(action)

    def at_clear(self, action: Callable[[], None]) -> None:
        """Call something when the control API's `clear` takes back all that it has done."""
        self._at_clear.append(action)

    def clear(self) -> None:
        """Take back what the control API has done; resources and jobs stay."""
        self.controls.clear()
        for action in self._at_clear:
            action()

    def stop(self) -> None:
        """End everything that runs; called at a reset and at the server's end."""
        self.generation += 1
        for action in self._at_reset:
            try:
                action()
            except Exception:
                logger.exception("SageMaker: something could not be ended")

    def reset(self) -> None:
        """End everything that runs and forget all resources, controls and clients."""
        self.stop()
        self.tables.clear()
        self.clear()
        with self._clients_lock:
            self._clients.clear()


def name_of(name_or_arn: str) -> str:
    """The name in an ARN (`…:pipeline/a` → `a`), or the name itself."""
    match = re.fullmatch(r"arn:[^:]*:sagemaker:[^:]*:[^:]*:[^/]+/(.+)", name_or_arn)
    return match[1] if match else name_or_arn


def times(resource: Resource) -> dict[str, float]:
    """CreationTime and LastModifiedTime, as every Describe answers them."""
    return {"CreationTime": resource.created, "LastModifiedTime": resource.modified}
