"""The images that a training pipeline's jobs and its model run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from constructs import Construct

from .algorithms import Algorithm, processor
from .algorithms.instances import Processor
from .debugger_rules import evaluator_image
from .errors import ArgumentErrors
from .image_repository import repository_arn
from .jobs import PipelineJobs
from .recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Images:
    """Addresses of the images that run.

    Attributes:
        prepare: Runs the script that prepares.
        train: Trains.
        evaluate: Runs the script that evaluates.
        serve: Serves the model.
        rules: Evaluates SageMaker Debugger's rules; None without it.
    """

    prepare: str
    train: str
    evaluate: str
    serve: str
    rules: str | None = None

    @property
    def of_jobs(self) -> list[str]:
        """Those that jobs run, without the one that serves."""
        found = (self.prepare, self.train, self.evaluate, self.rules)
        return [image for image in found if image]

    @classmethod
    def of(
        cls,
        scope: Construct,
        recipe: Recipe,
        algorithm: Algorithm,
        jobs: PipelineJobs,
        *,
        debugger: bool,
        errors: ArgumentErrors,
    ) -> Images:
        """The images for the stack of ``scope``.

        Args:
            scope: A construct of the stack.
            recipe: The model's scripts.
            algorithm: What trains.
            jobs: What the jobs run on: each gets the variant for its instance type.
            debugger: Whether SageMaker Debugger evaluates rules.
            errors: Where to note what is wrong: an image that the Region lacks, one without a
                variant for the processor, an address outside Amazon ECR.
        """
        scripts = recipe.processing_algorithm(algorithm)

        def address(find: Callable[[Construct, Processor], str], kind: Processor) -> str:
            try:
                found = find(scope, kind)
                repository_arn(found)
            except ValueError as error:
                errors.require(False, str(error))
                return ""
            return found

        return cls(
            prepare=address(scripts.training_image, processor(jobs.prepare.instance_type)),
            train=address(algorithm.training_image, processor(jobs.train.instance_type)),
            evaluate=address(scripts.training_image, processor(jobs.evaluate.instance_type)),
            serve=address(algorithm.inference_image, recipe.serving_processor),
            rules=address(lambda place, _: evaluator_image(place), "cpu") if debugger else None,
        )
