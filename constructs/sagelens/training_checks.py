"""What can be wrong with the arguments of a training pipeline, all of it at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

import aws_cdk as cdk

from .algorithms import Algorithm, AlgorithmError, Range
from .algorithms.metric import Goal
from .debugger_rules import RULES
from .errors import ArgumentErrors
from .jobs import PipelineJobs
from .pipeline_definition.limits import PARAMETER_NAME
from .recipe import Recipe
from .source_archive import SourceArchive
from .training_metrics import training_metrics
from .training_plan import (
    MOST_TUNING_METRICS,
    ExecutionStatus,
    Gate,
    Retries,
    RuleAction,
    Tuning,
)

# AWS shows a pipeline's ARN in lower case in some places, and events are chosen by it.
NAME = re.compile(r"[a-z0-9](-*[a-z0-9]){0,255}")
MODEL = re.compile(r"[a-z0-9](-*[a-z0-9]){0,62}")
FOLDER = re.compile(r"[A-Za-z0-9_-]{1,64}")
APPROVALS = ("PendingManualApproval", "Approved", "Rejected")
RESERVED_PARAMETERS = (
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
LONGEST_ARGUMENT = 256

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the arguments come to.

    Attributes:
        hyperparameters: Their texts, tuned ones apart.
        ranges: Range by tuned hyperparameter.
        goal: Whether more or less of the objective is better; None without tuning.
        metrics: ``MetricDefinitions`` of the training job.
    """

    hyperparameters: Mapping[str, str]
    ranges: Mapping[str, Range]
    goal: Goal | None
    metrics: Sequence[dict[str, str]]


