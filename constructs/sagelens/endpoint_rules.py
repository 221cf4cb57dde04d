"""Which combinations of an endpoint's options AWS takes: everything wrong is told at once."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import aws_cdk as cdk

from .algorithms.instances import INSTANCE_TYPE, family
from .endpoint_names import EndpointNames
from .endpoint_options import (
    AllAtOnce,
    Canary,
    DataCapture,
    Deployment,
    Instances,
    Linear,
    Scaling,
    Serverless,
    Thresholds,
    Variant,
)
from .errors import ArgumentErrors
from .private_network import Network

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
MEMORY_SIZES = tuple(range(1024, 6145, 1024))
LONGEST_STEM = 40
"""CloudFormation shortens a name made up from a longer logical id ("Name type")."""
MOST_VARIANTS = 5
"""Ten alarms roll a deployment back at most ("AutoRollbackConfig"), and a variant has two."""
LONGEST_DEPLOYMENT = 28_800
BURSTABLE = frozenset({"t2", "t3", "t3a", "t4g"})
MOST_SECURITY_GROUPS = 5
MOST_VARIABLES, LONGEST_VARIABLE, VARIABLES_BYTES = 100, 1024, 32_768


def check(
    subject: str,
    *,
    endpoint_name: str,
    variants: Sequence[Variant],
    deployment: Deployment,
    capture: DataCapture | None,
    network: Network | None,
    network_isolation: bool,
    thresholds: Thresholds,
) -> None:
    """Raise :class:`ValueError` with everything that AWS would refuse.

    Sources: "Deploy models with Amazon SageMaker Serverless Inference" (Feature exclusions);
    "Canary traffic shifting", "Linear traffic shifting", "Deployment guardrails"; "Auto scaling
    prerequisites"; "CreateEndpointConfig", "CreateModel", "UpdateEndpoint" (API Reference).
    """
    errors = ArgumentErrors(subject)
    _names(errors, endpoint_name, variants)
    _weights(errors, variants)
    for variant in variants:
        _variables(errors, variant)
        if isinstance(variant.capacity, Serverless):
            _serverless(errors, variant.name, variant.capacity)
        else:
            _instances(errors, variant.name, variant.capacity)
    kinds = {type(variant.capacity) for variant in variants}
    errors.require(
        len(kinds) < 2, "variants: got serverless and instances, allowed are all of one kind"
    )
    if Serverless in kinds:
        _exclusions(errors, variants, deployment, capture, network is not None, network_isolation)
    _deployment(errors, variants, deployment)
    if capture is not None:
        errors.between("capture.percent", capture.percent, 1, 100, unit="%")
        problem = capture.folder.problem()
        errors.require(problem is None, f"capture.folder.{problem}")
    if network is not None:
        groups = len(network.security_groups)
        errors.between("network.security_groups", groups, 1, MOST_SECURITY_GROUPS)
    _thresholds(errors, thresholds)
    errors.throw()


def _names(errors: ArgumentErrors, endpoint_name: str, variants: Sequence[Variant]) -> None:
    allowed = "allowed are 1 to 63 letters, digits and hyphens, with a letter or digit at the ends"
    known = not cdk.Token.is_unresolved(endpoint_name)
    errors.require(known, "endpoint_name: got a token, allowed is text: other names follow from it")
    if known:
        fine = NAME.fullmatch(endpoint_name) is not None
        errors.require(fine, f"endpoint_name: got {endpoint_name!r}, {allowed}")
        length = len(EndpointNames(endpoint_name).stem)
        errors.require(
            length <= LONGEST_STEM,
            f"endpoint_name: got {length} letters and digits, allowed are {LONGEST_STEM}, since "
            "the names of its models begin with them",
        )
    errors.between("variants", len(variants), 1, MOST_VARIANTS)
    names = [variant.name for variant in variants]
    for name in names:
        errors.require(NAME.fullmatch(name) is not None, f"variants: got {name!r}, {allowed}")
    stems = [EndpointNames(name).stem for name in names]
    errors.require(
        len(set(stems)) == len(stems),
        f"variants: got {names}, allowed are names that differ in their letters and digits",
    )


def _weights(errors: ArgumentErrors, variants: Sequence[Variant]) -> None:
    for variant in variants:
        errors.require(
            variant.weight >= 0,
            f"variants.{variant.name}.weight: got {variant.weight:g}, allowed are 0 and more",
        )
    errors.require(
        any(variant.weight > 0 for variant in variants),
        "variants: got no weight above 0, allowed is at least one, else nothing gets traffic",
    )


def _variables(errors: ArgumentErrors, variant: Variant) -> None:
    where = f"variants.{variant.name}.environment"
    given = variant.environment
    errors.between(where, len(given), 0, MOST_VARIABLES, unit="variables")
    sizes = {name: (len(name.encode()), len(value.encode())) for name, value in given.items()}
    for name, both in sizes.items():
        errors.between(f"{where}.{name[:40]}", max(both), 0, LONGEST_VARIABLE, unit="bytes")
    total = sum(sum(both) for both in sizes.values())
    errors.between(where, total, 0, VARIABLES_BYTES, unit="bytes together")


def _serverless(errors: ArgumentErrors, name: str, capacity: Serverless) -> None:
    where = f"variants.{name}.capacity"
    errors.require(
        capacity.memory_mb in MEMORY_SIZES,
        f"{where}.memory_mb: got {capacity.memory_mb}, allowed are "
        f"{', '.join(str(size) for size in MEMORY_SIZES)}",
    )
    errors.between(f"{where}.max_concurrency", capacity.max_concurrency, 1, 200)
    if capacity.provisioned_concurrency is not None:
        errors.between(
            f"{where}.provisioned_concurrency",
            capacity.provisioned_concurrency,
            1,
            max(1, min(200, capacity.max_concurrency)),
        )


def _instances(errors: ArgumentErrors, name: str, capacity: Instances) -> None:
    where = f"variants.{name}.capacity"
    known = INSTANCE_TYPE.fullmatch(capacity.instance_type) is not None
    errors.require(
        known,
        f"{where}.instance_type: got {capacity.instance_type!r}, allowed is one such as "
        "'ml.m5.large'",
    )
    errors.require(capacity.count >= 1, f"{where}.count: got {capacity.count}, allowed are 1 up")
    if capacity.scaling is not None:
        _scaling(errors, f"{where}.scaling", capacity, capacity.scaling)


def _scaling(errors: ArgumentErrors, where: str, capacity: Instances, scaling: Scaling) -> None:
    least = capacity.count if scaling.least is None else scaling.least
    errors.require(
        1 <= least <= capacity.count <= scaling.most,
        f"{where}: got least {least}, count {capacity.count}, most {scaling.most}; allowed is "
        "1 <= least <= count <= most",
    )
    errors.require(
        scaling.invocations_per_instance > 0,
        f"{where}.invocations_per_instance: got {scaling.invocations_per_instance:g}, allowed is "
        "more than 0",
    )
    for field in ("scale_in_seconds", "scale_out_seconds"):
        errors.between(f"{where}.{field}", getattr(scaling, field), 0, 3600, unit="s")
    errors.require(
        family(capacity.instance_type) not in BURSTABLE,
        f"{where}: got one on {capacity.instance_type}, allowed are instances that are not "
        "burstable, such as ml.m5.large",
    )


def _exclusions(
    errors: ArgumentErrors,
    variants: Sequence[Variant],
    deployment: Deployment,
    capture: DataCapture | None,
    in_network: bool,
    network_isolation: bool,
) -> None:
    for given, argument, remedy in (
        (len(variants) > 1, "variants", "one variant"),
        (capture is not None, "capture", "none"),
        (in_network, "network", "none"),
        (network_isolation, "network_isolation", "False"),
        (not isinstance(deployment, AllAtOnce), "deployment", "AllAtOnce"),
    ):
        errors.require(
            not given,
            f"{argument}: a serverless endpoint cannot have it, allowed is {remedy}; or use "
            "Instances",
        )


def _deployment(errors: ArgumentErrors, variants: Sequence[Variant], way: Deployment) -> None:
    errors.between("deployment.bake_seconds", way.bake_seconds, 0, 3600, unit="s")
    if way.timeout_seconds is not None:
        errors.between(
            "deployment.timeout_seconds", way.timeout_seconds, 600, LONGEST_DEPLOYMENT, unit="s"
        )
    waiting = _steps(way) * way.bake_seconds
    most = min(way.timeout_seconds or LONGEST_DEPLOYMENT, LONGEST_DEPLOYMENT)
    errors.require(
        waiting < most,
        f"deployment: its waiting adds up to {waiting:,} s, allowed is less than {most:,} s; "
        "shorten bake_seconds or raise percent or timeout_seconds",
    )
    if isinstance(way, AllAtOnce):
        return
    least = 1 if isinstance(way, Canary) else 10
    errors.between("deployment.percent", way.percent, least, 50, unit="%")
    for variant in variants:
        if not isinstance(variant.capacity, Instances):
            continue
        scaling = variant.capacity.scaling
        fewest = variant.capacity.count
        if scaling is not None and scaling.least is not None:
            fewest = scaling.least
        errors.require(
            fewest >= 2,
            f"deployment: {type(way).__name__} shifts by instances, and variant {variant.name} "
            f"has {fewest} at its fewest; allowed are 2 or more, or AllAtOnce",
        )


def _steps(way: Deployment) -> int:
    """How often a deployment waits, the last time before the old fleet goes included."""
    if isinstance(way, AllAtOnce):
        return 1
    if isinstance(way, Linear):
        return math.ceil(100 / max(1, way.percent)) + 1
    return 2


def _thresholds(errors: ArgumentErrors, thresholds: Thresholds) -> None:
    for name in ("errors", "latency_ms", "bad_requests"):
        value = getattr(thresholds, name)
        errors.require(value >= 1, f"thresholds.{name}: got {value}, allowed are 1 and more")
    errors.between(
        "thresholds.utilization_percent", thresholds.utilization_percent, 1, 100, unit="%"
    )
