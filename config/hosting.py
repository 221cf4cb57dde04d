"""The settings of hosting: what answers requests, how a new version takes over, who watches it."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from config.base import Broken, Section, Shape
from config.batch import BatchSettings
from config.drift import DriftSettings
from config.instances import HOSTING
from config.jobs import TYPE_FORM, InstanceType
from config.training import ModelName

MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)
BURSTABLE = ("t2", "t3", "t3a", "t4g")
LONGEST_DEPLOYMENT = 28_800
# What one look of a release adds to its execution's history, and how long that may grow ("Step
# Functions service quotas").
EVENTS_A_LOOK = 24
MOST_EVENTS = 25_000

HostingInstance = Annotated[
    str,
    InstanceType(
        TYPE_FORM,
        'an instance type that SageMaker has for endpoints, such as "ml.m5.large" '
        '("ProductionVariant")',
        known=HOSTING,
    ),
]
Concurrency = Annotated[int, Field(ge=1, le=200)]
InstanceCount = Annotated[int, Field(ge=1, le=1000)]
PauseSeconds = Annotated[int, Field(ge=0, le=3600)]
TimeoutSeconds = Annotated[int, Field(ge=600, le=LONGEST_DEPLOYMENT)]
_KEY: dict[str, JsonValue] = {"x-key": True}


class _OneKind(Section):
    """A choice: the key that is there is the kind."""

    @field_validator("*", mode="before")
    @classmethod
    def _there_or_not(cls, value: Any) -> Any:
        """Refuse null: `serverless:` with nothing after it could mean there or not."""
        if value is None:
            context = {
                "problem": "null could mean there or not",
                "allowed": "{} for its defaults; leave the key out for another kind",
            }
            raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
        return value

    def rules(self) -> Iterator[Broken]:
        """Yield no kind, and several."""
        names = tuple(type(self).model_fields)
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            problem = f"has {len(given) or 'none'} of its kinds"
            yield Broken((), given or None, problem, f"one of {', '.join(names)}")


class ServerlessSettings(Section):
    """Nothing to pay while nobody calls ("Deploy models with Amazon SageMaker Serverless
    Inference"). Without capture, network, network isolation and gradual shifting."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory in MB. CPU grows with it."""
    max_concurrency: Concurrency = 5
    """Calls at a time; further ones are throttled. An account's quota is shared by all its
    serverless endpoints ("Amazon SageMaker endpoints and quotas")."""
    provisioned_concurrency: Concurrency | None = None
    """How many stay warm, which bills while idle; not more than `max_concurrency`. null: the first
    call after a pause waits for a cold start."""

    def rules(self) -> Iterator[Broken]:
        """Yield more that stay warm than there may be."""
        warm, most = self.provisioned_concurrency, self.max_concurrency
        if warm is not None and warm > most:
            at = ("provisioned_concurrency",)
            problem = f"is more than max_concurrency ({most})"
            yield Broken(
                at, warm, problem, f"a whole number from 1 to {most}", (at, ("max_concurrency",))
            )


class ScalingSettings(Section):
    """How the number of instances follows the load ("Automatic scaling of Amazon SageMaker AI
    models")."""

    most: InstanceCount
    """Most instances."""
    invocations_per_instance: Annotated[float, Field(gt=0, le=1_000_000)]
    """Calls a minute that one instance takes well. Find it by a load test."""
    least: InstanceCount | None = None
    """Fewest instances; null: `instance_count`."""
    scale_in_seconds: PauseSeconds = 300
    """Pause after instances were taken away, in seconds."""
    scale_out_seconds: PauseSeconds = 60
    """Pause after instances were added, in seconds."""


class InstancesSettings(Section):
    """Instances of its own, which bill as long as they run."""

    instance_type: HostingInstance = "ml.m5.large"
    """What it runs on. An account's quota for a type may be 0 at first ("Service Quotas")."""
    instance_count: InstanceCount = 1
    """How many at the start. Canary and linear shifting need two."""
    scaling: ScalingSettings | None = None
    """How their number follows the load; null: it stays as it is."""

    @property
    def fewest(self) -> int:
        """How many there are at the least."""
        least = self.scaling.least if self.scaling else None
        return self.instance_count if least is None else least

    def rules(self) -> Iterator[Broken]:
        """Yield bounds that cross, and scaling of a type that AWS does not scale."""
        scaling, count = self.scaling, self.instance_count
        if scaling is None:
            return
        if scaling.most < count:
            yield self._crossed("most", scaling.most, f"is less than instance_count ({count})", "")
        if scaling.least is not None and scaling.least > count:
            problem = f"is more than instance_count ({count})"
            yield self._crossed("least", scaling.least, problem, f" from 1 to {count}")
        family = self.instance_type.split(".")[1]
        if family in BURSTABLE:
            yield Broken(
                ("scaling",),
                None,
                f"is not for burstable instances such as {self.instance_type}",
                f"null; or a type that is none of {', '.join(BURSTABLE)}",
                (("scaling",), ("instance_type",)),
            )

    def _crossed(self, name: str, value: int, problem: str, most: str) -> Broken:
        at = ("scaling", name)
        words = f"a whole number{most or f' from {self.instance_count}'}"
        return Broken(at, value, problem, words, (at, ("instance_count",)))


class CapacitySettings(_OneKind):
    """What the endpoint runs on: one of the two. SageMaker turns no endpoint on instances into a
    serverless one; to change over, delete the hosting stack first."""

    serverless: Annotated[ServerlessSettings | None, Field(json_schema_extra=_KEY)] = None
    """Pay by call. `{}` takes the defaults."""
    instances: Annotated[InstancesSettings | None, Field(json_schema_extra=_KEY)] = None
    """Instances of its own. `{}` takes the defaults."""


class _Shifting(Section):
    bake_seconds: PauseSeconds = 300
    """How long the alarms are watched, in seconds."""
    timeout_seconds: TimeoutSeconds | None = None
    """Longest deployment, in seconds; null: SageMaker's own limit ("BlueGreenUpdatePolicy")."""

    def waits(self) -> int:
        """How long it waits in all, in seconds."""
        raise NotImplementedError

    def rules(self) -> Iterator[Broken]:
        """Yield waits that take longer than the deployment may."""
        most = self.timeout_seconds or LONGEST_DEPLOYMENT
        if self.waits() >= most:
            problem = f"adds up to {self.waits()} seconds of waiting in all steps"
            allowed = f"less than {most} in all: a shorter bake_seconds, or a larger percent"
            allowed += "; or a longer timeout_seconds" if self.timeout_seconds else ""
            at = ("bake_seconds",)
            reads = tuple((name,) for name in type(self).model_fields)
            yield Broken(at, self.bake_seconds, problem, allowed, reads)


class AllAtOnceSettings(_Shifting):
    """All traffic at once ("Use all at once traffic shifting")."""

    bake_seconds: PauseSeconds = 0
    """How long the old instances wait, with the alarms watched, before they go, in seconds. 0: a
    deployment that is bad is not rolled back by its alarms."""

    def waits(self) -> int:
        """How long it waits in all, in seconds."""
        return self.bake_seconds


class CanarySettings(_Shifting):
    """A small part of the traffic first, the rest after a while without alarms ("Use canary
    traffic shifting")."""

    percent: int = Field(default=10, ge=1, le=50)
    """The part, in percent of the instances."""
    bake_seconds: PauseSeconds = 300
    """How long the part is watched, and then the old instances wait, in seconds."""

    def waits(self) -> int:
        """How long it waits in all, in seconds."""
        return 2 * self.bake_seconds


class LinearSettings(_Shifting):
    """The traffic in equal steps, each watched for a while ("Use linear traffic shifting")."""

    percent: int = Field(default=25, ge=10, le=50)
    """A step, in percent of the instances."""
    bake_seconds: PauseSeconds = 300
    """How long each step is watched, and at the end the old instances wait, in seconds."""

    def waits(self) -> int:
        """How long it waits in all, in seconds."""
        return (math.ceil(100 / self.percent) + 1) * self.bake_seconds


class DeploymentSettings(_OneKind):
    """How traffic moves to a new version, and back when an alarm rings: one of the three
    ("Deployment guardrails for updating models in production")."""

    all_at_once: Annotated[AllAtOnceSettings | None, Field(json_schema_extra=_KEY)] = None
    """All at once. `{}` takes the defaults."""
    canary: Annotated[CanarySettings | None, Field(json_schema_extra=_KEY)] = None
    """A part first. `{}` takes the defaults."""
    linear: Annotated[LinearSettings | None, Field(json_schema_extra=_KEY)] = None
    """In equal steps. `{}` takes the defaults."""


class ThresholdSettings(Section):
    """From when the endpoint's alarms ring, in a minute."""

    errors: int = Field(default=1, ge=1, le=1_000_000)
    """Answers of 5xx. Rolls a deployment back."""
    latency_ms: int = Field(default=1000, ge=1, le=60_000)
    """The model's own time, its 99th percentile in ms. Rolls a deployment back."""
    bad_requests: int = Field(default=50, ge=1, le=1_000_000)
    """Answers of 4xx. Tells only: callers cause them too."""
    utilization_percent: int = Field(default=90, ge=1, le=100)
    """CPU or memory of an instance. Tells only."""


class SmokeTestSettings(Section):
    """A stored request, which a version must answer before it counts as released."""

    answer_path: Annotated[
        str,
        Field(max_length=256),
        Shape(
            r"\$\.[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[[0-9]{1,4}\])*",
            'the path of a number in the JSON answer, such as "$.predictions[0].score"',
        ),
    ]
    """Where a number stands in the JSON answer."""
    least: float = 0
    """The smallest number that is right."""
    most: float = 1
    """The largest number that is right."""
    sample: Annotated[
        str,
        Field(max_length=100),
        Shape(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", "the name of a file in ml_src/<model>"),
    ] = "sample.csv"
    """The request: a file in ml_src/<model>, text of at most 100,000 bytes."""
    content_type: Literal["text/csv", "application/json", "application/jsonlines"] = "text/csv"
    """The request's form."""

    def rules(self) -> Iterator[Broken]:
        """Yield bounds that nothing lies between."""
        if self.least > self.most:
            at = ("most",)
            problem, allowed = f"is less than least ({self.least:g})", "least or more"
            yield Broken(at, self.most, problem, allowed, (at, ("least",)))


class EndpointSettings(Section):
    """The endpoint of a model, named sagelens-<environment>-<model>. It is there from the first
    approved version on."""

    capacity: CapacitySettings = CapacitySettings(serverless=ServerlessSettings())
    """What it runs on."""
    deployment: DeploymentSettings = DeploymentSettings(all_at_once=AllAtOnceSettings())
    """How traffic moves to a new version."""
    capture_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percent of the requests that are kept, with their answers, in the models bucket below
    <model>/captured/; null: none. Not on a serverless endpoint."""
    capture_days: int = Field(default=30, ge=1, le=3650)
    """After how many days they are deleted. They hold customers' data, and the drift watch must
    have looked at them by then."""
    network_isolation: bool | None = None
    """Whether the model's container is cut off from every network; null: where it can be, which is
    on instances."""
    in_network: bool | None = None
    """Whether it runs in the environment's network; null: if there is one, and on instances."""
    drift: DriftSettings | None = None
    """The drift watch; null: none."""
    batch: BatchSettings | None = None
    """Batch scoring with the live version; null: none."""
    thresholds: ThresholdSettings = ThresholdSettings()
    """From when its alarms ring."""
    smoke_test: SmokeTestSettings
    """What a version must answer."""

    @property
    def serverless(self) -> bool:
        """Whether it is serverless."""
        return self.capacity.serverless is not None

    @property
    def isolated(self) -> bool:
        """Whether its container is cut off from every network."""
        chosen = self.network_isolation
        return not self.serverless if chosen is None else chosen

    def rules(self) -> Iterator[Broken]:
        """Yield what a serverless endpoint cannot have, shifting that needs more instances, and a
        drift watch that has nothing to look at."""
        capacity = ("capacity",)
        if self.drift is not None and self.capture_percent is None:
            problem = "looks at captured requests, and none are kept"
            allowed = "null; or a capture_percent"
            yield Broken(("drift",), None, problem, allowed, (("drift",), ("capture_percent",)))
        if self.drift is not None and self.capture_days < self.drift.least_days:
            at, least = ("capture_days",), self.drift.least_days
            problem = "deletes requests before the drift watch has looked at them"
            allowed = f"a whole number from {least} to 3,650; or a shorter period or delay"
            reads = (at, ("drift", "hours"), ("drift", "delay_minutes"))
            yield Broken(at, self.capture_days, problem, allowed, reads)
        if self.serverless:
            for at, value, right in self._not_serverless():
                problem = "is not for a serverless endpoint"
                yield Broken(at, value, problem, f"{right}; or instances", (at, capacity))
        instances, deployment = self.capacity.instances, self.deployment
        for kind in ("canary", "linear"):
            if instances and getattr(deployment, kind) and instances.fewest < 2:
                at = ("deployment", kind)
                problem = f"shifts by instances, and there may be {instances.fewest} only"
                allowed = "2 instances or more at the fewest; or all_at_once"
                yield Broken(at, None, problem, allowed, (at, capacity))

    def _not_serverless(self) -> Iterator[tuple[tuple[str, ...], object, str]]:
        if self.capture_percent is not None:
            yield ("capture_percent",), self.capture_percent, "null"
        for name in ("network_isolation", "in_network"):
            if getattr(self, name):
                yield (name,), True, "false or null"
        for kind in ("canary", "linear"):
            if getattr(self.deployment, kind):
                yield ("deployment", kind), None, "all_at_once"


class ReleaseSettings(Section):
    """The state machine that brings an approved version to its endpoint."""

    keep: int = Field(default=3, ge=1, le=50)
    """How many models and endpoint configurations stay, the live one among them, to go back to."""
    poll_seconds: int = Field(default=30, ge=1, le=300)
    """How often it looks whether CloudFormation has finished, in seconds."""
    timeout_hours: float = Field(default=8, ge=0.25, le=24)
    """After how long a release is given up and told, in hours."""

    def rules(self) -> Iterator[Broken]:
        """Yield more looks than an execution's history holds."""
        looks = math.ceil(3600 * self.timeout_hours / self.poll_seconds)
        if EVENTS_A_LOOK * looks > MOST_EVENTS:
            at = ("poll_seconds",)
            least = math.ceil(3600 * self.timeout_hours * EVENTS_A_LOOK / MOST_EVENTS)
            problem = f"is too often for {self.timeout_hours:g} hours: an execution of AWS Step "
            problem += f"Functions holds {MOST_EVENTS:,} entries"
            allowed = f"a whole number from {least} to 300; or a shorter timeout_hours"
            yield Broken(at, self.poll_seconds, problem, allowed, (at, ("timeout_hours",)))


class HostingSettings(Section):
    """Which models answer requests, and how versions go live."""

    release: ReleaseSettings = ReleaseSettings()
    """How a release works."""
    models: Mapping[ModelName, EndpointSettings]
    """The endpoints, by the name of a model in training."""

    def rules(self) -> Iterator[Broken]:
        """Yield an empty list of models."""
        if not self.models:
            problem, allowed = "no model is given", "at least one; or hosting: null"
            yield Broken(("models",), {}, problem, allowed, (("models",),))
