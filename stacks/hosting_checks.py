"""What the configuration cannot know of hosting by itself, checked before anything is built."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from config import Broken, EndpointSettings, EnvironmentSettings
from sagelens.algorithms import Algorithm, algorithm
from sagelens.algorithms.images import monitor_image
from sagelens.algorithms.instances import is_arm
from stacks.hosting_plans import sample_of
from stacks.training_checks import training_problems
from stacks.training_plans import SOURCE
from stacks.workbench_checks import workbench_problems

LARGEST_SAMPLE = 100_000
"""A state's data are 256 KiB at most ("Step Functions service quotas"), the answer among them."""


def problems(settings: EnvironmentSettings) -> Iterator[Broken]:
    """Yield everything that the configuration cannot know by itself."""
    return chain(
        training_problems(settings), hosting_problems(settings), workbench_problems(settings)
    )


def hosting_problems(settings: EnvironmentSettings) -> Iterator[Broken]:
    """Yield what is wrong with each endpoint by the catalogue's and the files' own account."""
    for name, endpoint in settings.hosting.models.items() if settings.hosting else ():
        yield from _sample(name, endpoint)
        yield from _adapter(name, endpoint)
        # Else the settings themselves refuse it.
        if settings.training is not None and name in settings.training.models:
            chosen = algorithm(settings.training.models[name].algorithm)
            yield from _processor(name, endpoint, chosen)
            yield from _region(name, settings.region, chosen)
        if endpoint.drift is not None and settings.account_features.model_monitor:
            yield from _without_monitor(settings.region)


def _sample(name: str, endpoint: EndpointSettings) -> Iterator[Broken]:
    at = ("hosting", "models", name, "smoke_test", "sample")
    problem = _about_sample(sample_of(endpoint, model=name))
    if problem is not None:
        allowed = f"a file in ml_src/{name}, text of at most {LARGEST_SAMPLE:,} bytes, such as "
        allowed += "one row of data without its label"
        yield Broken(at, endpoint.smoke_test.sample, problem, allowed, (at,))


def _about_sample(path: Path) -> str | None:
    if not path.is_file():
        return "is not there"
    content = path.read_bytes()
    if not content.strip():
        return "is empty"
    if len(content) > LARGEST_SAMPLE:
        return f"has {len(content):,} bytes"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "is no text in UTF-8"
    return None


def _adapter(name: str, endpoint: EndpointSettings) -> Iterator[Broken]:
    path = SOURCE / name / "capture.py"
    if endpoint.drift is not None and not path.is_file():
        at = ("hosting", "models", name, "drift")
        problem = f"needs ml_src/{name}/capture.py, which reads the model's requests"
        yield Broken(at, None, problem, "null; or write it (docs/drift.md)", (at,))


def _processor(name: str, endpoint: EndpointSettings, chosen: Algorithm) -> Iterator[Broken]:
    instances = endpoint.capacity.instances
    if instances is not None and is_arm(instances.instance_type):
        at = ("hosting", "models", name, "capacity", "instances", "instance_type")
        problem = f"has an Arm processor, which the image of {chosen.name} is not built for"
        reads = (at, ("training", "models", name, "algorithm"))
        yield Broken(at, instances.instance_type, problem, "a type such as ml.m5.large", reads)


def _region(name: str, region: str | None, chosen: Algorithm) -> Iterator[Broken]:
    have = chosen.image("inference").regions
    if region is not None and region not in have:
        at = ("region",)
        problem = f"has no image of {chosen.name} that serves"
        allowed = f"{', '.join(have)}; or another algorithm for {name}"
        yield Broken(at, region, problem, allowed, (at, ("training", "models", name, "algorithm")))


def _without_monitor(region: str | None) -> Iterator[Broken]:
    have = monitor_image().regions
    if region is not None and region not in have:
        at = ("account_features", "model_monitor")
        problem = f"needs Amazon SageMaker Model Monitor, which {region} lacks"
        yield Broken(at, True, problem, "false", (at, ("region",)))
