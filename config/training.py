"""The settings of the training stack: which models are trained, on what, and when."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.base import Broken, Keys, Section, Shape, Unique, meant
from config.fields import Account
from config.jobs import ProcessingJobSettings, TrainingJobSettings
from config.names import ModelName, Prefix
from config.tuning import Hyperparameters, TuningSettings

ALGORITHMS = (
    "xgboost",
    "linear-learner",
    "kmeans",
    "pca",
    "ntm",
    "xgboost-script",
    "scikit-learn",
    "tensorflow",
    "pytorch",
)
"""The names of the catalogue in `sagelens.algorithms` (a test compares); see docs/algorithms.md."""

RULES = ("loss_not_decreasing", "overfit", "vanishing_gradient", "exploding_gradient")
MOST_MINUTES = 43_200
LONGEST_AUTOPILOT = 2_592_000


def _about_algorithm(value: str) -> str | None:
    if value in ALGORITHMS:
        return None
    close = meant(value.replace("_", "-"), ALGORITHMS)
    return "is no algorithm of the catalogue" + (f"; did you mean {close}?" if close else "")


AlgorithmName = Annotated[
    str, Shape("|".join(ALGORITHMS), f"one of {', '.join(ALGORITHMS)}", _about_algorithm)
]

# "Schedule types on EventBridge Scheduler": minutes, hours, day of month, month, day of week, year.
_FIELD = r"[0-9A-Z*?,/#LW-]+"
_RATE = r"rate\([1-9][0-9]{0,4} (?:minute|hour|day)s?\)"
_CRON = rf"cron\({_FIELD}(?: {_FIELD}){{5}}\)"
_NUMBERS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))


def _about_schedule(value: str) -> str | None:
    if re.fullmatch(_RATE, value):
        return None
    if not (value.startswith("cron(") and value.endswith(")")):
        return "is neither a rate nor a cron expression"
    fields = value.removeprefix("cron(").removesuffix(")").split(" ")
    if len(fields) != len(_NUMBERS):
        return f"has {len(fields)} fields, not 6"
    if (fields[2] == "?") is (fields[4] == "?"):
        return "needs ? for the day of the month or for the day of the week, not for both"
    for field, (low, high) in zip(fields, _NUMBERS, strict=True):
        # What follows a slash is a step, and what follows # a week of the month.
        for number in re.findall(r"(?<![/#0-9])[0-9]+", field):
            if not low <= int(number) <= high:
                return f"has {number} where {low} to {high} can be"
    return None


Schedule = Annotated[
    str,
    Field(max_length=256),
    Shape(
        f"{_RATE}|{_CRON}",
        'such as "rate(7 days)" or, in UTC, "cron(0 3 ? * MON *)" (minutes, hours, day of month, '
        "month, day of week, year)",
        _about_schedule,
    ),
]
Announced = Annotated[
    tuple[Literal["Executing", "Stopping", "Stopped", "Failed", "Succeeded"], ...],
    Field(strict=False),
    Unique("status"),
]
Rules = Annotated[Mapping[str, Literal["warn", "end"]], Keys(RULES)]
Accounts = Annotated[tuple[Account, ...], Field(strict=False), Unique("account")]


class GateSettings(Section):
    """What a model must reach to be registered. Give exactly one bound."""

    metric: Annotated[
        str,
        Shape(
            r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,254}",
            "the path of a metric, such as binary_classification_metrics.auc.value",
        ),
    ]
    """The metric that decides: its path in evaluation.json; for a built-in algorithm, which is
    not evaluated, a metric of the training job, such as validation:auc."""
    at_least: float | None = None
    """It must not lie below this."""
    at_most: float | None = None
    """It must not lie above this."""

    def rules(self) -> Iterator[Broken]:
        """Yield no bound, and two."""
        if (self.at_least is None) is (self.at_most is None):
            given = None if self.at_least is None else [self.at_least, self.at_most]
            problem = "has no bound" if given is None else "has two bounds"
            allowed = "at_least or at_most, one of the two"
            yield Broken((), given, problem, allowed, (("at_least",), ("at_most",)))


class StartSettings(Section):
    """What starts the pipeline, besides people. Several may stand together."""

    schedule: Schedule | None = None
    """When to start it, again and again; null: at no set time."""
    on_new_data_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)] | None = None
    """New files under `data_prefix` start it: one run for so many minutes, at their end, however
    many files. null: new files start nothing."""
    on_drift_days: Annotated[int, Field(ge=1, le=365)] | None = None
    """A request to retrain on the platform's event bus (source sagelens.drift, detail-type
    Retraining Requested) starts it, but not again within so many days. null: such a request
    starts nothing."""


class AutopilotSettings(Section):
    """A search by Amazon SageMaker Autopilot, besides the pipeline: its best model becomes a
    version in a model package group of its own ("CreateAutoMLJobV2"). People start it."""

    target: Annotated[str, Shape(r"[^\x00-\x1f]{1,256}", "the name of a column")]
    """The column to foretell."""
    objective: Literal["Accuracy", "F1", "AUC", "BalancedAccuracy", "Precision", "Recall"] = "AUC"
    """What makes a candidate the best ("AutoMLJobObjective")."""
    max_candidates: int = Field(default=10, ge=1, le=750)
    """Models tried ("AutoMLJobCompletionCriteria")."""
    candidate_seconds: int = Field(default=3600, ge=1, le=LONGEST_AUTOPILOT)
    """Longest training of one candidate, in seconds."""
    total_seconds: int = Field(default=14_400, ge=1, le=LONGEST_AUTOPILOT)
    """Longest time of the search, in seconds, at most 30 days. Not less than
    `candidate_seconds`."""

    def rules(self) -> Iterator[Broken]:
        """Yield a search that ends before its first candidate may."""
        if self.total_seconds < self.candidate_seconds:
            yield Broken(
                ("total_seconds",),
                self.total_seconds,
                f"is less than candidate_seconds ({self.candidate_seconds})",
                f"a whole number from {self.candidate_seconds} to {LONGEST_AUTOPILOT}",
                (("total_seconds",), ("candidate_seconds",)),
            )


class ModelCardSettings(Section):
    """What people should know of the model, in its model card ("Amazon SageMaker Model Cards").
    What the configuration knows already is added: algorithm, data, gate."""

    purpose: Annotated[str, Field(max_length=2048)] = ""
    """Why the model was made."""
    intended_uses: Annotated[str, Field(max_length=2048)] = ""
    """What it is to be used for, and what not."""
    owner: Annotated[str, Field(max_length=1024)] = ""
    """Who answers for it."""
    risk: Literal["High", "Medium", "Low", "Unknown"] = "Unknown"
    """How much harm a wrong answer can do."""
    caveats: Annotated[str, Field(max_length=2048)] = ""
    """What to keep in mind when using it."""


class ModelSettings(Section):
    """One model: a pipeline, a model package group and a model card, named
    sagelens-<environment>-<model>."""

    algorithm: AlgorithmName
    """What trains it: a name of the catalogue (docs/algorithms.md). A framework's name
    (xgboost-script, scikit-learn, tensorflow, pytorch) runs the scripts in ml_src/<model>."""
    hyperparameters: Hyperparameters = Field(default={})
    """Hyperparameters by name; what is not given has the algorithm's own default. Each is a
    parameter of the pipeline, so one run may differ. They are checked against AWS's own ranges
    when the stacks are composed."""
    data_prefix: Prefix
    """Where its raw data lie in the data bucket. Ends with "/"."""
    gate: GateSettings
    """What a model must reach to be registered."""
    prepare: ProcessingJobSettings = ProcessingJobSettings()
    """The job that makes training data of raw data."""
    train: TrainingJobSettings = TrainingJobSettings()
    """The job that trains."""
    evaluate: ProcessingJobSettings = ProcessingJobSettings()
    """The job that judges the model; none for a built-in algorithm."""
    tuning: TuningSettings | None = None
    """Search for hyperparameters in place of training once; null: train once."""
    training_rules: Rules | None = Field(
        default=None,
        json_schema_extra={
            "x-allowed": f"a mapping of rules ({', '.join(RULES)}) to warn or end",
        },
    )
    """Training rules, each to warn or to end the job with a reason. They are evaluated by the
    model's training script, so not for a built-in algorithm. null: those that the script chooses by
    itself; {}: none."""
    cache_days: Annotated[int, Field(ge=1, le=365)] | None = None
    """For so many days a step is not run again when nothing of it has changed ("Caching Pipeline
    Steps"). SageMaker compares the addresses of data, not what lies there: null, unless new data
    always come to a new address."""
    start: StartSettings = StartSettings()
    """What starts the pipeline, besides people."""
    announce: Announced = ("Succeeded", "Failed", "Stopped")
    """Which ends (or other statuses) of a run the alarm topic hears of."""
    autopilot: AutopilotSettings | None = None
    """A search by Autopilot on the same data, besides the pipeline; null: none."""
    card: ModelCardSettings = ModelCardSettings()
    """What people should know of the model."""


class TrainingSettings(Section):
    """How models are trained."""

    experiments: bool = True
    """true: each run's parameters, metrics and plots are kept in an MLflow app. Where the Region
    has none, it is off by itself, which the synthesis says."""
    network_isolation: bool = True
    """true: the containers of jobs have neither a network nor credentials; SageMaker brings and
    takes their data ("Run Training and Inference Containers in Internet-Free Mode"). The
    platform's scripts need nothing else."""
    encrypt_between_instances: bool = True
    """true: several instances of one job encrypt what they say to each other, which makes
    distributed training slower ("Protect Communications Between ML Compute Instances in a
    Distributed Training Job"). One instance has nobody to talk to."""
    share_models_with: Accounts = ()
    """Accounts that may read the model packages, each 12 digits in quotes."""
    models: Mapping[ModelName, ModelSettings]
    """The models, by name."""

    def rules(self) -> Iterator[Broken]:
        """Yield an empty list of models."""
        if not self.models:
            problem, allowed = "no model is given", "at least one; or training: null"
            yield Broken(("models",), {}, problem, allowed, (("models",),))
