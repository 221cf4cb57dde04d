"""What the catalogue knows of one algorithm, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from .channel import Channel
from .hyperparameter import Hyperparameter, Text
from .images import Image, Purpose, image
from .instances import Compute, Processor
from .metric import Metric
from .problems import AlgorithmError, Problem, meant, shown
from .tuning import Range, range_problems

if TYPE_CHECKING:
    from constructs import Construct

Mode = Literal["built-in", "script", "own"]
InputMode = Literal["File", "Pipe", "FastFile"]
Rule = Callable[[Mapping[str, str]], Iterable[Problem]]
"""Judges hyperparameters against each other; it gets those that are right by themselves."""

MOST_HYPERPARAMETERS = 100
"""CreateTrainingJob, HyperParameters: at most 100 entries; a key has at most 256 characters."""

RESERVED = "sagemaker_"
"""Names that begin so belong to the container in script mode (such as sagemaker_program)."""


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """An algorithm: its image, its hyperparameters, its channels, what it runs on and reports.

    Everything here is plain data, known without the AWS CDK; only the two methods that return
    an image's address need it.

    Attributes:
        name: Its name in the catalogue, which is what a configuration says.
        title: The same for people.
        purpose: When to choose it, in a sentence.
        mode: A built-in algorithm, a framework that runs a script, or an image of one's own.
        pages: The pages of AWS's documentation that the facts come from.
        images: Key in the table of images; None: ``own_images`` are the addresses.
        own_images: Addresses of one's own images for training and for inference.
        specifications: Its hyperparameters.
        aliases: Other names of hyperparameters, and what they stand for.
        rules: What hyperparameters demand of each other.
        channels: Its input channels.
        further_channels: Whether a job may have channels of other names.
        input_modes: How data may reach it, the usual way first.
        serves: Content types that its inference image reads; empty: up to the script.
        metrics: What it reports.
        reads_own_metrics: Whether SageMaker has definitions of its own for the image's metrics,
            and refuses a job that brings others; so with XGBoost's even where it runs a script.
        tunable: The ranges that its page recommends for tuning.
        compute: What it runs on.
        checkpoints: Whether it writes checkpoints and resumes from them, which managed spot
            training needs; for a script: whether the container keeps its checkpoint folder.
        keeps_model_when_stopped: Whether a job stopped by its time limit leaves a model behind.
        debugger: Whether the page of SageMaker Debugger names this image.
    """

    name: str
    title: str
    purpose: str
    mode: Mode
    pages: tuple[str, ...]
    compute: Compute
    images: str | None = None
    own_images: tuple[str, str] | None = None
    specifications: tuple[Hyperparameter, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: tuple[Rule, ...] = ()
    channels: tuple[Channel, ...] = (Channel("train", required=True),)
    further_channels: bool = False
    input_modes: tuple[InputMode, ...] = ("File",)
    serves: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    reads_own_metrics: bool = False
    tunable: Mapping[str, Range] = field(default_factory=dict[str, Range])
    checkpoints: bool = False
    keeps_model_when_stopped: bool = True
    debugger: bool = False

    # Hyperparameters

    def hyperparameters(
        self, values: Mapping[str, object], *, tuned: Collection[str] = ()
    ) -> dict[str, str]:
        """Check hyperparameters and write them as SageMaker wants them.

        Only what is given is written: AWS's defaults serve for the rest. Where a value varies by
        pipeline parameter, check the parameter's default here and put the reference in its place.
        Text that holds a CDK token is passed as it is.

        Args:
            values: Values by name; numbers may be written as text.
            tuned: Names that a tuning job sets; they may not be given as well.

        Returns:
            Text by name, in the order given.

        Raises:
            AlgorithmError: If any is missing, unknown or not allowed; it lists them all.
        """
        texts, problems = self._read(values, tuned)
        self._throw("the hyperparameters are not right", problems)
        return texts

    def hyperparameter_problems(
        self, values: Mapping[str, object], *, tuned: Collection[str] = ()
    ) -> tuple[Problem, ...]:
        """Everything that :meth:`hyperparameters` would raise."""
        return tuple(self._read(values, tuned)[1])

    def _read(
        self, values: Mapping[str, object], tuned: Collection[str]
    ) -> tuple[dict[str, str], list[Problem]]:
        known = {one.name: one for one in self.specifications}
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        first: dict[str, str] = {}
        for name, value in values.items():
            canonical = self.aliases.get(name, name)
            if canonical in tuned:
                problems.append(Problem(name, "a tuning job sets it", "one of the two"))
            if canonical in first:
                what = f"is the same as {first[canonical]}"
                problems.append(Problem(name, what, "one of the two"))
            first.setdefault(canonical, name)
            written = self._written(name, known.get(canonical), value)
            if isinstance(written, Problem):
                problems.append(written)
            else:
                texts[canonical] = written
        given = {*first, *tuned}
        problems += [
            Problem(one.name, "is missing", one.kind.allowed)
            for one in self.specifications
            if one.required and one.name not in given
        ]
        broken = (problem for rule in self.rules for problem in rule(texts))
        problems += [problem for problem in broken if problem.name not in tuned]
        if len(values) > MOST_HYPERPARAMETERS:
            allowed = f"at most {MOST_HYPERPARAMETERS}"
            problems.append(Problem("hyperparameters", f"got {len(values)} of them", allowed))
        return texts, problems

    def _written(self, name: str, known: Hyperparameter | None, value: object) -> str | Problem:
        """The value as text, or what is wrong with it."""
        if known is None and self.mode == "built-in":
            names = sorted({one.name for one in self.specifications} | set(self.aliases))
            perhaps = meant(name, names)
            allowed = f'those of "{self.pages[0]}"' if perhaps else ", ".join(names)
            return Problem(name, f"is unknown{perhaps}", allowed)
        if known is None and (name.startswith(RESERVED) or not 1 <= len(name) <= 256):
            allowed = f"a name of 1 to 256 characters that does not begin with {RESERVED}"
            return Problem(name, "is a name that a script cannot have", allowed)
        if isinstance(value, str) and "${Token[" in value:
            return value
        kind = known.kind if known else Text()
        text = kind.text(value)
        return Problem(name, f"got {shown(value)}", kind.allowed) if text is None else text

    # Tuning

    def tuning_ranges(self, ranges: Mapping[str, Range | None]) -> dict[str, Range]:
        """Check the ranges that a tuning job is to search.

        A range of None takes the one that AWS recommends.

        Raises:
            AlgorithmError: If a hyperparameter cannot be tuned, or a range leaves what it allows.
        """
        found: dict[str, Range] = {}
        problems: list[Problem] = []
        for name, wanted in ranges.items():
            one = wanted or self.tunable.get(name)
            if one is None or (self.mode == "built-in" and name not in self.tunable):
                allowed = ", ".join(self.tunable) or "none: it has nothing to tune"
                tunable = f"cannot be tuned{meant(name, self.tunable)}"
                what = "has no recommended range" if self.mode != "built-in" else tunable
                problems.append(Problem(name, what, allowed))
                continue
            kind = next((k.kind for k in self.specifications if k.name == name), Text())
            problems += range_problems(name, one, kind)
            found[name] = one
        self._throw("the tuning ranges are not right", problems)
        return found

    def objective(self, name: str) -> Metric:
        """The metric that a tuning job is to better.

        Raises:
            AlgorithmError: If the algorithm reports no such metric, or neither more nor less of
                it is better.
        """
        goals = {one.name: one for one in self.metrics if one.goal is not None}
        if name not in goals:
            allowed = ", ".join(goals) or "none: it reports no metric that a job could better"
            problem = Problem(name, f"is no objective{meant(name, goals)}", allowed)
            raise AlgorithmError(self.name, "the objective is not right", [problem])
        return goals[name]

    # Metrics and channels

    def metric_definitions(self) -> list[dict[str, str]]:
        """``MetricDefinitions`` of a job; empty where SageMaker has its own and takes no others."""
        if self.reads_own_metrics:
            return []
        return [one.definition() for one in self.metrics if one.regex is not None]

    def with_metrics(self, *metrics: Metric) -> Algorithm:
        """The same with further metrics, which a script prints.

        Raises:
            AlgorithmError: If this is a built-in algorithm, a name is taken, or there are more
                than the 40 that a job may have.
        """
        problems: list[Problem] = []
        if self.reads_own_metrics:
            problems.append(Problem("metrics", "SageMaker reads this image's by its own", "none"))
        names = [one.name for one in (*self.metrics, *metrics)]
        problems += [
            Problem(name, "is there already", "each metric once")
            for name in sorted({name for name in names if names.count(name) > 1})
        ]
        if len(names) > 40:
            problems.append(Problem("metrics", f"got {len(names)} in all", "at most 40"))
        self._throw("the metrics are not right", problems)
        return replace(self, metrics=(*self.metrics, *metrics))

    def check_channels(self, names: Sequence[str]) -> None:
        """Check which channels a job is to have; AlgorithmError names each problem."""
        known = [one.name for one in self.channels]
        missing = [one.name for one in self.channels if one.required and one.name not in names]
        problems = [Problem(name, "is missing", "this channel is needed") for name in missing]
        for name in dict.fromkeys(names):
            if name not in known and not self.further_channels:
                problems.append(
                    Problem(name, f"is no channel{meant(name, known)}", ", ".join(known))
                )
            if names.count(name) > 1:
                problems.append(Problem(name, "is there twice", "each channel once"))
        self._throw("the channels are not right", problems)

    # What it runs on

    @property
    def longest_spot_wait(self) -> int | None:
        """The most seconds that ``MaxWaitTimeInSeconds`` of a spot job may be, where it is limited.

        Source: "Managed Spot Training in Amazon SageMaker": 3,600 for a built-in algorithm that
        writes no checkpoints.
        """
        return 3600 if self.mode == "built-in" and not self.checkpoints else None

    def check_instances(self, instance_type: str, count: int = 1) -> None:
        """Check what a training job is to run on.

        Raises:
            AlgorithmError: If the algorithm cannot train on it.
        """
        self._throw("it cannot train on this", list(self.compute.problems(instance_type, count)))

    # Images

    def image(self, purpose: Purpose) -> Image:
        """Its image in Amazon's registries, as data.

        Raises:
            ValueError: If the image is one of one's own.
        """
        if self.images is None:
            raise ValueError(f"{self.name}: the image is your own, not in the table")
        return image(self.images, purpose)

    def training_image(self, scope: Construct, processor: Processor = "cpu") -> str:
        """The address of the image that trains, for the stack of ``scope``.

        Args:
            scope: A construct of the stack.
            processor: Which variant; ``instances.processor`` tells it from an instance type.

        Raises:
            ValueError: If the stack's Region, or the processor, has no such image.
        """
        return self._address(scope, "training", processor)

    def inference_image(self, scope: Construct, processor: Processor = "cpu") -> str:
        """The address of the image that serves, for the stack of ``scope``.

        Arguments and errors: as :meth:`training_image`.
        """
        return self._address(scope, "inference", processor)

    def _address(self, scope: Construct, purpose: Purpose, processor: Processor) -> str:
        if self.own_images is not None:
            return self.own_images[0 if purpose == "training" else 1]
        # Imported here so that everything else works without the AWS CDK.
        from .image_uri import image_uri

        return image_uri(scope, self.image(purpose), processor)

    def _throw(self, what: str, problems: Sequence[Problem]) -> None:
        if problems:
            raise AlgorithmError(self.name, what, problems)
