"""The settings of batch scoring: which files, when, on what, and how long results are kept."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from config.base import Broken, Section
from config.instances import TRANSFORM
from config.jobs import TYPE_FORM, InstanceType
from config.names import Prefix
from config.training import Schedule

LONGEST_BATCH = 432_000

TransformInstance = Annotated[
    str,
    InstanceType(
        TYPE_FORM,
        'an instance type that SageMaker has for batch transform, such as "ml.m5.large" '
        '("TransformResources")',
        known=TRANSFORM,
    ),
]


class TransformJobSettings(Section):
    """A transform job, which bills by the second while it runs."""

    instance_type: TransformInstance = "ml.m5.large"
    """What it runs on. An account's quota for a type may be 0 at first ("Service Quotas")."""
    instance_count: int = Field(default=1, ge=1, le=100)
    """Among how many instances the files are shared; a file is never split."""
    max_runtime_seconds: int = Field(default=14_400, ge=60, le=LONGEST_BATCH)
    """After how long it is stopped, in seconds; at most five days."""


class BatchSettings(Section):
    """Scores the files of a folder with the live version, without the endpoint
    (docs/batch-scoring.md). `{}` takes the defaults."""

    prefix: Prefix | None = None
    """Where in the data bucket the files lie, without a header line; null: <model>/batch/."""
    schedule: Schedule | None = None
    """When to score all files of the folder, those that were scored before too; null: people or
    programs start it, for the folder or a part of it."""
    content_type: Literal["text/csv", "application/jsonlines"] = "text/csv"
    """The form of files and results; each line is a record."""
    identifiers: int = Field(default=0, ge=0, le=10)
    """How many columns at the front of a record only say whose it is: the model does not get
    them, and results hold them and the answer alone. 0: the model gets all of a record, and
    results hold all of it and the answer. Only with text/csv."""
    result_days: int = Field(default=30, ge=1, le=3650)
    """After how many days results, which lie in the models bucket below <model>/scores/, are
    deleted."""
    job: TransformJobSettings = TransformJobSettings()
    """What the job runs on."""

    def prefix_for(self, model: str) -> str:
        """Where the files lie.

        Args:
            model: the model's name.
        """
        return self.prefix or f"{model}/batch/"

    def rules(self) -> Iterator[Broken]:
        """Yield identifiers of records that have no columns."""
        if self.identifiers and self.content_type != "text/csv":
            at = ("identifiers",)
            problem = f"counts columns, which {self.content_type} does not have"
            yield Broken(at, self.identifiers, problem, "0; or text/csv", (at, ("content_type",)))
