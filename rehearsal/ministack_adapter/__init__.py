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
    mlflow_requests,
    request_context,
    s3,
    sagemaker_runtime,
    scheduler,
    sqs,
    stepfunctions,
)
from rehearsal.ministack_adapter.cloudformation import (
    describe_type,
    register_type,
    registered_types,
)
from rehearsal.ministack_adapter.cloudwatch import evaluate_alarms, put_metric, scale_periods
from rehearsal.ministack_adapter.core import (
    application,
    at_end,
    kill_workers,
    register_service,
    register_tags,
    reset_everything,
)
from rehearsal.ministack_adapter.events import put_event
from rehearsal.ministack_adapter.iam import Caller, role_credentials, role_may, role_trusts
from rehearsal.ministack_adapter.logs import has_log_group, put_log
from rehearsal.ministack_adapter.mlflow_requests import ARN_HEADER, is_mlflow, mlflow_refusal
from rehearsal.ministack_adapter.s3 import bucket_region, bucket_tags, empty_bucket, read_object
from rehearsal.ministack_adapter.scheduler import fire_schedules
from rehearsal.ministack_adapter.stepfunctions import scale_waits

__all__ = [
    "ARN_HEADER",
    "Caller",
    "application",
    "at_end",
    "bucket_region",
    "bucket_tags",
    "describe_type",
    "empty_bucket",
    "evaluate_alarms",
    "fire_schedules",
    "has_log_group",
    "install",
    "is_mlflow",
    "kill_workers",
    "mlflow_refusal",
    "put_event",
    "put_log",
    "put_metric",
    "read_object",
    "register_service",
    "register_tags",
    "register_type",
    "registered_types",
    "reset_everything",
    "role_credentials",
    "role_may",
    "role_trusts",
    "scale_periods",
    "scale_waits",
]


def install() -> None:
    """Apply every change to MiniStack's behaviour. Called once, before the first request."""
    iam.install()
    request_context.install()
    sagemaker_runtime.install()
    mlflow_requests.install()
    encryption.install()
    s3.install()
    sqs.install()
    events.install()
    lambdas.install()
    cloudwatch.install()
    cloudformation.install()
    stepfunctions.install()
    scheduler.install()
