"""Lambda: workers that log and fail as Lambda's do, metrics, and the event source's permissions."""

import contextvars
import json
import logging
import os
import queue
import re
import time
from itertools import product
from typing import Any, cast

from rehearsal.ministack_adapter import iam
from rehearsal.ministack_adapter.modules import cloudwatch, lambda_runtime, lambda_svc, sqs

END_OF_INVOCATION = "\x1eend of invocation\x1e"  # as in worker_site/sitecustomize.py
DRAIN_SECONDS = 5.0  # only for a mark that does not come: its lines would be lost on a busy machine
DRAIN_POLL_SECONDS = 0.05
DRAIN_UNMARKED_SECONDS = 0.25
_LAST_LINE = re.compile(r"^([A-Za-z_][\w.]*?)(?::|$)")
_from_queue: contextvars.ContextVar[bool] = contextvars.ContextVar("rehearsal_from_queue")
_told: set[str] = set()
logger = logging.getLogger("rehearsal")


def install() -> None:
    """Wrap the worker, the invocation and the queue poller."""
    _worker_variables()
    lambda_runtime.Worker._drain_stderr_bounded = _drain
    _error_types()
    _metrics()
    _embedded_metrics()
    _poller_permissions()


def _worker_variables() -> None:
    """Reserved variables that MiniStack leaves out ("Defined runtime environment variables")."""
    original = lambda_runtime.Worker.__init__

    def init(self: Any, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        logs: dict[str, str] = config.get("LoggingConfig") or {}
        given: dict[str, Any] = config.get("Environment") or {}
        variables: dict[str, str] = given.get("Variables") or {}
        group = logs.get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', '')}"
        extra = {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            # As AWS_ENDPOINT_URL leads clients of AWS here, this leads clients of MLflow apps.
            "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": f"http://localhost:{os.environ['GATEWAY_PORT']}",
            "TZ": ":UTC",
        }
        if logs.get("LogFormat") == "JSON":
            extra["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
            extra["AWS_LAMBDA_LOG_LEVEL"] = logs.get("ApplicationLogLevel") or "INFO"
        environment = {"Variables": {**variables, **extra}}
        # Layers hold packages for Lambda's own Python and processor. Workers run on this Python,
        # so they take the same packages from its own environment (requirements-dev.txt).
        original(self, func_name, {**config, "Environment": environment, "Layers": []}, code_zip)

    lambda_runtime.Worker.__init__ = init


def _drain(self: Any, *_args: Any, **_kwargs: Any) -> str:
    """The log lines of one invocation: up to the worker's mark, so neither lost nor waited for.

    A worker that has ended wrote none, and its lines end with it; one of another language writes
    none either, so its lines are waited for a fixed while.
    """
    lines: list[str] = []
    marks = str(self.config.get("Runtime", "")).startswith("python")
    deadline = time.monotonic() + (DRAIN_SECONDS if marks else DRAIN_UNMARKED_SECONDS)
    while time.monotonic() < deadline:
        more = self._stderr_thread is not None and self._stderr_thread.is_alive()
        try:
            line = self._stderr_queue.get(timeout=DRAIN_POLL_SECONDS)
        except queue.Empty:
            if more:
                continue
            break
        before, mark, _ = line.partition(END_OF_INVOCATION)
        if before or not mark:
            lines.append(before)
        if mark:
            break
    return "\n".join(lines)


def _error_types() -> None:
    """An unhandled exception's errorType is its class, as Lambda's Python runtime reports it."""
    original = lambda_svc._execute_function_warm

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = original(func, event, request_id)
        if result.get("error") and isinstance(result.get("body"), dict):
            body: dict[str, Any] = result["body"]
            body.setdefault("requestId", request_id)
            match = _LAST_LINE.match(_last_exception(str(result.get("log", ""))))
            if body.get("errorType") == "Runtime.HandlerError" and match:
                body["errorType"] = match[1].rpartition(".")[2]
        return result

    lambda_svc._execute_function_warm = execute


def _last_exception(log: str) -> str:
    """The line of a traceback that names the exception, whose text may have more lines: the first
    after the last frame."""
    lines = log.rstrip().splitlines()
    frames = [at for at, line in enumerate(lines) if line.startswith("  ")]
    after = frames[-1] + 1 if frames else len(lines) - 1
    return lines[after] if 0 <= after < len(lines) else ""


def _metrics() -> None:
    """Invocations, Errors and Duration of event source invocations too, not of Invoke alone."""
    run_batch = lambda_svc._run_sqs_batch
    dispatch = lambda_svc._execute_function_dispatch

    def run(*args: Any) -> None:
        token = _from_queue.set(True)
        try:
            run_batch(*args)
        finally:
            _from_queue.reset(token)

    def counted(func: Any, config: dict[str, Any], *args: Any) -> dict[str, Any]:
        started = time.monotonic()
        result = dispatch(func, config, *args)
        if _from_queue.get(False):
            lambda_svc._emit_lambda_metrics(
                config.get("FunctionName", ""),
                duration_ms=(time.monotonic() - started) * 1000,
                error=bool(result.get("error")),
                throttle=False,
            )
        return result

    lambda_svc._run_sqs_batch = run
    lambda_svc._execute_function_dispatch = counted


def _embedded_metrics() -> None:
    """Metrics in log lines ("Specification: Embedded metric format", CloudWatch User Guide)."""
    original = lambda_svc._emit_lambda_logs

    def emit(func: Any, request_id: str, log_text: str, *args: Any, **kwargs: Any) -> None:
        original(func, request_id, log_text, *args, **kwargs)
        for line in log_text.splitlines():
            if '"_aws"' in line and line.startswith("{"):
                record_embedded_metrics(line)

    lambda_svc._emit_lambda_logs = emit


def record_embedded_metrics(line: str) -> int:
    """Publish the metrics of one line of embedded metric format; return how many there were."""
    try:
        entry: dict[str, Any] = json.loads(line)
        directives: list[dict[str, Any]] = entry["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return 0
    count = 0
    for directive in directives:
        sets: list[list[str]] = directive.get("Dimensions") or [[]]
        metrics: list[dict[str, str]] = directive.get("Metrics") or []
        for names, metric in product(sets, metrics):
            dimensions = {name: str(entry.get(name, "")) for name in names}
            name, unit = metric["Name"], metric.get("Unit", "None")
            values: Any = entry.get(name, [])
            for value in cast("list[Any]", values if isinstance(values, list) else [values]):
                cloudwatch.record_metric(directive["Namespace"], name, value, unit, dimensions)
                count += 1
    return count


def _poller_permissions() -> None:
    """An event source mapping polls with the function's role, and only if that role may.

    ("Creating and configuring an Amazon SQS event source mapping", execution role permissions.)
    """
    original = sqs._receive_messages_for_esm

    def receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
        refusal = _poll_refusal(queue_url)
        if refusal is None:
            return original(queue_url, max_number)
        if refusal not in _told:
            _told.add(refusal)
            logger.warning("%s", refusal)
        return []

    sqs._receive_messages_for_esm = receive


def _poll_refusal(queue_url: str) -> str | None:
    record = sqs._queues.get(queue_url)
    if record is None:
        return None
    arn = record["attributes"].get("QueueArn", "")
    for mapping in lambda_svc._esms.values():
        if mapping.get("EventSourceArn") != arn:
            continue
        function: Any = lambda_svc._functions.get(mapping.get("FunctionName", ""))
        role = str(function["config"].get("Role", "")) if function else ""
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            if not iam.role_may(role, f"sqs:{action}", "sqs", arn):
                mapping["LastProcessingResult"] = (
                    "PROBLEM: The function execution role does not have permissions to call "
                    f"{action} on SQS"
                )
                return f"{role} may not call sqs:{action} on {arn}: nothing is polled"
        key = record["attributes"].get("KmsMasterKeyId", "")
        if key and not iam.role_may_use_key(role, "kms:Decrypt", key, "sqs"):
            mapping["LastProcessingResult"] = "PROBLEM: KMS access denied"
            return f"{role} may not decrypt with the key of {arn}: nothing is polled"
    return None
