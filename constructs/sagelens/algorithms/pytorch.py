"""PyTorch in script mode."""

from __future__ import annotations

from . import script_mode
from .algorithm import Algorithm
from .instances import Compute

PYTORCH = Algorithm(
    name="pytorch",
    title="PyTorch",
    purpose="Neural networks written with PyTorch.",
    mode="script",
    pages=(
        "Use PyTorch with Amazon SageMaker AI",
        "Supported frameworks and algorithms",
        "Checkpoints in Amazon SageMaker AI",
    ),
    images="pytorch",
    channels=script_mode.CHANNELS,
    further_channels=True,
    input_modes=script_mode.INPUT_MODES,
    compute=Compute(several_instances=True, gpu=True),
    checkpoints=True,
    # The page names 1.5.0 and later.
    debugger=True,
)
"""It prints no metric of itself: give those of the script by ``with_metrics``."""
