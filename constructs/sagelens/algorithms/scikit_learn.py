"""scikit-learn in script mode."""

from __future__ import annotations

from . import script_mode
from .algorithm import Algorithm
from .instances import Compute

SCIKIT_LEARN = Algorithm(
    name="scikit-learn",
    title="scikit-learn",
    purpose="Any of scikit-learn's models, on one machine without GPUs.",
    mode="script",
    pages=("Use Scikit-learn with Amazon SageMaker AI", "Checkpoints in Amazon SageMaker AI"),
    images="scikit-learn",
    channels=script_mode.CHANNELS,
    further_channels=True,
    input_modes=script_mode.INPUT_MODES,
    # The SageMaker SDK refuses more than one instance, and its table has a CPU image only.
    compute=Compute(several_instances=False, gpu=False),
    checkpoints=True,
)
"""It prints no metric of itself: give those of the script by ``with_metrics``."""
