"""What a training pipeline is asked for: data, gate, tuning, retries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from .algorithms import CategoricalRange, Range
from .algorithms.metric import Goal
from .errors import ArgumentErrors

Strategy = Literal["Bayesian", "Random", "Hyperband", "Grid"]
ExecutionStatus = Literal["Executing", "Stopping", "Stopped", "Failed", "Succeeded"]
RuleAction = Literal["warn", "end"]

MOST_TUNED = 30
MOST_JOBS = 750
MOST_RANDOM_JOBS = 10_000
MOST_TUNING_METRICS = 20


@dataclass(frozen=True, kw_only=True)
class DataLocation:
    """Where raw data lie.

    Args:
        bucket: The bucket.
        prefix: Folder in it, such as ``churn/customers/``; it ends with ``/``.
        encryption_key: The bucket's key where it is not that of the pipeline.
    """

    bucket: s3.IBucket
    prefix: str
    encryption_key: kms.IKey | None = None

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it."""
        errors.require(
            self.prefix.endswith("/") and not self.prefix.startswith("/"),
            f"data.prefix: got {self.prefix!r}, allowed is a folder such as 'churn/customers/'",
        )


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a model must reach to be registered: one metric, and one bound.

    Args:
        metric: Path of the metric in the evaluation's file, such as
            ``binary_classification_metrics.auc.value``; where nothing is evaluated, a metric of
            the training job, such as ``validation:auc``.
        at_least: The metric must not lie below; an execution's parameter ``Least``.
        at_most: The metric must not lie above; an execution's parameter ``Most``.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How hyperparameters are searched for.

    Sources: "Understand the hyperparameter tuning strategies available in Amazon SageMaker AI" and
    "Resource Limits for Automatic Model Tuning" (Amazon SageMaker AI), whose upper ends are taken
    where an account may have a quota raised.

    Args:
        ranges: Range by hyperparameter, 30 at most; None takes the one that AWS recommends. A list
            of values has 30 at most, too.
        objective: The metric that is to get better.
        goal: Whether more or less is better; None: as the catalogue knows of the metric.
        strategy: How the next values are chosen.
        max_jobs: Training jobs in all, 1 to 750, with ``Random`` to 10,000; with ``Grid`` it is
            the number of combinations, 750 at most, and is not asked.
        parallel_jobs: Training jobs at a time, 1 to 100; an account begins with 10.
        early_stopping: Whether jobs that promise nothing are stopped (``Auto``) or not (``Off``);
            None: ``Auto``, and ``Off`` with ``Hyperband``, which stops jobs by itself.
        resources: With ``Hyperband``, the fewest and the most epochs of a job.
        max_runtime_seconds: The search ends after so many seconds, 120 to 15,768,000.
        seed: Makes the choice of values repeatable, 0 to 2,147,483,647.
    """

    ranges: Mapping[str, Range | None]
    objective: str
    goal: Goal | None = None
    strategy: Strategy = "Bayesian"
    max_jobs: int = 10
    parallel_jobs: int = 2
    early_stopping: Literal["Auto", "Off"] | None = None
    resources: tuple[int, int] | None = None
    max_runtime_seconds: int | None = None
    seed: int | None = None

    @property
    def combinations(self) -> int:
        """How many there are of the lists of values, which is how many jobs a grid takes."""
        lists = [one for one in self.ranges.values() if isinstance(one, CategoricalRange)]
        return math.prod(len(one.values) for one in lists)

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it, whatever the algorithm."""
        hyperband = self.strategy == "Hyperband"
        errors.require(
            self.strategy in get_args(Strategy),
            f"tuning.strategy: got {self.strategy!r}, allowed are {', '.join(get_args(Strategy))}",
        )
        lists = [one for one in self.ranges.values() if isinstance(one, CategoricalRange)]
        errors.between("tuning.ranges", len(self.ranges), 1, MOST_TUNED)
        errors.require(
            all(len(one.values) <= MOST_TUNED for one in lists),
            f"tuning.ranges: got a list of more than {MOST_TUNED} values, allowed are {MOST_TUNED}",
        )
        most = MOST_RANDOM_JOBS if self.strategy == "Random" else MOST_JOBS
        errors.between("tuning.max_jobs", self.max_jobs, 1, most)
        errors.require(
            self.strategy != "Grid" or self.combinations <= MOST_JOBS,
            f"tuning.ranges: the grid has {self.combinations:,} combinations, allowed are "
            f"{MOST_JOBS}",
        )
        errors.between("tuning.parallel_jobs", self.parallel_jobs, 1, 100)
        errors.between(
            "tuning.max_runtime_seconds", self.max_runtime_seconds or 120, 120, 15_768_000, unit="s"
        )
        errors.between("tuning.seed", self.seed or 0, 0, 2**31 - 1)
        errors.require(
            not (hyperband and self.early_stopping == "Auto"),
            "tuning.early_stopping: got 'Auto', allowed is 'Off' with Hyperband, which stops jobs "
            "by itself",
        )
        low, high = self.resources or (1, 2)
        errors.require(
            self.resources is None or (hyperband and 1 <= low < high),
            f"tuning.resources: got {self.resources}, allowed are, with Hyperband, two whole "
            "numbers of 1 and more, the lower first",
        )
        errors.require(
            self.strategy != "Grid"
            or all(isinstance(one, CategoricalRange) for one in self.ranges.values()),
            "tuning.ranges: with Grid, allowed are lists of values only",
        )


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often a step is tried again after an error that is none of its own.

    Source: "Retry Policy for Pipeline Steps" (Amazon SageMaker AI).

    Args:
        attempts: Attempts after a fault of the service, of throttling, or of the job's
            infrastructure, 1 to 20; 0: none.
        interval_seconds: Time before the first of them, 1 to 43,200 s.
        backoff: By what this time grows with each attempt, 1 or more.
        capacity_minutes: How long to try where capacity or quota is short, 1 to 14,400 min;
            0: not at all.
    """

    attempts: int = 3
    interval_seconds: int = 30
    backoff: float = 2.0
    capacity_minutes: int = 120

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it."""
        errors.between("retries.attempts", self.attempts, 0, 20)
        errors.between("retries.interval_seconds", self.interval_seconds, 1, 43_200, unit="s")
        errors.require(
            self.backoff >= 1, f"retries.backoff: got {self.backoff}, allowed is 1 or more"
        )
        errors.between("retries.capacity_minutes", self.capacity_minutes, 0, 14_400, unit="min")


class Tracking(Protocol):
    """What records a run, after its evaluation and before its gate, by one call of a function.

    :class:`ExperimentTracking` is one. The function's answers go into the model version's
    customer metadata.
    """

    @property
    def OUTPUTS(self) -> Sequence[str]:
        """Names of the texts that the function answers."""
        ...

    @property
    def function_arn(self) -> str:
        """ARN of the function to call; it may run for ten minutes."""
        ...

    def step_arguments(
        self,
        *,
        experiment: str,
        execution_arn: Any,
        training_job: Any,
        model_group: Any,
        model_url: Any,
        model: Any = "",
        evaluation_url: Any = "",
        plots_url: Any = "",
        parameters: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The arguments of the call; each value is a text or a value of the execution."""
        ...
