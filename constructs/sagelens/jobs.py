"""What the jobs of a pipeline run on, and within what bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .algorithms.instances import INSTANCE_TYPE, family
from .errors import ArgumentErrors
from .private_network import Network

LARGEST_VOLUME_GB = 16_384
LONGEST_PROCESSING_SECONDS = 777_600
LONGEST_TRAINING_SECONDS = 2_419_200

# Families with local storage whose name does not say so by a "d" after its generation.
LOCAL_STORAGE = re.compile(r"(g[5-9]|gr6|p5|p6|trn[12])[a-z]*(-.+)?")


def has_local_storage(instance_type: str) -> bool:
    """Whether an instance type has disks of its own, encrypted by its hardware.

    AWS refuses a key for the volume of such a one. Sources: "ResourceConfig" (Amazon SageMaker
    API Reference), "Instance store volumes" (Amazon EC2).

    Args:
        instance_type: Such as ``ml.g5.xlarge``.
    """
    name = family(instance_type) or ""
    return bool(LOCAL_STORAGE.fullmatch(name) or re.fullmatch(r"[a-z]+[0-9]+[a-z]*d[a-z]*", name))


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a processing job runs on.

    Args:
        instance_type: Such as ``ml.m5.large``; the default of an execution's parameter.
        volume_gb: Storage of each instance, 1 to 16,384 GB.
        max_runtime_seconds: The job is stopped after so many seconds: a processing job may have
            777,600 (9 days), a training job 2,419,200 (28 days), where the account's quotas allow.
    """

    instance_type: str = "ml.m5.large"
    volume_gb: int = 30
    max_runtime_seconds: int = 3600

    @property
    def longest_seconds(self) -> int:
        """The most that ``max_runtime_seconds`` may be."""
        return LONGEST_PROCESSING_SECONDS

    def check(self, name: str, errors: ArgumentErrors) -> None:
        """Note what is wrong with it.

        Args:
            name: The argument that it is, such as ``jobs.prepare``.
            errors: Where to note it.
        """
        errors.require(
            bool(INSTANCE_TYPE.fullmatch(self.instance_type)),
            f"{name}.instance_type: got {self.instance_type!r}, allowed is one such as "
            "'ml.m5.large'",
        )
        errors.between(f"{name}.volume_gb", self.volume_gb, 1, LARGEST_VOLUME_GB, unit="GB")
        errors.between(
            f"{name}.max_runtime_seconds",
            self.max_runtime_seconds,
            1,
            self.longest_seconds,
            unit="s",
        )


@dataclass(frozen=True, kw_only=True)
class TrainingJob(Job):
    """What a training job, or each training job of a tuning job, runs on.

    Args:
        instance_type: As of any job.
        volume_gb: As of any job.
        max_runtime_seconds: As of any job, without what a spot job waits.
        instance_count: More than one trains distributed, where the algorithm can.
        spot: Whether it runs on spare capacity, at a lower price: it may be interrupted, and goes
            on from its last checkpoint.
        max_wait_seconds: Longest time of a spot job, waiting for capacity included; None: twice
            ``max_runtime_seconds``, or as much as the algorithm allows.
    """

    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    spot: bool = True
    max_wait_seconds: int | None = None

    @property
    def longest_seconds(self) -> int:
        """The most that ``max_runtime_seconds`` may be."""
        return LONGEST_TRAINING_SECONDS

    def wait_seconds(self, longest: int | None) -> int | None:
        """What a spot job waits at most, running included; None for any other job.

        Args:
            longest: As much as the algorithm allows; None: it sets no limit.
        """
        if not self.spot:
            return None
        if self.max_wait_seconds is not None:
            return self.max_wait_seconds
        usual = 2 * self.max_runtime_seconds
        return usual if longest is None else max(min(usual, longest), self.max_runtime_seconds)

    def check_wait(self, name: str, longest: int | None, errors: ArgumentErrors) -> None:
        """Note what is wrong with the times of a spot job; arguments as of the others."""
        wait = self.wait_seconds(longest)
        if wait is None:
            errors.require(
                self.max_wait_seconds is None,
                f"{name}.max_wait_seconds: got {self.max_wait_seconds}, allowed is none without "
                "spot",
            )
            return
        errors.require(
            self.max_runtime_seconds <= wait,
            f"{name}.max_wait_seconds: got {wait:,} s, allowed are max_runtime_seconds "
            f"({self.max_runtime_seconds:,} s) and more, since it includes them",
        )
        errors.require(
            longest is None or wait <= longest,
            f"{name}.max_wait_seconds: got {wait:,} s, allowed are {longest or 0:,} s, since the "
            "algorithm writes no checkpoints; without spot there is no such limit",
        )


@dataclass(frozen=True, kw_only=True)
class PipelineJobs:
    """The jobs of a pipeline.

    Args:
        prepare: Makes channels of raw data.
        train: Trains.
        evaluate: Judges the model.
    """

    prepare: Job = field(default_factory=Job)
    train: TrainingJob = field(default_factory=TrainingJob)
    evaluate: Job = field(default_factory=Job)


@dataclass(frozen=True, kw_only=True)
class JobSurroundings:
    """What all jobs of a pipeline run within.

    Args:
        network: Where they run; None: outside any network of yours. It takes a way to S3, to AWS
            KMS, to CloudWatch (logs and monitoring) and to Amazon ECR.
        network_isolation: Whether the containers have no network at all and no credentials. Data
            and models still come and go, by the service.
        encrypt_between_instances: Whether several instances of a job encrypt what they say to
            each other.
    """

    network: Network | None = None
    network_isolation: bool = True
    encrypt_between_instances: bool = True
