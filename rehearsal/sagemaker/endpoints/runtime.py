"""SageMaker Runtime: InvokeEndpoint, a REST operation beside the JSON ones."""

import json
import re
from typing import Any
from urllib.parse import unquote

from rehearsal.aws_json import Response, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.endpoints.deployments import Deployments
from rehearsal.sagemaker.endpoints.live import ModelError, Request

PATH = re.compile(r"/endpoints/([^/]+)/invocations")
OPERATION = "InvokeEndpoint"
MOST_BYTES = 6_291_456  # BodyBlob in the service's model
HEADER = "x-amzn-sagemaker-"


def endpoint_of(method: str, path: str) -> str | None:
    """The endpoint that a request invokes; None if it is no invocation."""
    match = PATH.fullmatch(path) if method == "POST" else None
    return unquote(match[1]) if match else None


def invoke(context: Context, name: str, headers: dict[str, str], body: bytes) -> Response:
    """Answer one invocation, as HTTP."""
    try:
        live = context.one(Deployments).live(name)
        if live is None:
            text = f"Endpoint {name} of account {context.account} not found."
            raise ServiceError("ValidationError", text)
        answer, variant = live.invoke(_request(headers, body))
    except ServiceError as error:
        return _failure(error)
    told = {"Content-Type": answer.content_type, "x-Amzn-Invoked-Production-Variant": variant}
    return 200, told, answer.body


def _request(headers: dict[str, str], body: bytes) -> Request:
    if len(body) > MOST_BYTES:
        raise ServiceError(
            "ValidationError",
            f"1 validation error detected: Value at 'body' failed to satisfy constraint: Member "
            f"must have length less than or equal to {MOST_BYTES}",
            413,
        )
    unknown = [
        name
        for name in ("target-model", "target-container-hostname", "enable-explanations")
        if headers.get(f"{HEADER}{name}")
    ]
    if unknown:
        raise ServiceError("ValidationError", f"the rehearsal knows no {', '.join(unknown)}")
    return Request(
        body,
        headers.get("content-type", ""),
        headers.get("accept", ""),
        headers.get(f"{HEADER}target-variant", ""),
        headers.get(f"{HEADER}inference-id", ""),
        headers.get(f"{HEADER}custom-attributes", ""),
    )


def _failure(error: ServiceError) -> Response:
    content: dict[str, Any] = {"Message": error.message}
    if isinstance(error, ModelError):
        content |= {
            "OriginalStatusCode": error.original_status,
            "OriginalMessage": error.original_message,
            "LogStreamArn": error.log_arn,
        }
    headers = {"Content-Type": "application/json", "x-amzn-errortype": error.code}
    return error.status, headers, json.dumps(content).encode()
