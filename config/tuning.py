"""Hyperparameters, and the ranges in which a tuning job looks for better ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.base import Broken, JsonSchema, Loc, Section, Shape

# "HyperParameters" of CreateTrainingJob: at most 100, a key at most 256 characters. Each is a
# parameter of the pipeline, whose default may have 1,024.
MOST_HYPERPARAMETERS = 100
LONGEST_VALUE = 1024
# "Resource limits for automatic model tuning".
MOST_TUNED = 30
MOST_CATEGORIES = 30
MOST_JOBS = 750
MOST_PARALLEL_JOBS = 100

Epochs = Annotated[int, Field(ge=1, le=1_000_000)]

_SCALAR = [{"type": "number"}, {"type": "string"}, {"type": "boolean"}]

PIPELINE_PARAMETERS = (
    "DataUrl",
    "PrepareInstanceType",
    "TrainInstanceType",
    "TrainInstanceCount",
    "EvaluateInstanceType",
    "ApprovalStatus",
    "Least",
    "Most",
    "TuneMaxJobs",
    "TuneParallelJobs",
)
"""A pipeline's own parameters, beside which the hyperparameters stand (a test compares)."""


def _about_name(value: str) -> str | None:
    if value in PIPELINE_PARAMETERS:
        return "is a parameter that every pipeline has"
    return "belongs to the container" if value.startswith("sagemaker_") else None


HyperparameterName = Annotated[
    str,
    Shape(
        r"(?!sagemaker_)[A-Za-z0-9_-]{1,256}",
        "1 to 256 letters, digits, underscores and hyphens, not beginning with sagemaker_, and "
        f"none of {', '.join(PIPELINE_PARAMETERS)}",
        _about_name,
    ),
]


@dataclass(frozen=True)
class _Checked:
    """Annotation of a value of several types: one check in words, and what editors are told."""

    check: Any
    allowed: str
    schema: tuple[JsonSchema, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler):
        return core_schema.no_info_plain_validator_function(self._validated)

    def _validated(self, value: Any) -> Any:
        problem, kept = self.check(value)
        if problem is not None:
            context = {"problem": problem, "allowed": self.allowed}
            raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
        return kept

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {"anyOf": list(self.schema), "x-allowed": self.allowed}


def _value(value: Any) -> tuple[str | None, Any]:
    if not isinstance(value, str | int | float | bool):
        return "is no single value", None
    if isinstance(value, float) and not abs(value) < float("inf"):
        return "is not a finite number", None
    if len(str(value)) > LONGEST_VALUE:
        return "is too long", None
    return None, value


HyperparameterValue = Annotated[
    str | int | float | bool,
    _Checked(
        _value,
        f"a number, text of at most {LONGEST_VALUE:,} characters, true or false",
        tuple(_SCALAR),
    ),
]
Hyperparameters = Annotated[
    Mapping[HyperparameterName, HyperparameterValue],
    Field(
        max_length=MOST_HYPERPARAMETERS,
        json_schema_extra={
            "x-allowed": f"a mapping of at most {MOST_HYPERPARAMETERS} names to numbers, text, "
            "true or false"
        },
    ),
]


def _range(value: Any) -> tuple[str | None, Any]:
    """Judge a range: null, [low, high] or a list of texts."""
    if value is None:
        return None, None
    if not isinstance(value, list | tuple):
        return "is no range", None
    items = list(cast(list[Any], value))
    if items and all(isinstance(item, str) for item in items):
        return _categories(items)
    if len(items) != 2 or not all(_is_number(item) for item in items):
        return "is no range", None
    low, high = items
    if low >= high:
        return f"begins at {low} and ends at {high}, which leaves nothing to search", None
    return None, (low, high)


def _is_number(item: Any) -> bool:
    if isinstance(item, bool) or not isinstance(item, int | float):
        return False
    return isinstance(item, int) or abs(item) < float("inf")


