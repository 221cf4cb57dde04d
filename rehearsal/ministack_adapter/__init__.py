"""The one place that touches MiniStack's own names. MiniStack has no plug-in API: its version is
pinned, and tests/rehearsal/test_adapter_contract.py asserts every name listed in `names.py`.

Import it only in the server process, after the environment is set: MiniStack reads it on import.
"""

from rehearsal.ministack_adapter import (
    cloudformation,
    cloudwatch,
    encryption,
    events,
    iam,
    lambdas,
    request_context,
    s3,
    sqs,
)
from rehearsal.ministack_adapter.cloudformation import register_type, registered_types
from rehearsal.ministack_adapter.cloudwatch import evaluate_alarms
from rehearsal.ministack_adapter.core import (
    application,
    kill_workers,
    register_service,
    reset_everything,
)
from rehearsal.ministack_adapter.iam import Caller
from rehearsal.ministack_adapter.s3 import bucket_region, bucket_tags, empty_bucket, read_object

__all__ = [
    "Caller",
    "application",
    "bucket_region",
    "bucket_tags",
    "empty_bucket",
    "evaluate_alarms",
    "install",
    "kill_workers",
    "read_object",
    "register_service",
    "register_type",
    "registered_types",
    "reset_everything",
]


def install() -> None:
    """Apply every change to MiniStack's behaviour. Called once, before the first request."""
    iam.install()
    request_context.install()
    encryption.install()
    s3.install()
    sqs.install()
    events.install()
    lambdas.install()
    cloudwatch.install()
    cloudformation.install()