class TrainingChecks:
    """Checks arguments that belong together, and notes what is wrong with them.

    Args:
        errors: Where to note it.
        recipe: The model's scripts.
        algorithm: What trains.
        source: The code archive.
    """

    def __init__(
        self, errors: ArgumentErrors, recipe: Recipe, algorithm: Algorithm, source: SourceArchive
    ) -> None:
        self._errors = errors
        self._recipe = recipe
        self._algorithm = algorithm
        self._source = source

    def of_names(self, name: str, environment_name: str) -> None:
        """Check the pipeline's own names."""
        for argument, value, pattern in (
            ("name", name, NAME),
            ("recipe.model", self._recipe.model, MODEL),
        ):
            self._errors.require(
                cdk.Token.is_unresolved(value) or bool(pattern.fullmatch(value)),
                f"{argument}: got {value!r}, allowed are lower-case letters, digits, and hyphens "
                "between them",
            )
        self._errors.require(
            bool(re.fullmatch(r"[\w .:/=+@-]{1,256}", environment_name)),
            f"environment_name: got {environment_name!r}, allowed are 1 to 256 letters, digits, "
            "spaces and _.:/=+@-",
        )

    def of_recipe(self) -> None:
        """Check what the scripts read and write, and that they are there."""
        recipe, errors = self._recipe, self._errors
        scripts = {"prepare": recipe.at(recipe.prepare)}
        if recipe.trains_by_script(self._algorithm):
            scripts["train"] = recipe.at(recipe.train)
        if recipe.evaluates(self._algorithm):
            scripts["evaluate"] = recipe.at(recipe.evaluate)
        for argument, path in scripts.items():
            errors.require(
                path is not None and self._source.text(path) is not None,
                f"recipe.{argument}: got {path!r}, allowed is a file of the archive of "
                f"{self._source.folder.name}/",
            )
        for argument in ("prepared", "evaluated"):
            names: Sequence[str] = getattr(recipe, argument)
            errors.require(
                bool(names)
                and len(set(names)) == len(names)
                and all(FOLDER.fullmatch(name) for name in names),
                f"recipe.{argument}: got {list(names)}, allowed are different names of letters, "
                "digits, - and _",
            )
        self._subset("channels", recipe.training_channels(self._algorithm), "prepared")
        self._subset("evaluation_channels", recipe.evaluation_channels, "prepared")
        self._subset("baseline", [recipe.baseline] if recipe.baseline else [], "prepared")
        self._subset("plots", [recipe.plots] if recipe.plots else [], "evaluated")
        report = recipe.explainability
        self._subset("explainability", [report.partition("/")[0]] if report else [], "evaluated")
        long = [
            text
            for text in (*recipe.prepare_arguments, *recipe.evaluate_arguments)
            if len(text) > LONGEST_ARGUMENT
        ]
        errors.require(
            not long,
            f"recipe: arguments of {', '.join(str(len(text)) for text in long)} characters, "
            f"allowed are {LONGEST_ARGUMENT}",
        )
        self._algorithm_errors(
            "recipe.channels",
            lambda: self._algorithm.check_channels(recipe.training_channels(self._algorithm)),
        )

    def _subset(self, argument: str, names: Sequence[str], of: str) -> None:
        allowed: Sequence[str] = getattr(self._recipe, of)
        self._errors.require(
            set(names) <= set(allowed),
            f"recipe.{argument}: got {list(names)}, allowed are those of recipe.{of}: "
            f"{', '.join(allowed)}",
        )

    def of_training(
        self,
        hyperparameters: Mapping[str, object],
        rules: Mapping[str, RuleAction] | None,
        tuning: Tuning | None,
    ) -> Checked:
        """Check hyperparameters, rules, metrics and tuning, and give what they come to."""
        given = {**hyperparameters, **self._rules(hyperparameters, rules)}
        ranges: Mapping[str, Range] = {}
        if tuning is not None:
            found = self._algorithm_errors(
                "tuning.ranges", lambda: self._algorithm.tuning_ranges(tuning.ranges)
            )
            ranges = found or {}
        tuned = tuple(tuning.ranges) if tuning else ()
        texts = self._algorithm_errors(
            "hyperparameters", lambda: self._algorithm.hyperparameters(given, tuned=tuned)
        )
        for name in texts or {}:
            self._errors.require(
                bool(PARAMETER_NAME.fullmatch(name)) and name not in RESERVED_PARAMETERS,
                f"hyperparameters: {name!r} is to be a parameter of executions; allowed are "
                f"letters, digits, - and _, and none of {', '.join(RESERVED_PARAMETERS)}",
            )
        metrics = training_metrics(self._recipe, self._algorithm, self._source, self._errors)
        goal = self._tuning(tuning, metrics) if tuning else None
        return Checked(hyperparameters=texts or {}, ranges=ranges, goal=goal, metrics=metrics)

    def _rules(
        self, hyperparameters: Mapping[str, object], rules: Mapping[str, RuleAction] | None
    ) -> dict[str, str]:
        if rules is None:
            return {}
        errors = self._errors
        errors.require(
            not rules or self._recipe.trains_by_script(self._algorithm),
            f"rules: got {', '.join(rules)}, allowed are none where no script trains: it is the "
            "script that looks at them",
        )
        errors.require("rules" not in hyperparameters, "rules: are in hyperparameters as well")
        for name, action in rules.items():
            errors.require(
                name in RULES and action in get_args(RuleAction),
                f"rules.{name}: got {action!r}, allowed are {', '.join(RULES)}, each with "
                f"{' or '.join(get_args(RuleAction))}",
            )
        if not self._recipe.trains_by_script(self._algorithm):
            return {}
        words = [name if action == "warn" else f"{name}:end" for name, action in rules.items()]
        return {"rules": ",".join(words)}

    def _tuning(self, tuning: Tuning, metrics: Sequence[dict[str, str]]) -> Goal | None:
        errors = self._errors
        tuning.check(errors)
        errors.require(
            len(metrics) <= MOST_TUNING_METRICS,
            f"tuning: the training job has {len(metrics)} metrics, allowed are "
            f"{MOST_TUNING_METRICS} in a tuning job; name yours in recipe.metrics",
        )
        names = self._metric_names(metrics)
        if tuning.goal is not None or not self._algorithm.reads_own_metrics:
            errors.require(
                tuning.objective in names,
                f"tuning.objective: got {tuning.objective!r}, allowed are the metrics of the "
                f"training job: {', '.join(names) or 'it has none'}",
            )
            if tuning.goal is not None:
                return tuning.goal
        known = self._algorithm_errors(
            "tuning.objective", lambda: self._algorithm.objective(tuning.objective)
        )
        return known.goal if known else None

    def _metric_names(self, metrics: Sequence[dict[str, str]]) -> list[str]:
        """The metrics of the training job, by definitions of ours or of SageMaker's."""
        if self._algorithm.reads_own_metrics:
            return [one.name for one in self._algorithm.metrics]
        return [one["Name"] for one in metrics]

    def of_gate(self, gate: Gate, tuning: Tuning | None, metrics: Sequence[dict[str, str]]) -> None:
        """Check the gate against what there is to read."""
        errors = self._errors
        bounds = [one for one in (gate.at_least, gate.at_most) if one is not None]
        errors.require(
            len(bounds) == 1 and math.isfinite(bounds[0]),
            f"gate: got at_least {gate.at_least} and at_most {gate.at_most}, allowed is one of "
            "the two, a finite number",
        )
        if self._recipe.evaluates(self._algorithm):
            errors.require(
                bool(re.fullmatch(r"[A-Za-z0-9_.\[\]'-]+", gate.metric)),
                f"gate.metric: got {gate.metric!r}, allowed is a path in {self._recipe.evaluation} "
                "such as 'binary_classification_metrics.auc.value'",
            )
            return
        allowed = [tuning.objective] if tuning else self._metric_names(metrics)
        errors.require(
            gate.metric in allowed,
            f"gate.metric: got {gate.metric!r}, allowed are, where nothing is evaluated, the "
            f"metrics of the training job: {', '.join(allowed) or 'it has none'}",
        )

    def of_jobs(self, jobs: PipelineJobs) -> None:
        """Check what the jobs run on."""
        jobs.prepare.check("jobs.prepare", self._errors)
        jobs.train.check("jobs.train", self._errors)
        if self._recipe.evaluates(self._algorithm):
            jobs.evaluate.check("jobs.evaluate", self._errors)
        jobs.train.check_wait("jobs.train", self._algorithm.longest_spot_wait, self._errors)
        self._algorithm_errors(
            "jobs.train",
            lambda: self._algorithm.check_instances(
                jobs.train.instance_type, jobs.train.instance_count
            ),
        )

    def of_operation(
        self,
        retries: Retries,
        cache_days: int | None,
        announce: Sequence[str],
        approval_status: str,
    ) -> None:
        """Check how executions are run and told of."""
        errors = self._errors
        retries.check(errors)
        if cache_days is not None:
            errors.between("cache_days", cache_days, 1, 3650, unit="days")
        statuses = get_args(ExecutionStatus)
        errors.require(
            set(announce) <= set(statuses) and len(set(announce)) == len(announce),
            f"announce: got {list(announce)}, allowed are {', '.join(statuses)}, each once",
        )
        errors.require(
            approval_status in APPROVALS,
            f"approval_status: got {approval_status!r}, allowed are {', '.join(APPROVALS)}",
        )

    def _algorithm_errors(self, argument: str, check: Callable[[], T]) -> T | None:
        """Note what an algorithm has against something; None if it has."""
        try:
            return check()
        except AlgorithmError as error:
            for problem in error.problems:
                self._errors.require(False, f"{argument}: {problem} ({error.algorithm})")
            return None
