"""The jobs of a training pipeline: what each runs on, and for how long."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from config.base import Broken, JsonSchema, Section, Shape, meant
from config.instances import PROCESSING, TRAINING

LONGEST_PROCESSING = 777_600
LONGEST_TRAINING = 2_419_200
LARGEST_VOLUME = 16_384

TYPE_FORM = r"ml\.[a-z0-9-]+\.(?:medium|x?large|[0-9]+xlarge)"


@dataclass(frozen=True)
class InstanceType(Shape):
    """An instance type of a list; the schema for editors knows only its form."""

    known: tuple[str, ...] = ()

    def check(self, value: str) -> str:
        if value in self.known:
            return value
        return Shape(self.pattern, self.allowed, self._unknown).check(value)

    def _unknown(self, value: str) -> str:
        prefixed = value if value.startswith("ml.") else f"ml.{value}"
        close = prefixed if prefixed in self.known else meant(prefixed, self.known)
        return "is unknown" + (f"; did you mean {close}?" if close else "")

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {
            **handler(core_schema.str_schema()),
            "pattern": f"^(?:{self.pattern})$",
            "x-allowed": self.allowed,
        }


ProcessingInstance = Annotated[
    str,
    InstanceType(
        TYPE_FORM,
        'an instance type that SageMaker has for processing jobs, such as "ml.m5.large" '
        '("ProcessingClusterConfig")',
        known=PROCESSING,
    ),
]
TrainingInstance = Annotated[
    str,
    InstanceType(
        TYPE_FORM,
        'an instance type that SageMaker has for training jobs, such as "ml.m5.xlarge" '
        '("ResourceConfig")',
        known=TRAINING,
    ),
]
VolumeSize = Annotated[int, Field(ge=1, le=LARGEST_VOLUME)]


class ProcessingJobSettings(Section):
    """A processing job: a script that prepares data or evaluates a model."""

    instance_type: ProcessingInstance = "ml.m5.large"
    """What it runs on. An account's quota for a type may be 0 at first ("Service Quotas")."""
    volume_gb: VolumeSize = 30
    """Its storage in GB ("ProcessingClusterConfig")."""
    max_runtime_seconds: int = Field(default=3600, ge=1, le=LONGEST_PROCESSING)
    """How long it may run before SageMaker stops it, in seconds
    ("ProcessingStoppingCondition": at most nine days; the quota of an account may be less)."""


class TrainingJobSettings(Section):
    """The training job, or each of a tuning job."""

    instance_type: TrainingInstance = "ml.m5.xlarge"
    """What it runs on. An account's quota for a type may be 0 at first, and spot instances have
    quotas of their own ("Service Quotas")."""
    instance_count: int = Field(default=1, ge=1, le=100)
    """On how many instances it runs; more than one needs an algorithm, or a script, that
    distributes its work."""
    volume_gb: VolumeSize = 30
    """Its storage in GB ("ResourceConfig")."""
    max_runtime_seconds: int = Field(default=3600, ge=1, le=LONGEST_TRAINING)
    """How long it may run before SageMaker stops it, in seconds ("StoppingCondition"; at most
    28 days)."""
    spot: bool = True
    """true: on spot instances, which AWS may take back at any time; the job then goes on from its
    last checkpoint ("Managed Spot Training in Amazon SageMaker AI")."""
    max_wait_seconds: Annotated[int, Field(ge=1, le=LONGEST_TRAINING)] | None = None
    """How long a spot job may take with all its waiting, in seconds; not less than
    `max_runtime_seconds`. null: twice that, or 28 days if that is less. Only with `spot`."""

    @property
    def spot_seconds(self) -> int | None:
        """How long a spot job may take in all; None for a job that waits for no spot instance."""
        if not self.spot:
            return None
        return self.max_wait_seconds or min(2 * self.max_runtime_seconds, LONGEST_TRAINING)

    def rules(self) -> Iterator[Broken]:
        """Yield a wait that is shorter than the run, and one for a job that never waits."""
        wait, run = self.max_wait_seconds, self.max_runtime_seconds
        if wait is not None and not self.spot:
            yield Broken(
                ("max_wait_seconds",),
                wait,
                "is given, but the job is on no spot instance and never waits for one",
                "null; or spot: true",
                (("max_wait_seconds",), ("spot",)),
            )
        elif wait is not None and wait < run:
            yield Broken(
                ("max_wait_seconds",),
                wait,
                f"is less than max_runtime_seconds ({run}), which it includes",
                f"a whole number from {run} to {LONGEST_TRAINING}; or null",
                (("max_wait_seconds",), ("max_runtime_seconds",)),
            )
