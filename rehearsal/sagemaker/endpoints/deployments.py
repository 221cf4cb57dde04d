"""Creating and updating an endpoint: fleets come up, traffic moves, alarms call it back.

("Deployment guardrails", "Blue/Green Deployments", "Auto-Rollback Configuration and Monitoring",
Amazon SageMaker Developer Guide.) An update whose new fleet does not come up, or whose alarm rings,
ends with the old fleet, the old configuration's name and the status InService: that nothing has
changed is all that there is to see.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.endpoints import tables
from rehearsal.sagemaker.endpoints.fleet import Fleet
from rehearsal.sagemaker.endpoints.live import LiveEndpoint
from rehearsal.sagemaker.serving.model_server import ServingError
from rehearsal.sagemaker.tables import Fields, now

LOOK_SECONDS = 0.2
TERMINATION_SECONDS = 0.2  # a request on its way ends on the old fleet
logger = logging.getLogger("rehearsal")


class RolledBack(Exception):
    """An update that ends with the old fleet; the text says why, for the log alone."""


@dataclass(frozen=True)
class Step:
    """A share of the traffic for the new fleet, and how long to watch it (seconds)."""

    share: float
    seconds: float


class Deployments:
    """Carries out what CreateEndpoint and the like ask for (`context.one(Deployments)`).

    Args:
        context: SageMaker's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._endpoints = tables.endpoints(context)
        self._live: dict[str, LiveEndpoint] = {}
        self._starting: list[Fleet] = []
        self._lock = threading.Lock()
        self._silent: set[str] = set()
        context.at_reset(self.stop)

    def live(self, name: str) -> LiveEndpoint | None:
        """The endpoint at work, or None."""
        return self._live.get(name)

    def roll_back_next(self, name: str) -> None:
        """Let the next update of an endpoint end as if an alarm had rung, without a reason."""
        self._silent.add(name)

    def stop(self) -> None:
        """End every server."""
        with self._lock:
            live, self._live = list(self._live.values()), {}
            starting, self._starting = self._starting, []
            self._silent.clear()
        for each in (*live, *starting):
            each.stop()

    # --- create ----------------------------------------------------------------------------------

    def create(self, name: str, config: str) -> None:
        """Bring up the first fleet."""
        self._announce(name, "CREATING")
        try:
            fleet = self._start(name, config)
        except ServingError as error:
            self._set(name, EndpointStatus="Failed", FailureReason=str(error))
            self._announce(name, "FAILED")
            return
        live = LiveEndpoint(self._context, name)
        live.route([(fleet, 1.0)])
        if not self._keep(name, live):
            live.stop()
            return
        self._settle(name, fleet)

    def _keep(self, name: str, live: LiveEndpoint) -> bool:
        """Keep a live endpoint, unless it was deleted while it came up."""
        with self._lock:
            if self._endpoints.get(name) is None:
                return False
            self._live[name] = live
            return True

    def _start(self, name: str, config: str) -> Fleet:
        fleet = Fleet(self._context, name, config)
        with self._lock:
            self._starting.append(fleet)
        try:
            fleet.start()
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._starting.remove(fleet)
        return fleet

    # --- update ----------------------------------------------------------------------------------

    def update(self, name: str, config: str, deployment: Mapping[str, Any]) -> None:
        """Bring up a new fleet beside the old one and move the traffic over, or leave it."""
        live = self._live.get(name)
        if live is None:  # a failed endpoint has nothing to keep
            self.create(name, config)
            return
        (old,) = live.fleets
        self._announce(name, "UPDATING")
        new: Fleet | None = None
        try:
            new = self._start(name, config)
            self._keep_weights(name, old, new)
            self._pending(name, new)
            for step in steps(deployment):
                live.route([(new, step.share), (old, 1.0 - step.share)])
                self._watch(name, step.seconds, deployment)
        except (ServingError, RolledBack) as why:
            logger.warning("endpoint %s rolled back: %s", name, why)
            self._set(name, EndpointStatus="RollingBack", PendingDeploymentSummary=None)
            self._announce(name, "ROLLING_BACK")
            live.route([(old, 1.0)])
            if new is not None:
                time.sleep(TERMINATION_SECONDS)
                new.stop()
            self._settle(name, old)
            return
        # SageMaker keeps the old fleet for the termination wait; nobody sees that here.
        time.sleep(TERMINATION_SECONDS)
        old.stop()
        self._settle(name, new)

    def _keep_weights(self, name: str, old: Fleet, new: Fleet) -> None:
        """RetainAllVariantProperties: weights and counts stay as they were last set."""
        endpoint = self._endpoints.get(name)
        if endpoint is None or not endpoint.internal.get("retain"):
            return
        for variant in new.variants.values():
            before = old.variants.get(variant.name)
            if before is not None:
                variant.weight, variant.instances = before.weight, before.instances

    def _pending(self, name: str, new: Fleet) -> None:
        summary = {
            "EndpointConfigName": new.config_name,
            "ProductionVariants": [variant.summary() for variant in new.variants.values()],
            "StartTime": now(),
        }
        self._set(name, PendingDeploymentSummary=summary)

    def _watch(self, name: str, seconds: float, deployment: Mapping[str, Any]) -> None:
        """Look at the alarms for so long.

        Raises:
            RolledBack: one rings, or the control API asked for it.
        """
        wanted = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        names = [alarm["AlarmName"] for alarm in wanted]
        generation, end = self._context.generation, time.monotonic() + seconds
        while True:
            if name in self._silent:
                self._silent.discard(name)
                raise RolledBack("asked for by the control API")
            ringing = self._ringing(names)
            if ringing:
                raise RolledBack(f"alarm {ringing} is in ALARM")
            left = end - time.monotonic()
            if left <= 0 or self._context.generation != generation:
                return
            time.sleep(min(LOOK_SECONDS, left))

    def _ringing(self, names: list[str]) -> str:
        if not names:
            return ""
        found = self._context.client("cloudwatch").describe_alarms(AlarmNames=names)
        alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
        return next((each["AlarmName"] for each in alarms if each["StateValue"] == "ALARM"), "")

    # --- weights, delete -------------------------------------------------------------------------

    def reweigh(self, name: str, desired: list[dict[str, Any]]) -> None:
        """Carry out UpdateEndpointWeightsAndCapacities."""
        live = self._live[name]
        for fleet in live.fleets:
            for each in desired:
                variant = fleet.variants[each["VariantName"]]
                variant.weight = float(each.get("DesiredWeight", variant.weight))
                variant.instances = int(each.get("DesiredInstanceCount", variant.instances))
            self._settle(name, fleet)

    def delete(self, name: str) -> None:
        """End an endpoint's servers."""
        with self._lock:
            live = self._live.pop(name, None)
        if live is not None:
            live.stop()

    # --- the record ------------------------------------------------------------------------------

    def _settle(self, name: str, fleet: Fleet) -> None:
        capture = fleet.capture
        fields: Fields = {
            "EndpointStatus": "InService",
            "EndpointConfigName": fleet.config_name,
            "ProductionVariants": [variant.summary() for variant in fleet.variants.values()],
            "PendingDeploymentSummary": None,
            "FailureReason": None,
            "DataCaptureConfig": _capturing(capture) if capture else None,
        }
        self._set(name, **fields)
        self._announce(name, "IN_SERVICE")

    def _set(self, name: str, **fields: Any) -> None:
        if self._endpoints.get(name) is not None:
            self._endpoints.update(name, **fields)

    def _announce(self, name: str, status: str) -> None:
        """Put the event ("SageMaker endpoint state change")."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return
        detail = {
            "EndpointName": name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.fields["EndpointConfigName"],
            "ProductionVariants": endpoint.fields.get("ProductionVariants", []),
            "EndpointStatus": status,
            "CreationTime": int(endpoint.created * 1000),
            "LastModifiedTime": int(endpoint.modified * 1000),
            "Tags": dict(endpoint.tags),
        }
        self._context.emit("SageMaker Endpoint State Change", detail, [endpoint.arn])


def _capturing(capture: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "EnableCapture": bool(capture.get("EnableCapture")),
        "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }


def steps(deployment: Mapping[str, Any]) -> Iterator[Step]:
    """The shares of the new fleet one after another, the last of them the whole.

    Instances are not counted: a share of the capacity is a share of the traffic.
    """
    policy = deployment.get("BlueGreenUpdatePolicy", {})
    routing: Mapping[str, Any] = policy.get("TrafficRoutingConfiguration", {})
    wait = float(routing.get("WaitIntervalInSeconds", 0))
    kind = routing.get("Type", "ALL_AT_ONCE")
    if kind == "CANARY":
        yield Step(_share(routing["CanarySize"]), wait)
    if kind == "LINEAR":
        size = _share(routing["LinearStepSize"])
        share = size
        while share < 1.0 - 1e-9:
            yield Step(share, wait)
            share += size
    yield Step(1.0, wait)


def _share(size: Mapping[str, Any]) -> float:
    """A CapacitySize as a share; one instance counts as half, since two are the least."""
    return float(size["Value"]) / 100 if size["Type"] == "CAPACITY_PERCENT" else 0.5
