"""The settings of the drift watch: when it looks, at what, and when it asks for retraining."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from config.base import Broken, Keys, Section, Shape, Unique, whole
from config.jobs import ProcessingJobSettings
from config.names import Prefix
from config.training import Schedule

THRESHOLDS = (
    "psi",
    "jensen_shannon",
    "ks",
    "unseen",
    "outside",
    "auc",
    "log_loss",
    "calibration_gap",
    "precision",
    "recall",
    "bias",
    "impact",
    "unreadable",
    "least_rows",
    "least_group_rows",
    "false_alarms",
)
"""What has a threshold in `ml_src/shared/drift/thresholds.py` (a test compares)."""
HIGHEST = {
    "psi": 100,
    "log_loss": 100,
    "least_rows": 1_000_000_000,
    "least_group_rows": 1_000_000_000,
}
"""Those that are neither a share nor a distance, and may lie above 1."""
COUNTS = ("least_rows", "least_group_rows")
CHANCES = ("false_alarms", "impact")
# The schedules of Model Monitor ("ScheduleConfig"), as AWS writes them elsewhere: on the hour, each
# hour, each day, or every few hours.
_ON_THE_HOUR = re.compile(r"cron\(0 (\*|[0-9]{1,2}(?:/[0-9]{1,2})?) (?:\* \* \?|\? \* \*) \*\)")
_RATES = {"rate(1 hour)": "*", "rate(1 day)": "0"}
LATEST_START_HOURS = 24
"""A start that fails is tried for a day (`MachineSchedule`)."""

Group = Annotated[
    str,
    Field(max_length=100),
    Shape(r"\w+(?:=[^\x00-\x1f=]+)?", 'a feature, or one value of it: "SeniorCitizen=1"'),
]
Feature = Annotated[str, Field(max_length=100), Shape(r"\w+", "the name of a feature")]
Features = Annotated[tuple[Feature, ...], Field(strict=False, max_length=20), Unique("feature")]
Groups = Annotated[tuple[Group, ...], Field(strict=False, max_length=20), Unique("group")]
Thresholds = Annotated[
    Mapping[str, Annotated[float, AfterValidator(whole)]],
    Keys(THRESHOLDS),
    Field(
        json_schema_extra={
            "x-allowed": f"a mapping of {', '.join(THRESHOLDS)} to numbers (docs/drift.md)"
        }
    ),
]


class DriftSettings(Section):
    """A drift watch: a job that compares captured requests, and labels that come later, with what
    the live version was trained and evaluated on (docs/drift.md). It needs `capture_percent`."""

    schedule: Schedule = "cron(0 2 * * ? *)"
    """When to look."""
    hours: int = Field(default=24, ge=1, le=744)
    """The length of the period that is looked at, in hours."""
    delay_minutes: int = Field(default=60, ge=5, le=129_600)
    """How long before `schedule` the period ends, in minutes: how late captured files, or labels,
    may come."""
    settle_minutes: int = Field(default=60, ge=0, le=1440)
    """For so long after a release nothing is looked at, in minutes: the version before may still
    have answered."""
    labels_prefix: Prefix | None = None
    """Where in the data bucket labels lie that come later; null: there are none."""
    groups: Groups = ()
    """Features watched for bias, such as gender or "SeniorCitizen=1"."""
    thresholds: Thresholds = Field(default={})
    """From where on a difference is drift; what is not given has the job's own default."""
    features: Features = ()
    """Features that ring one by one where Model Monitor watches
    (`account_features.model_monitor`). The drift watch looks at all of them."""
    retrain: bool = True
    """true: drift asks for retraining on the platform's event bus, which a model of training hears
    with `start.on_drift_days`."""
    job: ProcessingJobSettings = ProcessingJobSettings()
    """What the job runs on."""

    @property
    def monitor_schedule(self) -> str | None:
        """`schedule` in Model Monitor's own form; None if it has none for it."""
        found = _ON_THE_HOUR.fullmatch(self.schedule)
        hour = found[1] if found else _RATES.get(self.schedule)
        return None if hour is None else f"cron(0 {hour} ? * * *)"

    @property
    def least_days(self) -> int:
        """How many days a captured request must stay for a look to find it."""
        # The period ends on a full hour.
        hours = self.hours + 1 + math.ceil(self.delay_minutes / 60) + LATEST_START_HOURS
        return math.ceil(hours / 24)

    def rules(self) -> Iterator[Broken]:
        """Yield thresholds that the job would refuse."""
        for name, value in self.thresholds.items():
            allowed = _about(name, value)
            if allowed is not None:
                at = ("thresholds", name)
                yield Broken(at, value, "is out of bounds", allowed, (at,))


def _about(name: str, value: float) -> str | None:
    """What a threshold may be, if it is something else."""
    highest = HIGHEST.get(name, 1)
    if name in COUNTS:
        fine, words = value == int(value) and 1 <= value <= highest, "a whole number from 1 to"
    elif name in CHANCES:
        fine, words = 0 < value < 1, "a number between 0 and"
    else:
        fine, words = 0 <= value <= highest, "a number from 0 to"
    return None if fine else f"{words} {highest:,}"
