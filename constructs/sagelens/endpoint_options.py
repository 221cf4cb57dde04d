"""What a model endpoint runs on, how it changes over, and what it records: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .s3_folder import S3Folder


@dataclass(frozen=True, kw_only=True)
class Serverless:
    """A variant that costs nothing while nobody calls it.

    AWS leaves out of it: GPUs, VPC, network isolation, data capture, several variants ("Deploy
    models with Amazon SageMaker Serverless Inference", Feature exclusions).

    Args:
        memory_mb: Memory, 1,024 to 6,144 MB in steps of 1,024; the processor grows with it.
        max_concurrency: Calls at a time, 1 to 200; further ones are throttled.
        provisioned_concurrency: How many stay warm, 1 to ``max_concurrency``, billed while idle;
            None lets the first call after a pause wait for a cold start.
    """

    memory_mb: int = 2048
    max_concurrency: int = 5
    provisioned_concurrency: int | None = None


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Target tracking by invocations per instance.

    Args:
        most: Most instances.
        invocations_per_instance: Calls a minute that one instance takes well.
        least: Fewest instances; the variant's ``count`` when absent.
        scale_in_seconds: Pause after a scale-in, in s.
        scale_out_seconds: Pause after a scale-out, in s.
    """

    most: int
    invocations_per_instance: float
    least: int | None = None
    scale_in_seconds: int = 300
    scale_out_seconds: int = 60


@dataclass(frozen=True, kw_only=True)
class Instances:
    """A variant on instances of its own, billed as long as they run.

    Args:
        instance_type: For example ``ml.m5.large``.
        count: Instances at the start, at least 1; canary and linear shifting need 2.
        scaling: How their number follows the load; fixed when absent.
    """

    instance_type: str
    count: int = 1
    scaling: Scaling | None = None


Capacity = Serverless | Instances


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One model behind the endpoint. Its name must never change: SageMaker shifts traffic, and
    carries over instance counts and weights, from a variant to its namesake.

    Args:
        name: 1 to 63 letters, digits and hyphens, for example ``main``.
        model_package: ARN of a model package version, or a token for one.
        capacity: What it runs on.
        weight: Its share of the traffic, beside the other variants' weights; 0 for none.
        environment: Variables of its container beside those of the model package.
    """

    name: str
    model_package: str
    capacity: Capacity
    weight: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class AllAtOnce:
    """All traffic goes to the new fleet at once.

    Args:
        bake_seconds: How long the old fleet waits while the alarms are watched, 0 to 3,600 s.
        timeout_seconds: Longest deployment, 600 to 28,800 s; SageMaker's own when absent.
    """

    bake_seconds: int = 0
    timeout_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A small part of the traffic first, the rest after a while without alarms.

    Args:
        percent: The part, 1 to 50 % of the instances.
        bake_seconds: How long it is watched, and the old fleet after the shift, 0 to 3,600 s.
        timeout_seconds: Longest deployment, 600 to 28,800 s; SageMaker's own when absent.
    """

    percent: int = 10
    bake_seconds: int = 300
    timeout_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Linear:
    """The traffic in equal steps, each watched for a while.

    Args:
        percent: A step, 10 to 50 % of the instances.
        bake_seconds: How long each step is watched, and the old fleet at the end, 0 to 3,600 s.
        timeout_seconds: Longest deployment, 600 to 28,800 s; SageMaker's own when absent.
    """

    percent: int = 25
    bake_seconds: int = 300
    timeout_seconds: int | None = None


Deployment = AllAtOnce | Canary | Linear


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """Requests and answers are kept in S3 as JSON lines, for the drift watch.

    Files lie at ``<prefix><endpoint>/<variant>/yyyy/mm/dd/hh/…jsonl``.

    Args:
        folder: Where.
        percent: Share of the requests, 1 to 100.
    """

    folder: S3Folder
    percent: int = 100


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """From when an endpoint's alarms ring, by minute.

    Args:
        errors: Answers of 5xx in a minute; rolls a deployment back.
        latency_ms: The model's 99th percentile in ms; rolls a deployment back.
        bad_requests: Answers of 4xx in a minute; tells only, since callers cause them too.
        utilization_percent: CPU or memory of an instance; tells only.
    """

    errors: int = 1
    latency_ms: int = 1000
    bad_requests: int = 50
    utilization_percent: int = 90
