"""An image of one's own."""

from __future__ import annotations

import re

from . import script_mode
from .algorithm import Algorithm
from .channel import Channel
from .instances import Compute
from .metric import Metric
from .problems import AlgorithmError, Problem

ADDRESS = re.compile(r"[a-z0-9][a-z0-9./:_-]*(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})")


def own_image(
    training: str,
    inference: str | None = None,
    *,
    name: str = "own",
    channels: tuple[Channel, ...] = script_mode.CHANNELS,
    metrics: tuple[Metric, ...] = (),
    several_instances: bool = False,
    gpu: bool = False,
    checkpoints: bool = False,
    debugger: bool = False,
) -> Algorithm:
    """An algorithm in an image of one's own.

    Source: "Adapting your own training container" (Amazon SageMaker AI).

    Args:
        training: Address of the image that trains, with a tag other than latest or a digest, so
            that a run can be repeated; a CDK token is taken as it is.
        inference: Address of the image that serves; the same if it is left out.
        name: What errors call it.
        channels: Channels that it reads; a job may have others.
        metrics: What it prints, with the expressions that find it.
        several_instances: Whether it can train on several instances.
        gpu: Whether it can make use of GPUs.
        checkpoints: Whether it writes checkpoints to /opt/ml/checkpoints and resumes from them.
        debugger: Whether it carries the library of SageMaker Debugger.

    Raises:
        AlgorithmError: If an address names no fixed image; it lists each.
    """
    given = {"training": training, "inference": inference or training}
    problems = [
        Problem(argument, f"got {address!r}", "repository:tag (not latest) or repository@sha256:…")
        for argument, address in given.items()
        if "${Token[" not in address
        and (not ADDRESS.fullmatch(address) or address.endswith(":latest"))
    ]
    if problems:
        raise AlgorithmError(name, "the image is not right", problems)
    return Algorithm(
        name=name,
        title=name,
        purpose="An image of your own.",
        mode="own",
        pages=("Adapting your own training container",),
        own_images=(given["training"], given["inference"]),
        channels=channels,
        further_channels=True,
        input_modes=script_mode.INPUT_MODES,
        compute=Compute(several_instances=several_instances, gpu=gpu),
        checkpoints=checkpoints,
        debugger=debugger,
    ).with_metrics(*metrics)
