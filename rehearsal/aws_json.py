"""A stand-in for a service of the AWS JSON protocol, driven by botocore's own model of it.

It routes `X-Amz-Target`, checks the input against the model's shapes and answers or fails in the
protocol's way. What an operation answers is the service's own affair (rekognition.py).
"""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from rehearsal.service_model import ServiceModel, Shape, service_model
from rehearsal.shapes import Problem, problems

Response = tuple[int, dict[str, str], bytes]
UNKNOWN_OPERATION = "UnknownOperationException"
NOT_REHEARSED = "NotRehearsedException"


class ServiceError(Exception):
    """An error that a service answers with.

    Args:
        code: the exception's name, for example ThrottlingException; empty for a bare HTTP failure.
        message: the text.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.outcome = code or f"HTTP {status}"  # what the call is counted as


def not_rehearsed(service: str, operation: str, known: Iterable[str]) -> ServiceError:
    """What the rehearsal cannot do, in an error that no AWS client knows.

    Args:
        service: botocore's name of the service.
        operation: what was asked for.
        known: the operations that have a stand-in.
    """
    return ServiceError(
        NOT_REHEARSED,
        f"the rehearsal has no stand-in for {service}:{operation}; it has "
        f"{', '.join(sorted(known))}",
    )


@dataclass(frozen=True)
class Call:
    """One request, its input decoded (blobs as bytes) and valid by the model."""

    operation: str
    parameters: dict[str, Any]
    headers: dict[str, str]
    query: dict[str, list[str]]


Answer = Callable[[Call], Awaitable[Mapping[str, Any]]]
Admit = Callable[[str], Awaitable[None]]
Record = Callable[[str, str], None]


class JsonService:
    """A service by its model: decode, admit, check, answer, encode.

    Args:
        name: botocore's name of the service.
        answer: gives the output of a valid call, or raises ServiceError.
        admit: called first with the operation's name; may wait, or raise ServiceError.
        record: told the outcome of each call: `ok` or the error's code.
    """

    def __init__(self, name: str, answer: Answer, admit: Admit, record: Record) -> None:
        self.model = service_model(name)
        self.target_prefix = self.model.metadata["targetPrefix"]
        self._answer = answer
        self._admit = admit
        self._record = record
        self._content_type = f"application/x-amz-json-{self.model.metadata['jsonVersion']}"

    async def handle(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
    ) -> Response:
        """Answer one HTTP request."""
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        if name not in self.model.operations:
            return self._failure(ServiceError(UNKNOWN_OPERATION, f"no operation {name!r}"))
        try:
            await self._admit(name)
            parameters = decode(self.model, name, body)
            output = await self._answer(Call(name, parameters, headers, query))
            text = json.dumps(encode(output)).encode()
        except ServiceError as error:
            self._record(name, error.outcome)
            return self._failure(error)
        self._record(name, "ok")
        return 200, {"Content-Type": self._content_type}, text

    def _failure(self, error: ServiceError) -> Response:
        if not error.code:  # as of a load balancer in front of the service
            return error.status, {"Content-Type": "text/html"}, b""
        headers = {"Content-Type": self._content_type, "x-amzn-errortype": error.code}
        content = {"__type": error.code, "message": error.message}
        return error.status, headers, json.dumps(content).encode()


def decode(model: ServiceModel, operation: str, body: bytes) -> dict[str, Any]:
    """The checked input of an operation.

    Raises:
        ServiceError: SerializationException if it is no JSON object or a type is wrong;
            ValidationException in AWS's own words if a constraint of the model is broken.
    """
    try:
        given = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", "the request is not JSON") from error
    if not isinstance(given, dict):
        raise ServiceError("SerializationException", "the request is not a JSON object")
    shape = model.input(operation)
    if shape is None:
        return {}
    value = cast("dict[str, Any]", _from_wire(model, shape, given))
    found = problems(model, shape, value, ignore_unknown=True)
    wrong = [problem for problem in found if problem.constraint is None]
    if wrong:
        raise ServiceError("SerializationException", str(wrong[0]))
    if found:
        raise ServiceError("ValidationException", _as_aws_says(found))
    return value


def _as_aws_says(found: list[Problem]) -> str:
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    parts = [
        f"Value {_shown(p.value)} at '{_camel(p.path)}' failed to satisfy constraint: "
        f"Member must {p.constraint}"
        for p in found
    ]
    return count + "; ".join(parts)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else f"'{value}'"


def _camel(path: str) -> str:
    return re.sub(r"(^|\.)([A-Z])", lambda match: match[1] + match[2].lower(), path)


def _from_wire(model: ServiceModel, shape: Shape, value: Any) -> Any:
    """The same value with its blobs decoded; what does not fit stays, for the check to name."""
    kind = shape["type"]
    if kind == "structure" and isinstance(value, dict):
        known = cast("dict[str, dict[str, Any]]", shape.get("members", {}))
        return {
            name: _from_wire(model, model.resolve(known[name]), item) if name in known else item
            for name, item in cast("dict[str, Any]", value).items()
            if item is not None
        }
    if kind == "list" and isinstance(value, list):
        member = model.resolve(shape["member"])
        return [_from_wire(model, member, item) for item in cast("list[Any]", value)]
    if kind == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            return value
    return value


def encode(value: Any) -> Any:
    """A value as the JSON protocol carries it: bytes as base64."""
    if isinstance(value, Mapping):
        return {k: encode(v) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in cast("list[Any]", value)]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
