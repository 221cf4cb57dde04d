# pyright: reportMissingTypeStubs=false
"""API calls of a step, made by boto3 as the pipeline's role, and what their errors mean."""

import threading
from collections.abc import Mapping
from typing import Any, cast

import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

from rehearsal.sagemaker.clients import make_client
from rehearsal.sagemaker.context import SERVICE, Context, Credentials
from rehearsal.sagemaker.pipelines import retries
from rehearsal.sagemaker.pipelines.errors import StepError

# A step that is throttled fails or is retried by its own policies, never silently by the client.
# A Lambda step may take ten minutes ("Lambda step", SageMaker Developer Guide).
CONFIG = Config(
    connect_timeout=5, read_timeout=610, retries={"total_max_attempts": 1, "mode": "standard"}
)
THROTTLED = ("Throttling", "TooManyRequests", "RequestLimitExceeded", "SlowDown")
_xform_name: Any = vars(botocore)["xform_name"]


class Calls:
    """The clients of one step.

    Args:
        context: of the service.
        role_arn: the pipeline's role.
        session: the name of its session, which IAM's errors show.
        pipeline_arn: in whose name the role is assumed, for `aws:SourceArn` in its trust policy.
    """

    def __init__(self, context: Context, role_arn: str, session: str, pipeline_arn: str) -> None:
        self._context = context
        self._role_arn = role_arn
        self._pipeline_arn = pipeline_arn
        self._session_name = session
        self._clients: dict[str, Any] = {}
        self._keys: Credentials | None = None
        self._lock = threading.Lock()

    @property
    def caller_arn(self) -> str:
        """Who calls, as IAM's errors name it."""
        account, name = self._role_arn.split(":")[4], self._role_arn.rpartition("/")[2]
        return f"arn:aws:sts::{account}:assumed-role/{name}/{self._session_name}"

    def invoke(self, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation.

        Raises:
            StepError: it failed; in Pipelines' words, with the kind of exception for retries.
        """
        try:
            method = getattr(self.client(service), _xform_name(operation))
            return method(**arguments)
        except ClientError as error:
            raise _failure(service, operation, error) from error
        except ParamValidationError as error:
            raise StepError(_words("ClientError", service, operation, str(error))) from error
        except (HTTPClientError, BotoCoreError) as error:
            text = _words("InternalServerError", service, operation, str(error))
            raise StepError(text, retries.SERVICE_FAULT) from error

    def client(self, service: str) -> Any:
        """A boto3 client of the pipeline's role."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        context = self._context
        if self._keys is None:
            if not context.platform.role_trusts(self._role_arn, SERVICE, self._pipeline_arn):
                raise StepError(
                    f"ClientError: Could not assume role {self._role_arn}. Please ensure that the "
                    f"role exists and allows principal '{SERVICE}' to assume the role."
                )
            self._keys = context.platform.role_credentials(self._role_arn, self._session_name)
        return make_client(service, context.endpoint, context.region, self._keys, CONFIG)


def _failure(service: str, operation: str, error: ClientError) -> StepError:
    details: dict[str, Any] = {**cast("dict[str, Any]", error.response)}
    code = str(details.get("Error", {}).get("Code", ""))
    message = str(details.get("Error", {}).get("Message", "")) or "null"
    status = int(details.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    kind = _kind(code, status)
    label = "InternalServerError" if kind == retries.SERVICE_FAULT else "ClientError"
    return StepError(_words(label, service, operation, message), kind)


def _kind(code: str, status: int) -> str | None:
    if code.startswith(THROTTLED) or status == 429:
        return retries.THROTTLING
    if code == "ResourceLimitExceeded":
        return retries.RESOURCE_LIMIT
    return retries.SERVICE_FAULT if status >= 500 else None


def _words(label: str, service: str, operation: str, details: str) -> str:
    return f"{label}: Failed to invoke {service}:{operation}. Error Details: {details}"


def job_failure_kind(reason: str) -> str | None:
    """What a job's FailureReason counts as for retry policies."""
    if reason.startswith(("InternalServerError", "InternalError")):
        return retries.JOB_INTERNAL_ERROR
    return retries.CAPACITY_ERROR if reason.startswith("CapacityError") else None
