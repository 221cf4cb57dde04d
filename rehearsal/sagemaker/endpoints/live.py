"""An endpoint at work: which fleet gets which share of the traffic, and one invocation."""

import http.client
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rehearsal.aws_json import ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.endpoints.capture import Capture
from rehearsal.sagemaker.endpoints.fleet import LOG_GROUP, Fleet, Variant
from rehearsal.sagemaker.serving.model_server import Answer

NAMESPACE = "AWS/SageMaker"
MODEL_SECONDS = 60.0  # a container must answer within ("InvokeEndpoint")


@dataclass(frozen=True)
class Request:
    """What InvokeEndpoint was given."""

    body: bytes
    content_type: str
    accept: str
    variant: str
    inference_id: str
    attributes: str


class ModelError(ServiceError):
    """The container answered with an error, or not at all."""

    def __init__(self, status: int, said: str, log_arn: str) -> None:
        super().__init__(
            "ModelError",
            f"Received {'client' if status < 500 else 'server'} error ({status}) from primary with"
            f' message "{said}". See {log_arn} in account for more information.',
            424,
        )
        self.original_status, self.original_message, self.log_arn = status, said, log_arn


class LiveEndpoint:
    """The fleets behind one endpoint's name.

    Args:
        context: SageMaker's.
        name: of the endpoint.
    """

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context
        self._capture = Capture(context, name)
        self._lock = threading.Lock()
        self._shares: list[tuple[Fleet, float]] = []

    def route(self, shares: Sequence[tuple[Fleet, float]]) -> None:
        """Give each fleet its share (0 to 1) of the requests from now on."""
        with self._lock:
            self._shares = [(fleet, share) for fleet, share in shares if share > 0]

    @property
    def fleets(self) -> list[Fleet]:
        """Those that get requests."""
        with self._lock:
            return [fleet for fleet, _ in self._shares]

    def stop(self) -> None:
        """End every fleet that gets requests."""
        fleets = self.fleets
        self.route([])
        self._capture.flush()
        for fleet in fleets:
            fleet.stop()

    def _choose(self, wanted: str) -> tuple[Fleet, Variant]:
        with self._lock:
            shares = list(self._shares)
        if not shares:
            raise ServiceError("ValidationError", f"Endpoint {self.name} of account not found.")
        (fleet,) = random.choices([fleet for fleet, _ in shares], [share for _, share in shares])
        if not wanted:
            return fleet, fleet.choose()
        if wanted not in fleet.variants:
            raise ServiceError("ValidationError", f"Variant {wanted} not found for Request")
        return fleet, fleet.variants[wanted]

    def invoke(self, request: Request) -> tuple[Answer, str]:
        """Answer a request; returns the container's answer and the variant's name.

        Raises:
            ServiceError: no such variant; ModelError.
        """
        fleet, variant = self._choose(request.variant)
        attributes = {"X-Amzn-SageMaker-Custom-Attributes": request.attributes}
        try:
            answer = variant.server.invoke(
                request.body,
                request.content_type,
                request.accept,
                MODEL_SECONDS,
                attributes if request.attributes else {},
            )
        except (OSError, http.client.HTTPException) as error:
            self._count(variant, None)
            said = "Your invocation timed out while waiting for a response from container primary."
            raise ModelError(0, f"{said} ({error})", self._log_arn()) from error
        self._count(variant, answer)
        if answer.status >= 400:
            said = answer.body.decode("utf-8", errors="replace")
            raise ModelError(answer.status, said, self._log_arn())
        told = (request.body, request.content_type, request.inference_id)
        self._capture.take(fleet.capture, variant.name, variant.role_arn, told, answer)
        return answer, variant.name

    def _log_arn(self) -> str:
        place = f"{self._context.region}:{self._context.account}"
        return f"arn:aws:logs:{place}:log-group:{LOG_GROUP}/{self.name}"

    def _count(self, variant: Variant, answer: Answer | None) -> None:
        """Publish one invocation ("SageMaker AI endpoint invocation metrics")."""
        status = answer.status if answer else 0
        dimensions: Mapping[str, str] = {"EndpointName": self.name, "VariantName": variant.name}
        values = [
            ("Invocations", 1.0, "Count"),
            ("InvocationsPerInstance", 1.0 / max(1, variant.instances), "Count"),
            ("Invocation4XXErrors", float(400 <= status < 500), "Count"),
            ("Invocation5XXErrors", float(status >= 500 or not answer), "Count"),
            ("InvocationModelErrors", float(status >= 400 or not answer), "Count"),
        ]
        if answer:
            values.append(("ModelLatency", answer.seconds * 1e6, "Microseconds"))
        for name, value, unit in values:
            self._context.metric(NAMESPACE, name, value, unit, dimensions)