def _categories(items: list[str]) -> tuple[str | None, Any]:
    if len(items) > MOST_CATEGORIES:
        return f"has {len(items)} values", None
    if len(set(items)) < len(items):
        return "has a value twice", None
    return None, tuple(items)


SearchRange = Annotated[
    tuple[float, float] | tuple[str, ...] | None,
    _Checked(
        _range,
        "[low, high] with low below high; a list of 1 to 30 texts, each once; or null for the "
        "range that AWS recommends",
        (
            {"type": "array", "items": {"anyOf": _SCALAR[:2]}, "minItems": 1, "maxItems": 30},
            {"type": "null"},
        ),
    ),
]
SearchRanges = Annotated[
    Mapping[HyperparameterName, SearchRange],
    Field(
        min_length=1,
        max_length=MOST_TUNED,
        json_schema_extra={
            "x-allowed": f"a mapping of 1 to {MOST_TUNED} hyperparameters to ranges: [low, high], "
            "a list of texts, or null for the range that AWS recommends"
        },
    ),
]


class TuningSettings(Section):
    """A tuning job in the place of the training job: it trains many times with other
    hyperparameters, and the best model goes on ("Automatic model tuning with SageMaker AI")."""

    ranges: SearchRanges
    """The hyperparameters to search, each with its range. They may not stand in
    `hyperparameters` as well."""
    objective: Annotated[
        str, Shape(r"[^\x00-\x1f]{1,255}", "the name of a metric, such as validation:auc")
    ] = "validation:auc"
    """The metric of the training job to better, one that the algorithm reports."""
    goal: Literal["Maximize", "Minimize"] | None = None
    """Whether more or less of it is better; null: as the catalogue of algorithms knows of it."""
    strategy: Literal["Bayesian", "Random", "Hyperband", "Grid"] = "Bayesian"
    """How to search ("Understand the hyperparameter tuning strategies available in Amazon
    SageMaker AI")."""
    max_jobs: int = Field(default=10, ge=1, le=MOST_JOBS)
    """Training jobs in all ("Resource limits for automatic model tuning"). With Grid it is the
    number of combinations, and this is not used."""
    parallel_jobs: int = Field(default=2, ge=1, le=MOST_PARALLEL_JOBS)
    """Training jobs at a time; not more than `max_jobs`. An account begins with a quota of 10."""
    early_stopping: bool | None = None
    """Whether SageMaker ends jobs early that will hardly become the best; null: true, but with
    Hyperband, which stops jobs by a rule of its own."""
    epochs: (
        Annotated[tuple[Epochs, ...], Field(strict=False, min_length=2, max_length=2)] | None
    ) = None
    """[fewest, most] epochs of a job, with Hyperband only, which needs them
    ("HyperbandStrategyConfig")."""

    def rules(self) -> Iterator[Broken]:
        """Yield more jobs at a time than in all, and what does not go with Hyperband."""
        if self.parallel_jobs > self.max_jobs and self.strategy != "Grid":
            at: Loc = ("parallel_jobs",)
            problem = f"is more than max_jobs ({self.max_jobs})"
            allowed = f"a whole number from 1 to {self.max_jobs}"
            yield Broken(at, self.parallel_jobs, problem, allowed, (at, ("max_jobs",)))
        hyperband = self.strategy == "Hyperband"
        if self.early_stopping and hyperband:
            at = ("early_stopping",)
            problem = "Hyperband stops jobs by a rule of its own"
            yield Broken(at, True, problem, "null; or another strategy", (at, ("strategy",)))
        if hyperband is (self.epochs is None):
            at = ("epochs",)
            problem = "Hyperband needs to know them" if hyperband else "only Hyperband uses them"
            allowed = "such as [1, 27]" if hyperband else "null; or strategy: Hyperband"
            given = list(self.epochs) if self.epochs else None
            yield Broken(at, given, problem, allowed, (at, ("strategy",)))
        if self.epochs is not None and self.epochs[0] >= self.epochs[1]:
            at = ("epochs",)
            yield Broken(at, list(self.epochs), "begins where it ends", "[fewest, most]", (at,))
