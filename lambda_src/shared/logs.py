"""Log lines as JSON, with metrics in CloudWatch's Embedded Metric Format.

Object keys may hold personal data, so a line carries a short hash of the object's address and
the version id; `LOG_KEYS=1` in the function's environment adds bucket and key. Labels, detected
text and faces are never logged: a line holds the fields that are listed here, and no other.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "Sagelens"
DIMENSION = "Environment"
FIELDS = frozenset(
    (
        "again",
        "attempts",
        "cause",
        "codes",
        "counts",
        "decision",
        "error",
        "event",
        "execution",
        "kind",
        "message_id",
        "missing",
        "notebook",
        "object",
        "pipeline",
        "reason",
        "receives",
        "request_id",
        "retry_seconds",
        "run_id",
        "training_job",
        "version_id",
        "violations",
        "where",
    )
)
KEY_FIELDS = frozenset(("bucket", "key"))
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def log_keys() -> bool:
    """Whether bucket and key may stand in log lines."""
    return os.environ.get("LOG_KEYS") == "1"


def object_fields(bucket: str, key: str, version_id: str) -> dict[str, str]:
    """Return what a log line may say of an object version."""
    digest = hashlib.sha256(f"s3://{bucket}/{key}".encode()).hexdigest()[:12]
    fields = {"object": digest, "version_id": version_id}
    return {**fields, "bucket": bucket, "key": key} if log_keys() else fields


@dataclass(frozen=True)
class Log:
    """Writes one JSON line for each message, on standard output.

    environment: the platform's environment, the dimension of every metric.
    fields: what each line carries besides its own fields (request id, message id).
    dimensions: names of those fields that are dimensions of each metric too.
    """

    environment: str
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    dimensions: tuple[str, ...] = ()

    def bind(self, **fields: Any) -> "Log":
        """Return a log whose lines carry `fields` too."""
        return Log(self.environment, {**self.fields, **fields}, self.dimensions)

    def by(self, **dimensions: str) -> "Log":
        """Return a log whose lines carry these fields too, as dimensions of their metrics."""
        names = (*self.dimensions, *dimensions)
        return Log(self.environment, {**self.fields, **dimensions}, names)

    def info(self, text: str, metrics: Mapping[str, float] | None = None, **fields: Any) -> None:
        """Write a line of level INFO; `metrics` maps names to values (see `write`)."""
        self.write("INFO", text, metrics, **fields)

    def warning(self, text: str, metrics: Mapping[str, float] | None = None, **fields: Any) -> None:
        """Write a line of level WARNING."""
        self.write("WARNING", text, metrics, **fields)

    def error(self, text: str, metrics: Mapping[str, float] | None = None, **fields: Any) -> None:
        """Write a line of level ERROR."""
        self.write("ERROR", text, metrics, **fields)

    def write(
        self, level: str, text: str, metrics: Mapping[str, float] | None = None, **fields: Any
    ) -> None:
        """Write one line, unless its level lies below LOG_LEVEL and it carries no metric.

        A field that is not listed is left out, and its name said in `left_out`: what may be
        logged is decided here, not where something happens to be at hand.
        A metric whose name ends in `Milliseconds` has that unit; one that ends in `Share` or
        begins with `Dollars` has none; all others are counts.
        """
        if not metrics and LEVELS.index(level) < _least_level():
            return
        told = {**self.fields, **fields}
        line = {"level": level, "message": text, **_allowed(told, self.dimensions)}
        if metrics:
            directive = _embedded(metrics, [DIMENSION, *self.dimensions])
            line |= {DIMENSION: self.environment, **metrics, "_aws": directive}
        # One write a line: threads of a batch share standard output.
        sys.stdout.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()


def _allowed(fields: Mapping[str, Any], dimensions: Sequence[str]) -> dict[str, Any]:
    known = FIELDS.union(dimensions, KEY_FIELDS if log_keys() else ())
    kept = {name: value for name, value in fields.items() if name in known}
    left_out = sorted(fields.keys() - known)
    return {**kept, "left_out": left_out} if left_out else kept


def _least_level() -> int:
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("INFO")


def _embedded(metrics: Mapping[str, float], dimensions: list[str]) -> dict[str, Any]:
    """The metadata of "Specification: Embedded metric format" in the CloudWatch user guide."""
    definitions = [{"Name": name, "Unit": _unit(name)} for name in metrics]
    directive = {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": definitions}
    return {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}


def _unit(name: str) -> str:
    if name.endswith("Share") or name.startswith("Dollars"):
        return "None"
    return "Milliseconds" if name.endswith("Milliseconds") else "Count"
