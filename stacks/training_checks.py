"""What the configuration cannot know of training by itself, checked before anything is built.

`config` knows neither the catalogue of algorithms nor the models' scripts. What is found here is
reported together with the file's other errors, each at its field: `config.load(…, check=…)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from config import Broken, EnvironmentSettings, ModelSettings
from sagelens import Recipe
from sagelens.algorithms import Algorithm, AlgorithmError, algorithm
from sagelens.algorithms.problems import Problem
from stacks.training_plans import SOURCE, printed_metrics, ranges_of, recipe_of

Path = tuple[str | int, ...]
GRADIENT_RULES = ("vanishing_gradient", "exploding_gradient")
WITH_GRADIENTS = ("tensorflow", "pytorch")


def training_problems(settings: EnvironmentSettings) -> Iterator[Broken]:
    """Yield what is wrong with each model by the catalogue's and the scripts' own account."""
    if settings.training is None:
        return
    for name, model in settings.training.models.items():
        asked = _Asked(("training", "models", name), model, algorithm(model.algorithm), name)
        yield from asked.problems()
        yield from asked.in_region(settings.region)
        if settings.account_features.debugger:
            yield from asked.debugged()


@dataclass(frozen=True)
class _Asked:
    """One model as it is asked for."""

    at: Path
    model: ModelSettings
    chosen: Algorithm
    name: str

    @property
    def recipe(self) -> Recipe:
        return recipe_of(self.name)

    @property
    def built_in(self) -> bool:
        return self.chosen.mode == "built-in"

    def problems(self) -> Iterator[Broken]:
        yield from self._hyperparameters()
        yield from self._ranges()
        yield from self._objective()
        yield from self._gate()
        yield from self._compute()
        yield from self._spot()
        yield from self._rules()
        yield from self._scripts()

    def _broken(
        self, field: Path, value: object, problem: str, allowed: str, *reads: Path
    ) -> Broken:
        """A broken rule of a field; it also read the algorithm, and whatever ``reads`` says."""
        read = [field, ("algorithm",), *reads]
        return Broken(
            (*self.at, *field), value, problem, allowed, tuple((*self.at, *one) for one in read)
        )

    def _told(
        self, problems: Iterable[Problem], field: Path, values: Mapping[str, object], *reads: Path
    ) -> Iterator[Broken]:
        """The catalogue's problems, each at the key that it names below a field."""
        for one in problems:
            given = values.get(one.name)
            yield self._broken((*field, one.name), given, one.problem, one.allowed, *reads)

    def _hyperparameters(self) -> Iterator[Broken]:
        tuned = self.model.tuning.ranges if self.model.tuning else ()
        values = dict(self.model.hyperparameters)
        found = self.chosen.hyperparameter_problems(values, tuned=tuned)
        field: Path = ("hyperparameters",)
        yield from self._told(found, field, values, field, ("tuning",))

    def _ranges(self) -> Iterator[Broken]:
        field: Path = ("tuning", "ranges")
        if self.model.tuning is None:
            return
        given = dict(self.model.tuning.ranges)
        try:
            self.chosen.tuning_ranges(ranges_of(self.chosen, self.model))
        except AlgorithmError as error:
            yield from self._told(error.problems, field, given)

    def _objective(self) -> Iterator[Broken]:
        tuning = self.model.tuning
        if tuning is None:
            return
        field: Path = ("tuning", "objective")
        # SageMaker reads some images' logs by expressions of its own and takes no others.
        own = self.chosen.reads_own_metrics
        printed = () if own else printed_metrics(self.recipe)
        if tuning.goal is not None and tuning.objective in (
            *printed,
            *(one.name for one in self.chosen.metrics),
        ):
            return
        try:
            self.chosen.objective(tuning.objective)
        except AlgorithmError as error:
            (one,) = error.problems
            if tuning.objective in printed:
                problem = "is not said: the script prints this metric, and is more of it better?"
                yield self._broken(("tuning", "goal"), None, problem, "Maximize or Minimize", field)
            else:
                yield self._broken(
                    field, tuning.objective, one.problem, one.allowed, ("tuning", "goal")
                )

    def _gate(self) -> Iterator[Broken]:
        metric, field = self.model.gate.metric, ("gate", "metric")
        if self.recipe.evaluates(self.chosen):
            if not re.fullmatch(r"[A-Za-z0-9_.-]+", metric):
                problem = f"is no path in {self.recipe.evaluation}, which the model is judged by"
                allowed = "names joined by points: binary_classification_metrics.auc.value"
                yield self._broken(field, metric, problem, allowed)
            return
        tuning = self.model.tuning
        names = [tuning.objective] if tuning else [one.name for one in self.chosen.metrics]
        if metric not in names:
            problem = f"is no metric of the training job of {self.chosen.name}"
            problem = "is not the objective of the tuning job" if tuning else problem
            yield self._broken(field, metric, problem, ", ".join(names), ("tuning",))

    def _compute(self) -> Iterator[Broken]:
        train = self.model.train
        given = {"instance_type": train.instance_type, "instance_count": train.instance_count}
        found = self.chosen.compute.problems(train.instance_type, train.instance_count)
        yield from self._told(found, ("train",), given)

    def _spot(self) -> Iterator[Broken]:
        train, longest = self.model.train, self.chosen.longest_spot_wait
        if not train.spot or longest is None:
            return
        name = "max_wait_seconds" if train.max_wait_seconds else "max_runtime_seconds"
        given = train.max_wait_seconds or train.max_runtime_seconds
        if given > longest:
            problem = f"is too long on spot instances for {self.chosen.name}, which writes no "
            problem += 'checkpoints ("Managed Spot Training in Amazon SageMaker AI")'
            allowed = f"at most {longest}; or spot: false"
            yield self._broken(("train", name), given, problem, allowed, ("train", "spot"))

    def _rules(self) -> Iterator[Broken]:
        given = self.model.hyperparameters.get("rules")
        rules = self.model.training_rules
        if rules is not None and given is not None:
            problem = "is how the training script is told of training_rules, which are given"
            field: Path = ("hyperparameters", "rules")
            yield self._broken(field, given, problem, "one of the two", ("training_rules",))
        for rule, action in (rules or {}).items():
            field = ("training_rules", rule)
            if self.built_in:
                problem = f"is evaluated by a script, and {self.chosen.name} runs none"
                yield self._broken(field, action, problem, "no rules with a built-in algorithm")
            elif rule in GRADIENT_RULES and self.chosen.name not in WITH_GRADIENTS:
                problem = f"watches the gradients of layers, and {self.chosen.name} has none"
                allowed = f"this rule with {' or '.join(WITH_GRADIENTS)}"
                yield self._broken(field, action, problem, allowed)

    def _scripts(self) -> Iterator[Broken]:
        recipe = self.recipe
        wanted = [recipe.prepare]
        if recipe.trains_by_script(self.chosen):
            wanted.append(recipe.train or "")
        if recipe.evaluates(self.chosen):
            wanted.append(recipe.evaluate or "")
        if self.model.tuning is not None and self.chosen.mode == "script":
            wanted.append(f"ml_src/entry_points/{recipe.program}")
        paths = [recipe.at(one) or "" for one in wanted]
        missing = [path for path in paths if not (SOURCE.parent / path).is_file()]
        if missing:
            problem = f"needs scripts that are not there: {', '.join(missing)}"
            allowed = "a model with these files, such as churn; or write them"
            yield self._broken((), None, problem, allowed, ("tuning",))

    def in_region(self, region: str | None) -> Iterator[Broken]:
        """Yield an image that the Region lacks."""
        used = (self.chosen, self.recipe.processing_algorithm(self.chosen))
        for one in {found.name: found for found in used}.values():
            have = one.image("training").regions
            if region is not None and region not in have:
                problem = f"has no image of {one.name}"
                allowed = f"{', '.join(have)}; or another algorithm for {self.name}"
                reads: tuple[Path, ...] = (("region",), (*self.at, "algorithm"))
                yield Broken(("region",), region, problem, allowed, reads)

    def debugged(self) -> Iterator[Broken]:
        """Yield an image without the library of SageMaker Debugger."""
        if not self.chosen.debugger:
            at: Path = ("account_features", "debugger")
            problem = f"the image of {self.chosen.name}, which {self.name} trains with, does not "
            problem += 'support SageMaker Debugger ("Supported frameworks and algorithms")'
            allowed = "false; the training rules are evaluated by the script itself"
            yield Broken(at, True, problem, allowed, (at, (*self.at, "algorithm")))
